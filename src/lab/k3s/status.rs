//! Clusters from outside, for tests and for `boma lab`.

use serde::{Deserialize, Serialize};

use super::audit::{Audited, Happened};
use super::cluster::{Cluster, Clusters};
use super::node::Node;
use crate::lab::kubernetes::{movable, workloads};

/// One cluster, and what was done to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// Its id in the lab.
    pub id: String,
    /// Whether its API answers.
    pub answers: bool,
    /// SHA-256 of its CA certificate, as in the K10 form of tokens.
    pub ca_hash: String,
    /// By name.
    pub nodes: Vec<NodeStatus>,
    /// Every time k3s on a node was stopped, restarted, or lost with its machine, in that order.
    pub restarts: Vec<Restarted>,
    /// Moments at which two or more servers were down.
    pub together_down: Vec<TogetherDown>,
    /// Upgrades that left out a minor; k3s itself lets them pass.
    pub skipped_minors: Vec<SkippedMinor>,
    /// Everything that happened, one line each, in that order: `1795380375000 agent-1 Drained`.
    pub history: Vec<String>,
    /// Names of etcd snapshots, oldest first.
    pub snapshots: Vec<String>,
    /// Its workloads, by namespace.
    #[serde(default)]
    pub workloads: Vec<WorkloadStatus>,
}

/// What Deployments, DaemonSets and Jobs of a namespace want and have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadStatus {
    /// The namespace.
    pub namespace: String,
    /// Pods that they want.
    pub desired: usize,
    /// Pods that are ready, or have ended well where they are to end.
    pub ready: usize,
    /// Pods that do not run, with the reason: `db-5: ImagePullBackOff`.
    pub waiting: Vec<String>,
}

/// One Node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// `server` or `agent`.
    pub role: String,
    /// Whether it is Ready.
    pub ready: bool,
    /// Whether it is cordoned.
    pub cordoned: bool,
    /// k3s's version.
    pub version: String,
    /// `spec.providerID`; empty where it has none.
    pub provider_id: String,
    /// `voter`, `learner`, or empty where it is no etcd member.
    pub member: String,
    /// Pods on it that are not of a DaemonSet.
    pub pods: usize,
}

/// One stop of k3s on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarted {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The node.
    pub node: String,
    /// `server` or `agent`.
    pub role: String,
    /// Whether it was cordoned before.
    pub cordoned: bool,
    /// Pods that a drain would have moved away.
    pub pods_left: usize,
    /// Voters of etcd, running or not.
    pub voters: usize,
    /// Voters that were still up afterwards.
    pub voters_up: usize,
}

/// A moment at which several servers were down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TogetherDown {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The servers.
    pub servers: Vec<String>,
}

/// An upgrade that left out a minor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedMinor {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The node.
    pub node: String,
    /// The version before.
    pub from: String,
    /// The version after.
    pub to: String,
}

impl Restarted {
    /// Whether somebody had cordoned and drained the node first.
    pub fn was_drained(&self) -> bool {
        self.cordoned && self.pods_left == 0
    }
}

/// All clusters, by id.
pub(in crate::lab) fn status(clusters: &Clusters, now_ms: u64) -> Vec<ClusterStatus> {
    clusters.all.values().map(|cluster| one(cluster, now_ms)).collect()
}

fn one(cluster: &Cluster, now_ms: u64) -> ClusterStatus {
    let mut status = ClusterStatus {
        id: cluster.id.clone(),
        answers: cluster.answers(now_ms),
        ca_hash: cluster.ca_hash(),
        nodes: cluster.nodes.values().map(|node| of_node(cluster, node, now_ms)).collect(),
        workloads: workloads(cluster),
        snapshots: cluster.snapshots.iter().map(|snapshot| snapshot.name.clone()).collect(),
        ..ClusterStatus::default()
    };
    cluster.audit.iter().for_each(|audited| add(&mut status, audited));
    status
}

fn of_node(cluster: &Cluster, node: &Node, now_ms: u64) -> NodeStatus {
    let member = cluster.members.get(&node.name).map(|member| member.is_voter(now_ms));
    NodeStatus {
        name: node.name.clone(),
        role: role(node.server),
        ready: node.is_ready(now_ms),
        cordoned: node.unschedulable,
        version: node.version.clone(),
        provider_id: node.provider_id.clone(),
        member: member.map_or("", |voter| if voter { "voter" } else { "learner" }).to_owned(),
        pods: movable(cluster, &node.name),
    }
}

fn add(status: &mut ClusterStatus, audited: &Audited) {
    let (at_ms, node) = (audited.at_ms, audited.node.clone());
    status.history.push(format!("{at_ms} {node} {:?}", audited.what));
    match &audited.what {
        Happened::Stopped { server, cordoned, pods_left, voters, voters_up, servers_down } => {
            if *server && servers_down.len() > 1 {
                let servers = servers_down.clone();
                status.together_down.push(TogetherDown { at_ms, servers });
            }
            status.restarts.push(Restarted {
                at_ms,
                node,
                role: role(*server),
                cordoned: *cordoned,
                pods_left: *pods_left,
                voters: *voters,
                voters_up: *voters_up,
            });
        }
        Happened::SkippedMinor { from, to } => {
            let (from, to) = (from.clone(), to.clone());
            status.skipped_minors.push(SkippedMinor { at_ms, node, from, to });
        }
        _ => {}
    }
}

fn role(server: bool) -> String {
    if server { "server" } else { "agent" }.to_owned()
}
