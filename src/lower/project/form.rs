//! The form that a project takes: what its release and its settings make of it.

use serde_json::{Value as Json, json};

use super::member::Member;
use crate::lower::kubernetes::{images, object};
use crate::resource::{Address, Kind, Resource};
use crate::spec::releases::TOLD_SINCE;
use crate::spec::{Project, Spec};

/// The label that the charts select pods by.
pub const LABEL: &str = "cht.service";

/// One project as it is lowered.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// The whole spec.
    pub spec: &'a Spec,
    /// The project.
    pub project: &'a Project,
}

impl<'a> Form<'a> {
    /// The form of a project.
    pub fn of(spec: &'a Spec, project: &'a Project) -> Self {
        Self { spec, project }
    }

    /// Whether it was made by somebody else, and is to keep running as it is.
    pub fn is_adopted(&self) -> bool {
        self.project.adopted
    }

    /// Whether api and sentinel get their mode and log level.
    pub fn is_told(&self) -> bool {
        self.project.release() >= TOLD_SINCE
    }

    /// Whether a node of CouchDB has a Nouveau beside it.
    pub fn has_nouveau(&self, member: &Member) -> bool {
        self.project.is_five() && (member.is_first() || self.project.has_nouveau_each())
    }

    /// Whether boma's probes are on.
    pub fn has_probes(&self) -> bool {
        self.project.probes.as_ref().map_or(!self.is_adopted(), |probes| probes.value)
    }

    /// Whether other namespaces are kept out.
    pub fn has_network_policy(&self) -> bool {
        let policy = self.project.network_policy.as_ref();
        policy.map_or(!self.is_adopted(), |policy| policy.value)
    }

    /// The nodes of its CouchDB, the first one first.
    pub fn members(&self) -> Vec<Member> {
        Member::all(self.project.couchdb.nodes.value)
    }

    /// The address of one of its objects.
    pub fn address(&self, kind: &str, name: &str) -> Address {
        Address::of(&format!("project/{}/{kind}", *self.project.name), name)
    }

    /// The full name of one of its services.
    pub fn host(&self, service: &str) -> String {
        let domain = &self.spec.k3s.cluster_domain;
        format!("{service}.{}.svc.{domain}", *self.project.namespace)
    }

    /// An image of its release.
    pub fn image(&self, service: &str) -> String {
        let name = format!("{}/cht-{service}", *self.spec.project_settings.registry);
        images::name(self.spec, &name, &self.project.cht)
    }

    /// Name, namespace and labels of an object; `service` is what its label says.
    pub fn metadata(&self, name: &str, service: Option<&str>) -> Json {
        let labels = service.map_or(json!({}), |service| json!({ LABEL: service }));
        json!({ "name": name, "namespace": *self.project.namespace, "labels": labels })
    }

    /// The resource of a manifest, at the address of its kind and name.
    pub fn resource(&self, manifest: Json, after: &[Address]) -> Resource {
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let address = self.address(&text(&manifest["kind"]), &text(&manifest["metadata"]["name"]));
        let resource = object(address, manifest, after, &self.project.place);
        Resource { adopt: self.is_adopted(), ..resource }
    }

    /// The same resource of a kind that only projects have.
    pub fn of_kind(resource: Resource, kind: &str) -> Resource {
        let kind = Kind::named(&format!("kubernetes/{kind}")).unwrap_or(resource.kind);
        Resource { kind, ..resource }
    }
}
