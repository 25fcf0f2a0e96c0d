//! The project's namespace. It holds data: what is in it goes with it.

use serde_json::json;

use super::form::Form;
use crate::lower::kubernetes::{csi, node};
use crate::resource::{Address, Resource};
use crate::spec::Machine;

/// Lowers the namespace. A project is begun once its machines are nodes and can mount volumes:
/// pods that come earlier would all go to the few nodes that are there, and stay.
pub fn namespace(form: &Form<'_>) -> Resource {
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": *form.project.namespace },
    });
    Form::of_kind(form.resource(manifest, &before(form)), "ProjectNamespace")
}

fn before(form: &Form<'_>) -> Vec<Address> {
    let spec = form.spec;
    let all = if spec.agents.is_empty() { &spec.servers } else { &spec.agents };
    let pinned = |machine: &&Machine| {
        let agents = &form.project.agents;
        agents.is_empty() || agents.iter().any(|agent| agent.value == *machine.name)
    };
    let nodes = all.iter().filter(pinned).map(node::address);
    nodes.chain([csi::address("DaemonSet", csi::NODE)]).collect()
}
