//! A few pods, so that a drain has something to do.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::ids;

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Pod {
    pub namespace: String,
    pub name: String,
    /// `None` while it is pending.
    pub node: Option<String>,
    pub owner: Owner,
    /// Whether it has an `emptyDir`, which a drain must be allowed to lose.
    pub empty_dir: bool,
    /// Whether its disruption budget allows no eviction.
    pub stuck: bool,
    pub born_ms: u64,
}

/// Who makes the pod again when it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) enum Owner {
    DaemonSet,
    ReplicaSet,
}

impl Pod {
    /// `kube-system/svclb-traefik-1a2b3c`.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    pub(super) fn is_daemon(&self) -> bool {
        self.owner == Owner::DaemonSet
    }

    /// The pods that come with a new node: one of a DaemonSet, and on an agent two that a drain
    /// moves away, of which one has an `emptyDir` as k3s's own metrics-server has.
    pub(super) fn of_node(cluster: &Cluster, node: &str, agent: bool, now_ms: u64) -> Vec<Self> {
        let pod = |namespace: &str, base: &str, owner, empty_dir| Self {
            namespace: namespace.to_owned(),
            name: format!("{base}-{}", ids::short(cluster.seed, &[&cluster.id, base, node], 5)),
            node: Some(node.to_owned()),
            owner,
            empty_dir,
            stuck: false,
            born_ms: now_ms,
        };
        let mut pods = vec![pod("kube-system", "svclb-traefik-6d9c1f2a", Owner::DaemonSet, false)];
        if agent {
            pods.push(pod("lab", "web-7c5ddbdf54", Owner::ReplicaSet, false));
            pods.push(pod("lab", "cache-5b8f9d6c7d", Owner::ReplicaSet, true));
        }
        pods
    }

    /// The pod as the API shows it.
    pub(super) fn to_json(&self, cluster: &Cluster) -> Value {
        let kind = if self.is_daemon() { "DaemonSet" } else { "ReplicaSet" };
        let owner = self.name.rsplit_once('-').map_or(self.name.as_str(), |(owner, _)| owner);
        let volumes =
            if self.empty_dir { json!([{"name": "tmp", "emptyDir": {}}]) } else { json!([]) };
        let mut spec =
            json!({"containers": [{"name": "main", "image": "lab/model:1"}], "volumes": volumes});
        if let Some(node) = &self.node {
            spec["nodeName"] = json!(node);
        }
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "uid": ids::uuid(cluster.seed, &[&cluster.id, "pod", &self.key()]),
                "creationTimestamp": ids::time(self.born_ms),
                "ownerReferences": [{
                    "apiVersion": "apps/v1",
                    "kind": kind,
                    "name": owner,
                    "uid": ids::uuid(cluster.seed, &[&cluster.id, kind, owner]),
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            },
            "spec": spec,
            "status": {"phase": if self.node.is_some() { "Running" } else { "Pending" }},
        })
    }
}
