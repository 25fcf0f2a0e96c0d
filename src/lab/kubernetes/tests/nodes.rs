//! Nodes: the cluster's own, through the API.

use serde_json::json;

use super::rig::{MERGE, Rig};

const NODE: &str = "/api/v1/nodes/node-1";

#[test]
fn labels_and_taints_reach_the_node() {
    let mut rig = Rig::new();
    let object = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "node-1", "labels": {"role": "db"}}});
    let (status, node) = rig.apply(NODE, "boma", object);
    assert_eq!((status, &node["metadata"]["labels"]["role"]), (200, &json!("db")));
    let owner = |one: &serde_json::Value| one["manager"] == "boma";
    assert!(node["metadata"]["managedFields"].as_array().unwrap().iter().any(owner));
    let taints = json!({"spec": {"taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}]}});
    assert_eq!(rig.patch(NODE, MERGE, taints).0, 200);
    let known = &rig.cluster().nodes["node-1"];
    assert_eq!(known.labels["role"], "db");
    assert_eq!((known.taints.len(), known.taints[0].key.as_str()), (1, "a"));
    let less = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}});
    let (status, node) = rig.apply(NODE, "boma", less);
    assert_eq!((status, node["metadata"]["labels"].get("role")), (200, None));
    assert!(node["metadata"]["labels"].get("kubernetes.io/hostname").is_some());
}

#[test]
fn a_provider_id_is_set_once() {
    let mut rig = Rig::new();
    assert_eq!(rig.patch(NODE, MERGE, json!({"spec": {"providerID": "vsphere://1"}})).0, 200);
    let (status, refused) = rig.patch(NODE, MERGE, json!({"spec": {"providerID": "vsphere://2"}}));
    assert_eq!(status, 422);
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("node updates may not change providerID"), "{message}");
}

#[test]
fn nodes_are_listed_with_the_rest() {
    let mut rig = Rig::new();
    let (status, list) = rig.get("/api/v1/nodes?limit=500");
    assert_eq!((status, &list["kind"]), (200, &json!("NodeList")));
    assert_eq!(list["items"][0]["metadata"]["name"], "node-1");
    let (_, cordoned) = rig.patch(NODE, MERGE, json!({"spec": {"unschedulable": true}}));
    assert_eq!(cordoned["spec"]["unschedulable"], true);
    assert!(rig.cluster().nodes["node-1"].taints.is_empty());
}
