//! What tests stage behind everybody's back.

use serde_json::{Value as Json, json};

use super::cluster::{Cluster, Clusters};
use super::effect::{Changed, ClusterEffect, Draft};
use super::ids;
use crate::lab::kubernetes::{Key, StoreEffect};

/// Puts a pod on a node whose disruption budget allows no eviction, so that a drain runs into its
/// timeout.
pub(in crate::lab) fn stick_pod(
    clusters: &Clusters,
    cluster: &str,
    node: &str,
    now_ms: u64,
) -> Vec<ClusterEffect> {
    let Some(cluster) = clusters.get(cluster) else { return Vec::new() };
    let mut draft = Draft::of(cluster);
    let suffix = ids::short(cluster.seed, &[&cluster.id, node], 5);
    let labels = json!({"app": format!("stuck-{suffix}")});
    let selector = json!({"matchLabels": labels});
    let set = put(
        &mut draft,
        ("apps", "replicasets", &format!("stuck-66d5f8b7c-{suffix}")),
        now_ms,
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"labels": labels},
            "spec": {"replicas": 1, "selector": selector, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "lab/model:1"}]},
            }},
        }),
    );
    put(
        &mut draft,
        ("policy", "poddisruptionbudgets", &format!("stuck-{suffix}")),
        now_ms,
        json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {},
            "spec": {"minAvailable": 1, "selector": selector},
        }),
    );
    let owner = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set["metadata"]["name"],
        "uid": set["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }]);
    put(
        &mut draft,
        ("", "pods", &format!("stuck-66d5f8b7c-{suffix}")),
        now_ms,
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"labels": labels, "ownerReferences": owner},
            "spec": {"nodeName": node, "containers": [{"name": "main", "image": "lab/model:1"}]},
            "status": {"phase": "Pending"},
        }),
    );
    draft.effects
}

/// Lets all pods be evicted again.
pub(in crate::lab) fn release_pods(clusters: &Clusters, cluster: &str) -> Vec<ClusterEffect> {
    let Some(cluster) = clusters.get(cluster) else { return Vec::new() };
    let mut draft = Draft::of(cluster);
    for key in budgets(cluster) {
        draft.change(Changed::Object(StoreEffect::Gone(key)));
    }
    draft.effects
}

fn budgets(cluster: &Cluster) -> Vec<Key> {
    let all = cluster.store.list_in("policy", "poddisruptionbudgets", "lab");
    all.map(|(key, _)| key.clone()).collect()
}

/// Puts an object into the namespace `lab`: its group, resource and name.
fn put(
    draft: &mut Draft,
    (group, plural, name): (&str, &str, &str),
    now_ms: u64,
    mut object: Json,
) -> Json {
    let key = Key::new(group, plural, "lab", name);
    let since = now_ms.to_string();
    let cluster = &draft.cluster;
    let id = [cluster.id.as_str(), "staged", &key.to_string(), &since];
    object["metadata"]["uid"] = json!(ids::uuid(cluster.seed, &id));
    object["metadata"]["name"] = json!(name);
    object["metadata"]["namespace"] = json!("lab");
    object["metadata"]["creationTimestamp"] = json!(ids::time(now_ms));
    draft.change(Changed::Object(StoreEffect::put(key, object.clone())));
    object
}
