//! Deployments, with what all of a project's have in common.

use serde_json::{Map, Value as Json, json};

use super::form::{Form, LABEL};
use super::placement;
use super::tolerations::tolerations;
use crate::resource::{Address, Resource};

/// How a new pod takes an old one's place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The old one goes first.
    Recreate,
    /// The same, said in the manner of the 4.x charts.
    OneAtATime,
    /// As the API has it: the new one comes first.
    Usual,
}

/// A Deployment of one pod.
pub struct Workload {
    /// Its name.
    pub name: String,
    /// What the label of its pod says.
    pub service: String,
    /// How a new pod takes an old one's place.
    pub strategy: Strategy,
    /// Its containers.
    pub containers: Vec<Json>,
    /// What else its pod has.
    pub pod: Map<String, Json>,
    /// Whether the project's own upgrade-service sets its images.
    pub upgrades_itself: bool,
}

impl Workload {
    /// A Deployment with no more than a name, a label and its containers.
    pub fn new(form: &Form<'_>, name: &str, service: &str, containers: Vec<Json>) -> Self {
        let strategy = if form.project.is_five() { Strategy::Recreate } else { Strategy::Usual };
        Self {
            name: name.to_owned(),
            service: service.to_owned(),
            strategy,
            containers,
            pod: Map::new(),
            upgrades_itself: form.project.has_upgrade_service(),
        }
    }

    /// The resource. Its pod goes where the project's may go, unless it says a place itself.
    pub fn resource(mut self, form: &Form<'_>, after: &[Address]) -> Resource {
        if !self.pod.contains_key("nodeSelector") && !self.pod.contains_key("affinity") {
            self.pod.extend(placement::anywhere(form));
        }
        let tolerations = tolerations(form);
        if !tolerations.is_empty() {
            self.pod.insert("tolerations".into(), tolerations.into());
        }
        let upgrades_itself = self.upgrades_itself;
        let resource = form.resource(self.manifest(form), after);
        match upgrades_itself {
            true => Form::of_kind(resource, "SelfUpgrading"),
            false => resource,
        }
    }

    fn manifest(mut self, form: &Form<'_>) -> Json {
        self.pod.insert("containers".into(), self.containers.into());
        let labels = json!({ LABEL: self.service });
        let mut spec = json!({
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": self.pod },
        });
        match self.strategy {
            Strategy::Recreate => spec["strategy"] = json!({ "type": "Recreate" }),
            Strategy::OneAtATime => {
                let limits = json!({ "maxSurge": 0, "maxUnavailable": 1 });
                spec["strategy"] = json!({ "type": "RollingUpdate", "rollingUpdate": limits });
            }
            Strategy::Usual => {}
        }
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": form.metadata(&self.name, Some(&self.service)),
            "spec": spec,
        })
    }
}
