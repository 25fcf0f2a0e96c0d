//! Clusters as data, and what can be asked of one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::audit::Audited;
use super::ids::{self, Hidden};
use super::member::Member;
use super::node::Node;
use super::unsettled::Unsettled;
use crate::lab::kubernetes::Store;

/// All clusters there ever were, by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::lab) struct Clusters {
    pub(in crate::lab) all: BTreeMap<String, Cluster>,
    pub(super) pace: Pace,
}

impl Clusters {
    /// How long things take in them.
    pub(in crate::lab) fn pace(&self) -> Pace {
        self.pace
    }
}

/// How long things take that a real cluster does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Pace {
    /// From joining to being a voter. A server that joins meanwhile is refused.
    pub promote_ms: u64,
    /// From starting to Ready.
    pub ready_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { promote_ms: 400, ready_ms: 200 }
    }
}

/// One cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) struct Cluster {
    pub id: String,
    pub seed: u64,
    /// The certificate that `/cacerts` gives, in PEM.
    pub ca: String,
    /// The password of the server token, without the K10 form.
    pub token: Hidden,
    /// `None` where agents use the server token.
    pub agent_token: Option<Hidden>,
    /// Whether it was made with `cluster-init`. One that was not has one server for ever.
    pub etcd: bool,
    /// Critical flags by name, as the first server set them.
    pub critical: BTreeMap<String, String>,
    /// By node name.
    pub members: BTreeMap<String, Member>,
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// Digests of node passwords, by node name: the Secrets `<name>.node-password.k3s`.
    pub passwords: BTreeMap<String, String>,
    /// Machines whose k3s agent runs although somebody deleted its Node: it does not register again
    /// before it is restarted.
    pub strays: BTreeSet<String>,
    pub snapshots: Vec<Snapshot>,
    /// Bootstrap tokens by id.
    pub bootstrap: BTreeMap<String, BootstrapToken>,
    pub audit: Vec<Audited>,
    /// All objects of the API but Nodes.
    #[serde(default)]
    pub store: Store,
    /// Counts changes; the source of resource versions.
    pub revision: u64,
    /// What its controllers have not seen yet.
    #[serde(skip)]
    pub unsettled: Unsettled,
}

/// An etcd snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Snapshot {
    /// The name it was asked for by, the node and the second.
    pub name: String,
    pub node: String,
    pub at_ms: u64,
    pub size: u64,
}

/// A token with an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct BootstrapToken {
    pub secret: Hidden,
    pub expires_ms: u64,
    pub description: String,
}

impl Cluster {
    /// What the K10 form of a token carries: SHA-256 of the CA's PEM.
    pub(in crate::lab) fn ca_hash(&self) -> String {
        ids::sha256(&self.ca)
    }

    /// The password that agents join with.
    pub(super) fn agent_password(&self) -> &str {
        &self.agent_token.as_ref().unwrap_or(&self.token).0
    }

    /// Voters, running or not.
    pub(super) fn voters(&self, now_ms: u64) -> usize {
        self.members.values().filter(|member| member.is_voter(now_ms)).count()
    }

    /// Voters that run.
    pub(super) fn voters_up(&self, now_ms: u64) -> usize {
        self.members.values().filter(|member| member.up && member.is_voter(now_ms)).count()
    }

    /// How many voters must run.
    pub(super) fn quorum(&self, now_ms: u64) -> usize {
        self.voters(now_ms) / 2 + 1
    }

    /// Whether the API answers, on the servers that run.
    pub(in crate::lab) fn answers(&self, now_ms: u64) -> bool {
        let stored = !self.etcd || self.voters_up(now_ms) >= self.quorum(now_ms);
        stored && self.servers_up().next().is_some()
    }

    /// When its first server came, of those that are left.
    pub(in crate::lab) fn born_ms(&self) -> u64 {
        self.servers().map(|node| node.born_ms).min().unwrap_or(0)
    }

    pub(in crate::lab) fn servers(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(|node| node.server)
    }

    pub(in crate::lab) fn servers_up(&self) -> impl Iterator<Item = &Node> {
        self.servers().filter(|node| node.running)
    }

    /// The newest version among the servers that run.
    pub(in crate::lab) fn version(&self) -> &str {
        let newest =
            self.servers_up().max_by_key(|node| super::version::Version::read(&node.version));
        newest.map_or("v0.0.0+k3s0", |node| node.version.as_str())
    }
}

impl Clusters {
    pub(in crate::lab) fn get(&self, id: &str) -> Option<&Cluster> {
        self.all.get(id)
    }

    /// The cluster whose running server answers for an address or a name.
    pub(super) fn behind(&self, name: &str) -> Option<(&Cluster, &Node)> {
        let answers = |node: &&Node| node.answers_for(name);
        self.all.values().find_map(|cluster| Some((cluster, cluster.servers_up().find(answers)?)))
    }
}
