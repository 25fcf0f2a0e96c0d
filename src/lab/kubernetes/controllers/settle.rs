//! Everything that moves, until it stands still.

use super::work::Work;
use super::{
    addons, attach, cht, cloud, csi, csi_node, custom, daemon, deployment, drains, founding,
    garbage, job, kubelet, namespace, provision, quota, replicas, sample, scheduler, service,
    site::Site, snapshot, stateful, volume,
};
use crate::lab::k3s::{Cluster, ClusterEffect, Draft};
use crate::lab::vsphere::{Entry, World};

use Controller::{Always, Central};

/// What settling a cluster came to.
pub(in crate::lab) struct Settled {
    /// As it is now: all of `effects` has happened to it.
    pub cluster: Cluster,
    pub effects: Vec<ClusterEffect>,
    pub vsphere: Vec<Entry>,
    /// When something changes by the passing of time alone, among what was looked at.
    pub due_ms: Option<u64>,
}

/// One controller, and when it runs.
enum Controller {
    Always(fn(&mut Work<'_>)),
    /// Only where the round is about everything: what it reads and writes belongs to no project.
    Central(fn(&mut Work<'_>)),
}

/// Rounds after which something must be wrong with the controllers themselves. A rollout of n pods
/// one by one takes about 2n.
const ROUNDS_MAX: usize = 1000;

/// In the order in which one's work is the next one's cause.
const CONTROLLERS: &[Controller] = &[
    Always(founding::found),
    Central(addons::deploy),
    Always(sample::deploy),
    Always(custom::establish),
    Always(namespace::serve),
    Always(deployment::run),
    Always(daemon::run),
    Always(stateful::run),
    Always(job::run),
    Always(replicas::run),
    Always(service::run),
    Always(volume::run),
    Always(provision::run),
    Always(scheduler::run),
    Always(attach::run),
    Always(kubelet::run),
    Always(cht::join),
    Central(cloud::run),
    Central(csi::run),
    Central(csi_node::run),
    Always(snapshot::run),
    Always(drains::budgets),
    Always(garbage::run),
    Always(quota::run),
];

/// Runs a cluster's controllers until nothing changes, beginning with what has changed since they
/// last ran. Nothing happens while its API does not answer.
pub(in crate::lab) fn settle(cluster: Cluster, world: &World, site: &Site, now_ms: u64) -> Settled {
    let mut work = Work::new(cluster, world, site, now_ms);
    if work.cluster().answers(now_ms) {
        let nodes = work.cluster().nodes.values().filter(|node| node.running);
        let starts: Vec<u64> = nodes.map(|node| node.ready_from_ms).collect();
        starts.into_iter().for_each(|at_ms| work.wake(at_ms));
        let mut rounds = 0;
        while rounds < ROUNDS_MAX && work.advance() {
            for controller in CONTROLLERS {
                match controller {
                    Always(run) => run(&mut work),
                    Central(run) if work.scope.everywhere => run(&mut work),
                    Central(_) => {}
                }
            }
            rounds += 1;
        }
    }
    let Draft { cluster, effects } = work.draft;
    Settled { cluster, effects, vsphere: work.entries, due_ms: work.due_ms }
}
