//! The only way clusters change.

use serde::{Deserialize, Serialize};

use super::audit::{Audited, Happened};
use super::cluster::{BootstrapToken, Cluster, Clusters, Pace, Snapshot};
use super::ids::Hidden;
use super::member::Member;
use super::node::Node;
use super::unsettled::Reach;
use crate::lab::kubernetes::{StoreEffect, reach};

/// One change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) enum ClusterEffect {
    /// How long things take from now on.
    Pace(Pace),
    /// A cluster is made.
    Begin(Box<BornCluster>),
    /// One cluster changes.
    In { cluster: String, change: Change },
}

impl ClusterEffect {
    /// Whether nodes or members of etcd come, go, start or stop.
    pub(in crate::lab) fn moves_nodes(&self) -> bool {
        use Changed::{Member, NoMember, NoNode, Node};
        match self {
            Self::Begin(_) => true,
            Self::Pace(_) => false,
            Self::In { change, .. } => {
                matches!(change.0, Node(_) | NoNode(_) | Member(_) | NoMember(_))
            }
        }
    }
}

/// A new cluster; its own type, so that nothing outside this folder sees inside.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::lab) struct BornCluster(pub(super) Cluster);

/// One change of one cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) struct Change(pub(in crate::lab) Changed);

/// What changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) enum Changed {
    Node(Box<Node>),
    /// Takes the node's password Secret with it.
    NoNode(String),
    /// The agent on that machine was stopped or has registered again.
    NoStray(String),
    Member(Member),
    NoMember(String),
    Password {
        node: String,
        digest: String,
    },
    Token(Hidden),
    Bootstrap(String, BootstrapToken),
    NoBootstrap(String),
    Snapshot(Snapshot),
    NoSnapshot(String),
    Critical(std::collections::BTreeMap<String, String>),
    Etcd,
    Audit(Audited),
    Object(StoreEffect),
}

impl Clusters {
    /// Carries out one effect. The same effects in the same order always give the same clusters.
    pub(in crate::lab) fn apply(&mut self, effect: &ClusterEffect) {
        match effect {
            ClusterEffect::Pace(pace) => self.pace = *pace,
            ClusterEffect::Begin(born) => {
                self.all.insert(born.0.id.clone(), born.0.clone());
            }
            ClusterEffect::In { cluster, change } => {
                if let Some(cluster) = self.all.get_mut(cluster) {
                    cluster.change(&change.0);
                }
            }
        }
    }
}

impl Cluster {
    fn change(&mut self, change: &Changed) {
        self.revision += 1;
        self.unsettled.add(match change {
            Changed::Object(effect) => reach(&self.store, effect),
            _ => Reach::Everywhere,
        });
        match change {
            Changed::Node(node) => {
                let node = Node { revision: self.revision, ..(**node).clone() };
                self.strays.remove(&node.host);
                self.nodes.insert(node.name.clone(), node);
            }
            Changed::NoNode(name) => {
                let gone = self.nodes.remove(name);
                self.strays
                    .extend(gone.filter(|node| node.running && !node.server).map(|node| node.host));
                self.passwords.remove(name);
            }
            Changed::NoStray(host) => {
                self.strays.remove(host);
            }
            Changed::Member(member) => {
                self.members.insert(member.node.clone(), member.clone());
            }
            Changed::NoMember(node) => {
                self.members.remove(node);
            }
            Changed::Password { node, digest } => {
                self.passwords.insert(node.clone(), digest.clone());
            }
            Changed::Token(token) => self.token = token.clone(),
            Changed::Bootstrap(id, token) => {
                self.bootstrap.insert(id.clone(), token.clone());
            }
            Changed::NoBootstrap(id) => {
                self.bootstrap.remove(id);
            }
            Changed::Snapshot(snapshot) => self.snapshots.push(snapshot.clone()),
            Changed::NoSnapshot(name) => self.snapshots.retain(|one| &one.name != name),
            Changed::Critical(flags) => self.critical.clone_from(flags),
            Changed::Etcd => self.etcd = true,
            Changed::Audit(audited) => self.audit.push(audited.clone()),
            Changed::Object(effect) => self.store.apply(effect, self.revision),
        }
    }
}

/// A cluster that is being changed, together with the effects so far.
pub(in crate::lab) struct Draft {
    pub cluster: Cluster,
    pub effects: Vec<ClusterEffect>,
}

impl Draft {
    /// Begins with a cluster that stands.
    pub(in crate::lab) fn of(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), effects: Vec::new() }
    }

    /// Goes on with a cluster in place: what the caller gets back in `cluster` is changed already.
    pub(in crate::lab) fn on(cluster: Cluster) -> Self {
        Self { cluster, effects: Vec::new() }
    }

    /// Begins with a new cluster.
    pub(super) fn born(cluster: Cluster) -> Self {
        let born = ClusterEffect::Begin(Box::new(BornCluster(cluster.clone())));
        Self { cluster, effects: vec![born] }
    }

    /// Carries out one change here, and remembers it.
    pub(in crate::lab) fn change(&mut self, change: Changed) {
        self.cluster.change(&change);
        let cluster = self.cluster.id.clone();
        self.effects.push(ClusterEffect::In { cluster, change: Change(change) });
    }

    pub(super) fn note(&mut self, at_ms: u64, node: &str, what: Happened) {
        self.change(Changed::Audit(Audited { at_ms, node: node.to_owned(), what }));
    }
}
