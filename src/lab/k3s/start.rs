//! Starting k3s on a host.

use std::collections::BTreeMap;

use super::agent;
use super::arguments::Arguments;
use super::cluster::Clusters;
use super::effect::ClusterEffect;
use super::journal;
use super::{join, restart, stop};

/// What k3s runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lab) enum Role {
    Server,
    Agent,
}

/// One start of k3s, with everything that it finds on its host.
pub(in crate::lab) struct Start<'a> {
    /// The machine's name in the vCenter.
    pub host: &'a str,
    pub hostname: &'a str,
    pub address: &'a str,
    /// The BIOS UUID, as the guest sees it.
    pub machine_uuid: &'a str,
    /// `/etc/machine-id`.
    pub machine_id: &'a str,
    pub role: Role,
    /// The version of the Docker Engine that runs; `None` where none does.
    pub docker: Option<&'a str>,
    /// `v1.35.9+k3s1`: the binary's.
    pub version: &'a str,
    /// Effective arguments by name without dashes, from unit, environment, config.yaml and
    /// drop-ins; a flag has the value `true`. The contents of token files stand under `token` and
    /// `agent-token`.
    pub arguments: &'a BTreeMap<String, Vec<String>>,
    /// The cluster whose data lies in the data directory.
    pub data: Option<&'a str>,
    /// `/etc/rancher/node/password`.
    pub node_password: &'a str,
    /// Whether packets to an address arrive.
    pub can_reach: &'a dyn Fn(&str) -> bool,
    pub now_ms: u64,
}

/// A start that went well.
#[derive(Clone)]
pub(in crate::lab) struct Started {
    pub effects: Vec<ClusterEffect>,
    /// The cluster whose data now lies in the data directory.
    pub data: String,
    /// Files that k3s wrote: path, content, mode.
    pub files: Vec<(String, String, u32)>,
    /// Lines for the journal.
    pub journal: Vec<String>,
}

/// Without the files: tokens are among them.
impl std::fmt::Debug for Started {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = out.debug_struct("Started");
        out.field("data", &self.data).field("effects", &self.effects).finish_non_exhaustive()
    }
}

/// A start that k3s gave up, or goes on trying.
#[derive(Clone, Debug)]
pub(in crate::lab) struct Refused {
    /// Lines for the journal, as k3s writes them.
    pub journal: Vec<String>,
    /// Whether a later try may go well though nothing changes on this host. systemd tries again
    /// every five seconds in either case.
    pub retries: bool,
    /// To be carried out although k3s is not up: an etcd member that waits for its quorum runs, and
    /// counts for the others.
    pub effects: Vec<ClusterEffect>,
}

/// Starts k3s, or restarts it where it runs. Everything drawn comes from the seed.
pub(in crate::lab) fn start(
    clusters: &Clusters,
    start: &Start<'_>,
    seed: u64,
) -> Result<Started, Refused> {
    let arguments = Arguments(start.arguments);
    let before = stop::stopped(clusters, start.host, start.now_ms);
    let mut clusters = clusters.clone();
    before.iter().for_each(|effect| clusters.apply(effect));
    let outcome = match (arguments.check(), start.role) {
        (Err(message), _) => Err(Refused::for_good(journal::fatal(start.now_ms, &message))),
        (Ok(()), Role::Agent) => agent::start(&clusters, start),
        (Ok(()), Role::Server) => match start.data {
            Some(data) => restart::start(&clusters, start, data),
            None if arguments.text("server").is_some() => join::start(&clusters, start),
            None => join::begin(&clusters, start, seed),
        },
    };
    let joined = |after: Vec<ClusterEffect>| before.into_iter().chain(after).collect();
    match outcome {
        Ok(started) => Ok(Started { effects: joined(started.effects), ..started }),
        Err(refused) => Err(Refused { effects: joined(refused.effects), ..refused }),
    }
}

impl Refused {
    /// Something on the host must change first.
    pub(super) fn for_good(line: String) -> Self {
        Self { journal: vec![line], retries: false, effects: Vec::new() }
    }

    /// It may go well later.
    pub(super) fn for_now(line: String) -> Self {
        Self { journal: vec![line], retries: true, effects: Vec::new() }
    }
}
