//! What tests stage behind everybody's back.

use super::cluster::Clusters;
use super::effect::{Changed, ClusterEffect, Draft};
use super::ids;
use super::pod::{Owner, Pod};

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
    draft.change(Changed::Pod(Pod {
        namespace: "lab".to_owned(),
        name: format!("stuck-66d5f8b7c-{}", ids::short(cluster.seed, &[&cluster.id, node], 5)),
        node: Some(node.to_owned()),
        owner: Owner::ReplicaSet,
        empty_dir: false,
        stuck: true,
        born_ms: now_ms,
    }));
    draft.effects
}

/// Lets all pods be evicted again.
pub(in crate::lab) fn release_pods(clusters: &Clusters, cluster: &str) -> Vec<ClusterEffect> {
    let Some(cluster) = clusters.get(cluster) else { return Vec::new() };
    let mut draft = Draft::of(cluster);
    for pod in cluster.pods.values().filter(|pod| pod.stuck) {
        draft.change(Changed::Pod(Pod { stuck: false, ..pod.clone() }));
    }
    draft.effects
}
