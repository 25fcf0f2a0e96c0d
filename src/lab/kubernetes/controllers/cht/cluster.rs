//! CouchDB's nodes as one cluster.

use std::collections::BTreeSet;

use super::super::json::text;
use super::super::work::Work;
use super::couchdb::{self, Node, PORT};
use super::scene::{Process, Scene};
use crate::lab::vsphere::Entry;

/// What `/_membership` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    /// Nodes that this one is connected to, itself among them.
    pub all: BTreeSet<String>,
    /// Nodes that are meant to be in the cluster.
    pub cluster: BTreeSet<String>,
}

/// Has coordinators take in the peers that run. Nothing is ever taken out.
pub(in crate::lab::kubernetes::controllers) fn join(work: &mut Work<'_>) {
    let spaces = work.due_namespaces();
    for (key, _) in spaces {
        let entries = joined(&Scene::of(work), &key.name);
        if !entries.is_empty() {
            // What waits for the cluster finds it in the next round.
            work.draft.cluster.unsettled.namespaces.insert(key.name.clone());
        }
        entries.into_iter().for_each(|entry| work.enter(entry));
    }
}

/// The cluster as one of its nodes sees it.
pub(super) fn membership(scene: &Scene<'_>, node: &Node) -> Membership {
    let cluster = node.database.nodes.clone();
    let running = couchdb::nodes(scene, node.process.namespace());
    let connected = running.iter().map(|other| couchdb::name(&other.process));
    let mut all: BTreeSet<String> = connected.filter(|name| cluster.contains(name)).collect();
    all.insert(couchdb::name(&node.process));
    Membership { all, cluster }
}

/// What is written where peers join.
fn joined(scene: &Scene<'_>, namespace: &str) -> Vec<Entry> {
    let mut nodes = couchdb::nodes(scene, namespace);
    let Some(first) = nodes.iter().find(|node| !peers(&node.process).is_empty()) else {
        return Vec::new();
    };
    let env = &first.process.env;
    let (user, password) = (env.get("COUCHDB_USER"), env.get("COUCHDB_PASSWORD"));
    if !first.database.lets_in(user, password) {
        return Vec::new();
    }
    let takes = |peer: &&str| {
        let process = scene.reach(namespace, peer, PORT).ok()?;
        let node = couchdb::node(scene, process)?;
        let fits = node.database.lets_in(user, password);
        fits.then(|| (text(&node.process.pod, "/metadata/name").to_owned(), node.database.nodes))
    };
    let found: Vec<(String, BTreeSet<String>)> =
        peers(&first.process).iter().filter_map(takes).collect();
    let mut names = first.database.nodes.clone();
    found.iter().for_each(|(_, known)| names.extend(known.iter().cloned()));
    let own = text(&first.process.pod, "/metadata/name").to_owned();
    let inside: BTreeSet<String> = found.into_iter().map(|(pod, _)| pod).chain([own]).collect();
    nodes.retain(|node| inside.contains(text(&node.process.pod, "/metadata/name")));
    nodes.iter_mut().for_each(|node| node.database.nodes.clone_from(&names));
    nodes.iter().filter_map(|node| couchdb::keep(scene, node)).collect()
}

/// The peers that a coordinator is told of.
fn peers(process: &Process) -> Vec<&str> {
    let told = process.env.get("CLUSTER_PEER_IPS").split(',');
    told.map(str::trim).filter(|peer| !peer.is_empty()).collect()
}
