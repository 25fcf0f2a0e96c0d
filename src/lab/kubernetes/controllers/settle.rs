//! Everything that moves, until it stands still.

use super::work::Work;
use super::{
    addons, attach, cloud, csi, csi_node, custom, daemon, deployment, drains, founding, garbage,
    job, kubelet, namespace, provision, replicas, sample, scheduler, service, site::Site, snapshot,
    volume,
};
use crate::lab::k3s::{Cluster, ClusterEffect};
use crate::lab::vsphere::{Entry, World};

/// What settling a cluster came to.
#[derive(Default)]
pub(in crate::lab) struct Settled {
    pub clusters: Vec<ClusterEffect>,
    pub vsphere: Vec<Entry>,
    /// When something changes by the passing of time alone.
    pub due_ms: Option<u64>,
}

/// Rounds after which something must be wrong with the controllers themselves. A rollout of n pods
/// one by one takes about 2n.
const ROUNDS_MAX: usize = 1000;

/// In the order in which one's work is the next one's cause.
const CONTROLLERS: &[fn(&mut Work<'_>)] = &[
    founding::found,
    addons::deploy,
    sample::deploy,
    custom::establish,
    namespace::serve,
    deployment::run,
    daemon::run,
    job::run,
    replicas::run,
    service::run,
    volume::run,
    provision::run,
    scheduler::run,
    attach::run,
    kubelet::run,
    cloud::run,
    csi::run,
    csi_node::run,
    snapshot::run,
    drains::budgets,
    garbage::run,
];

/// Runs a cluster's controllers until nothing changes. Nothing happens while its API does not
/// answer.
pub(in crate::lab) fn settle(
    cluster: &Cluster,
    world: &World,
    site: &Site,
    now_ms: u64,
) -> Settled {
    let mut settled = Settled::default();
    if !cluster.answers(now_ms) {
        return settled;
    }
    let mut work = Work::new(cluster, world, site, now_ms);
    let starting = cluster.nodes.values().filter(|node| node.running);
    starting.for_each(|node| work.wake(node.ready_from_ms));
    for _ in 0..ROUNDS_MAX {
        let before = (work.draft.effects.len(), work.entries.len());
        CONTROLLERS.iter().for_each(|run| run(&mut work));
        if before == (work.draft.effects.len(), work.entries.len()) {
            break;
        }
    }
    settled.clusters = work.draft.effects;
    settled.vsphere = work.entries;
    settled.due_ms = work.due_ms;
    settled
}
