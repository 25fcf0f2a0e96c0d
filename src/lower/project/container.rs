//! Containers, with what boma adds to those of the charts.

use serde_json::{Map, Value as Json, json};

use super::claim::size;
use super::form::Form;
use super::probes;
use crate::spec::{Component, Milli, Resources, Sp};

/// A container as the charts have it.
pub struct Container {
    /// What it is a part of.
    pub component: Component,
    /// Its name, by which the upgrade-service finds it.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its variables, in the charts' order.
    pub variables: Vec<Json>,
    /// The port that it listens on. `None` where it has none.
    pub port: Option<u16>,
    /// Its mounts.
    pub mounts: Vec<Json>,
}

impl Container {
    /// The container of a pod.
    pub fn manifest(self, form: &Form<'_>) -> Json {
        let mut container = json!({ "name": self.name, "image": self.image });
        if !self.variables.is_empty() {
            container["env"] = self.variables.into();
        }
        if let Some(port) = self.port {
            // In full: a port is known by both, so both are counted as sent.
            container["ports"] = json!([{ "containerPort": port, "protocol": "TCP" }]);
        }
        if !self.mounts.is_empty() {
            container["volumeMounts"] = self.mounts.into();
        }
        if let Some(resources) = form.project.resources.get(&self.component) {
            container["resources"] = held_to(resources);
        }
        if form.has_probes()
            && let Some(probe) = probes::readiness(self.component, self.port)
        {
            container["readinessProbe"] = probe;
        }
        container
    }
}

/// What a container asks for and is held to. A request that is not said is the limit, as the API
/// has it; here it is written out, so that a plan shows what is reserved.
fn held_to(resources: &Resources) -> Json {
    let amounts = |cpu: Option<String>, memory: Option<u64>| {
        let given = [("cpu", cpu), ("memory", memory.map(size))];
        let given = given.into_iter().filter_map(|(name, amount)| Some((name, amount?)));
        given.map(|(name, amount)| (name.to_owned(), amount.into())).collect::<Map<_, Json>>()
    };
    let cpu = |amount: &Option<Sp<Milli>>| amount.as_ref().map(ToString::to_string);
    let memory = |amount: &Option<Sp<u64>>| amount.as_ref().map(|amount| amount.value);
    let limits = amounts(cpu(&resources.cpu), memory(&resources.memory_mib));
    let requests = amounts(
        cpu(&resources.cpu_request).or_else(|| cpu(&resources.cpu)),
        memory(&resources.memory_request_mib).or_else(|| memory(&resources.memory_mib)),
    );
    let held = [("limits", limits), ("requests", requests)];
    let held = held.into_iter().filter(|(_, amounts)| !amounts.is_empty());
    held.map(|(name, amounts)| (name.to_owned(), amounts.into())).collect::<Map<_, Json>>().into()
}
