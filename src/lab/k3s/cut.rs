//! Nodes that run and are cut off: a host in between lets nothing through.

use super::cluster::{Cluster, Clusters};
use super::effect::{Changed, ClusterEffect, Draft};
use super::node::Node;

/// The port of etcd's members among themselves.
const PEERS: u16 = 2380;
/// The API's port.
const API: u16 = 6443;

/// Whether a TCP connection from an address to a port of another one would be made.
pub(in crate::lab) type Reaches<'a> = dyn Fn(&str, &str, u16) -> bool + 'a;

/// What firewalls and hosts that are dead do to nodes: a kubelet renews its lease at a server that
/// it reaches, and a server's own stores it with the members of etcd that it meets.
pub(in crate::lab) fn cut_off(
    clusters: &Clusters,
    reaches: &Reaches<'_>,
    now_ms: u64,
) -> Vec<ClusterEffect> {
    clusters.all.values().flat_map(|cluster| in_one(cluster, reaches, now_ms)).collect()
}

fn in_one(cluster: &Cluster, reaches: &Reaches<'_>, now_ms: u64) -> Vec<ClusterEffect> {
    let serving: Vec<&Node> =
        cluster.servers_up().filter(|server| stores(cluster, server, reaches, now_ms)).collect();
    let is_cut = |node: &Node| match node.server {
        true => !serving.iter().any(|server| server.name == node.name),
        false => !serving.iter().any(|server| reaches(&node.address, &server.address, API)),
    };
    let mut draft = Draft::of(cluster);
    for node in cluster.nodes.values().filter(|node| node.running) {
        let cut = is_cut(node);
        if cut != node.cut {
            let since_ms = if cut { now_ms } else { node.since_ms };
            draft.change(Changed::Node(Box::new(Node { cut, since_ms, ..node.clone() })));
        }
    }
    draft.effects
}

/// Whether a server's own API server stores anything: it meets enough voters, itself included.
fn stores(cluster: &Cluster, server: &Node, reaches: &Reaches<'_>, now_ms: u64) -> bool {
    let meets = |address: &str| {
        reaches(&server.address, address, PEERS) && reaches(address, &server.address, PEERS)
    };
    let voters = cluster.members.values().filter(|member| member.up && member.is_voter(now_ms));
    !cluster.etcd || voters.filter(|voter| meets(&voter.address)).count() >= cluster.quorum(now_ms)
}
