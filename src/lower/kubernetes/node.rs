//! What machines are in the cluster: labels and taints of their nodes.

use serde_json::{Map, Value as Json, json};

use super::object::object;
use super::{cpi, traefik};
use crate::lower::{k3s, permission};
use crate::resource::{Address, Edge, EdgeKind, Resource};
use crate::spec::{Machine, Role, Spec, Taint, TaintEffect};

/// What keeps everything that does not ask for it off the servers: the guide's own step.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// Lowers every machine's Node. k3s makes it, so it is taken over without a word; it is there once
/// the cloud provider has found the machine's VM.
pub fn nodes(spec: &Spec) -> Vec<Resource> {
    spec.all_machines().map(|machine| node(spec, machine)).collect()
}

/// The address of a machine's Node.
pub fn address(machine: &Machine) -> Address {
    Address::of("cluster/node", &machine.name)
}

fn node(spec: &Spec, machine: &Machine) -> Resource {
    let after = [cpi::address(), permission::of_machine(machine)];
    let mut node = object(address(machine), manifest(spec, machine), &after, &machine.place);
    node.edges.push(Edge { kind: EdgeKind::LivesIn, to: k3s::address(machine) });
    node.adopt = true;
    node
}

/// The Node of a machine, as far as boma has a say in it.
pub fn manifest(spec: &Spec, machine: &Machine) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": machine.name.as_str(), "labels": labels(spec, machine) },
        "taints": taints(spec, machine),
    })
}

fn labels(spec: &Spec, machine: &Machine) -> Map<String, Json> {
    let entry = traefik::entry_label(spec, machine);
    let entry = entry.map(|(key, value)| (key.to_owned(), value.into()));
    let written = machine.labels.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
    entry.into_iter().chain(written).collect()
}

/// Servers without a single agent run everything themselves.
fn taints(spec: &Spec, machine: &Machine) -> Vec<Json> {
    let apart = machine.role == Role::Server && !spec.agents.is_empty();
    let own_word = machine.taints.iter().any(|taint| taint.key == CONTROL_PLANE);
    let role =
        (apart && !own_word).then(|| json!({ "key": CONTROL_PLANE, "effect": "NoSchedule" }));
    role.into_iter().chain(machine.taints.iter().map(|written| taint(written))).collect()
}

/// The API leaves an empty value out.
fn taint(taint: &Taint) -> Json {
    let effect = match taint.effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    };
    let mut json = json!({ "key": taint.key, "effect": effect });
    if !taint.value.is_empty() {
        json["value"] = taint.value.as_str().into();
    }
    json
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    fn check(edits: &[(&str, &str)], machine: &str, labels: &Json, taints: &Json) {
        let spec = spec(edits);
        let machine = spec.all_machines().find(|one| one.name.value == machine).unwrap();
        let node = manifest(&spec, machine);
        assert_eq!((&node["metadata"]["labels"], &node["taints"]), (labels, taints));
    }

    #[test]
    fn servers_are_kept_free_and_agents_are_not() {
        let role = json!([{ "key": CONTROL_PLANE, "effect": "NoSchedule" }]);
        check(&[], "server-2", &json!({}), &role);
        check(&[], "agent-1", &json!({}), &json!([]));
    }

    #[test]
    fn labels_and_taints_of_the_spec_are_added() {
        let agents = "[agents]\nlabels = { disk = \"fast\" }\ntaints = [\"a=b:NoExecute\", \"c:PreferNoSchedule\"]";
        let entry = "[traefik]\nentry = \"agents\"\n[storage]";
        let labels = json!({ "disk": "fast", "svccontroller.k3s.cattle.io/enablelb": "true" });
        let taints = json!([
            { "key": "a", "value": "b", "effect": "NoExecute" },
            { "key": "c", "effect": "PreferNoSchedule" },
        ]);
        check(&[("[agents]", agents), ("[storage]", entry)], "agent-2", &labels, &taints);
    }

    #[test]
    fn a_node_is_k3s_own_and_waits_for_the_cloud_provider() {
        let spec = spec(&[]);
        let nodes = nodes(&spec);
        let node = nodes.iter().find(|node| node.address.name() == "agent-2").unwrap();
        let edges: Vec<(EdgeKind, &str)> =
            node.edges.iter().map(|edge| (edge.kind, edge.to.as_str())).collect();
        let expected = [
            (EdgeKind::After, "cluster/cpi/DaemonSet/vsphere-cloud-controller-manager"),
            (EdgeKind::After, "vsphere/permission/vm/agent-2"),
            (EdgeKind::LivesIn, "k3s/agent/agent-2"),
        ];
        assert_eq!(edges, expected);
        assert!(node.adopt && nodes.len() == 5);
        let place = json!({"api": "v1", "kind": "Node", "plural": "nodes", "name": "agent-2"});
        assert_eq!(node.place.tree(), place);
    }
}
