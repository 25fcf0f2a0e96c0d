//! Objects as the API shows and stores them: those of the store, and Nodes.
//!
//! A Node's own things are the cluster's (`lab/k3s`); the store holds beside it what the model of
//! nodes has no place for: owners of fields, finalizers, parts of the status.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::key::Key;
use super::store::StoreEffect;
use crate::lab::k3s::{Changed, Cluster, Node, Taint};

/// Taints that controllers put on nodes and that are never stored.
const COMPUTED: [&str; 3] = [
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/not-ready",
];

pub(super) fn is_node(key: &Key) -> bool {
    key.group.is_empty() && key.plural == "nodes"
}

/// One object.
pub(super) fn object(cluster: &Cluster, key: &Key, now_ms: u64) -> Option<Arc<Json>> {
    if is_node(key) {
        return cluster.nodes.get(&key.name).map(|node| node_object(cluster, node, now_ms));
    }
    cluster.store.get(key).cloned()
}

/// The objects of a resource, in one namespace or in all, by namespace and name.
pub(super) fn objects(
    cluster: &Cluster,
    group: &str,
    plural: &str,
    namespace: &str,
    now_ms: u64,
) -> Vec<(Key, Arc<Json>)> {
    if group.is_empty() && plural == "nodes" {
        let key = |name: &str| Key::new("", "nodes", "", name);
        let nodes = cluster.nodes.values();
        return nodes.map(|node| (key(&node.name), node_object(cluster, node, now_ms))).collect();
    }
    let own = |(key, object): (&Key, &Arc<Json>)| (key.clone(), Arc::clone(object));
    if namespace.is_empty() {
        cluster.store.list(group, plural).map(own).collect()
    } else {
        cluster.store.list_in(group, plural, namespace).map(own).collect()
    }
}

fn node_object(cluster: &Cluster, node: &Node, now_ms: u64) -> Arc<Json> {
    let mut object = node.to_json(cluster, now_ms);
    let Some(beside) = beside(cluster, node) else { return Arc::new(object) };
    for field in ["managedFields", "deletionTimestamp"] {
        if let Some(value) = beside["metadata"].get(field) {
            object["metadata"][field] = value.clone();
        }
    }
    for (field, value) in beside["status"].as_object().into_iter().flatten() {
        object["status"][field] = value.clone();
    }
    let revision =
        beside["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
    let revision = revision.unwrap_or(0).max(node.revision);
    object["metadata"]["resourceVersion"] = json!(revision.to_string());
    Arc::new(object)
}

/// What the store holds beside a Node; that of an earlier Node of the same name counts for nothing.
fn beside<'a>(cluster: &'a Cluster, node: &Node) -> Option<&'a Arc<Json>> {
    let found = cluster.store.get(&Key::new("", "nodes", "", &node.name))?;
    (found["metadata"]["uid"] == node.uid.as_str()).then_some(found)
}

/// The changes that store an object.
pub(super) fn put(cluster: &Cluster, key: &Key, object: Json) -> Vec<Changed> {
    if !is_node(key) {
        return vec![Changed::Object(StoreEffect::put(key.clone(), object))];
    }
    let Some(node) = cluster.nodes.get(&key.name) else { return Vec::new() };
    let written = node_of(node, &object);
    let mut changes = Vec::new();
    if written != *node {
        changes.push(Changed::Node(Box::new(written)));
    }
    let status = beside(cluster, node).map_or_else(|| json!({}), |beside| beside["status"].clone());
    let mut beside = json!({"metadata": {"name": node.name, "uid": node.uid}, "status": status});
    for field in ["managedFields", "deletionTimestamp", "finalizers"] {
        if let Some(value) = object["metadata"].get(field) {
            beside["metadata"][field] = value.clone();
        }
    }
    changes.push(Changed::Object(StoreEffect::put(key.clone(), beside)));
    changes
}

fn node_of(node: &Node, object: &Json) -> Node {
    let texts = |value: &Json| {
        let pairs = value.as_object().into_iter().flatten();
        pairs
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect()
    };
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let taints = object["spec"]["taints"].as_array().into_iter().flatten();
    let taints = taints
        .map(|taint| Taint {
            key: text(&taint["key"]),
            value: text(&taint["value"]),
            effect: text(&taint["effect"]),
        })
        .filter(|taint| !COMPUTED.contains(&taint.key.as_str()));
    Node {
        labels: texts(&object["metadata"]["labels"]),
        annotations: texts(&object["metadata"]["annotations"]),
        taints: taints.collect(),
        unschedulable: object["spec"]["unschedulable"] == true,
        provider_id: text(&object["spec"]["providerID"]),
        ..node.clone()
    }
}
