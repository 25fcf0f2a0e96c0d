//! Stopping k3s, or losing its machine.

use super::audit::Happened;
use super::cluster::{Cluster, Clusters};
use super::effect::{Changed, ClusterEffect, Draft};
use super::member::Member;
use super::node::Node;
use crate::lab::kubernetes::movable;

/// What it does to clusters that k3s on that machine is no longer there, for whatever reason. Its
/// node is not Ready and its etcd member is down. Nothing where k3s did not run.
pub(in crate::lab) fn stopped(clusters: &Clusters, host: &str, now_ms: u64) -> Vec<ClusterEffect> {
    clusters.all.values().flat_map(|cluster| in_one(cluster, host, now_ms)).collect()
}

/// Whether k3s on that machine goes on running by itself. A server whose Node was deleted is no
/// member of etcd any more and ends.
pub(in crate::lab) fn runs(clusters: &Clusters, host: &str) -> bool {
    clusters.all.values().any(|cluster| {
        cluster.nodes.values().any(|node| node.host == host && node.running)
            || cluster.members.values().any(|member| member.host == host && member.up)
            || cluster.strays.contains(host)
    })
}

fn in_one(cluster: &Cluster, host: &str, now_ms: u64) -> Vec<ClusterEffect> {
    let mut draft = Draft::of(cluster);
    if cluster.strays.contains(host) {
        draft.change(Changed::NoStray(host.to_owned()));
    }
    let members = cluster.members.values().filter(|member| member.host == host && member.up);
    for member in members {
        let voter_from_ms = member.voter_from_ms.filter(|from_ms| *from_ms <= now_ms);
        draft.change(Changed::Member(Member { up: false, voter_from_ms, ..member.clone() }));
    }
    for node in cluster.nodes.values().filter(|node| node.host == host && node.running) {
        let stopped = Node { running: false, since_ms: now_ms, ..node.clone() };
        draft.change(Changed::Node(Box::new(stopped)));
        let down = draft.cluster.servers().filter(|node| !node.running);
        let what = Happened::Stopped {
            server: node.server,
            cordoned: node.unschedulable,
            pods_left: movable(cluster, &node.name),
            voters: draft.cluster.voters(now_ms),
            voters_up: draft.cluster.voters_up(now_ms),
            servers_down: down.map(|node| node.name.clone()).collect(),
        };
        draft.note(now_ms, &node.name, what);
    }
    draft.effects
}
