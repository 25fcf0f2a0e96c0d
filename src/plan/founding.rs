//! How k3s servers without data come up: one cluster, never a second one.

use serde_json::Value as Json;

use super::node_steps::Entry;
use super::planner::Planner;
use super::{Action, BlockCause};
use crate::resource::{Address, EdgeKind, Lifecycle, Reading, Resource};

impl Planner<'_> {
    /// How a node that is made enters the cluster.
    ///
    /// The first server that the spec names begins one, and only where no server that answers has
    /// data; every other one joins.
    pub(super) fn entry(&self, resource: &Resource) -> Entry {
        let begins = self.is_founder(resource) && self.members().next().is_none();
        if begins { Entry::Begin } else { Entry::Join }
    }

    /// Why a node cannot be made now. `None` where it can.
    pub(super) fn unenterable(&self, resource: &Resource, action: Action) -> Option<BlockCause> {
        let makes = matches!(action, Action::Create | Action::Replace);
        if !resource.kind.lifecycle.is_node() || !makes {
            return None;
        }
        let refused =
            |message: String, help: &str| Some(BlockCause::Refused { message, help: help.into() });
        let is_server = resource.kind.lifecycle == Lifecycle::Server;
        let silent = self.servers().find(|server| self.is_unread(&server.address));
        if let Some(silent) = silent.filter(|_| is_server) {
            return refused(
                format!(
                    "{} did not answer, and a server is only made where all do",
                    silent.address
                ),
                "bring that machine back, or take it out of the spec, and plan again",
            );
        }
        let other = self.members().find(|member| **member != resource.address);
        if action == Action::Replace && is_server && other.is_none() {
            return refused(
                "no other server has the cluster's data, so it is not made anew".into(),
                "add servers first",
            );
        }
        if self.members().next().is_none() && self.is_lost() {
            return refused(
                "the state knows a cluster, and no server has its data: an empty one would take its place".into(),
                "restore a snapshot of etcd; to begin an empty cluster instead, take the servers out of the state (`boma state rm`)",
            );
        }
        None
    }

    /// Whether a node has the data of a cluster that no longer knows it: it will not be taken back
    /// with that data.
    pub(super) fn is_expelled(&self, resource: &Resource) -> bool {
        let object = self.live.get(&resource.address).and_then(Reading::object);
        let is = |tree: &Json| tree["joined"] == "yes" && tree["node"] == "absent";
        resource.kind.lifecycle.is_node()
            && !resource.protected
            && object.is_some_and(|object| is(&object.attributes.tree()))
            // Who is alone with the data has nobody to be taken back by.
            && self.members().any(|member| *member != resource.address)
    }

    fn is_founder(&self, resource: &Resource) -> bool {
        let is_other_server = |to: &Address| {
            self.desired.resources.get(to).is_some_and(|other| other.kind == resource.kind)
        };
        resource.kind.lifecycle == Lifecycle::Server
            && !resource.edges.iter().any(|edge| is_other_server(&edge.to))
    }

    fn servers(&self) -> impl Iterator<Item = &Resource> {
        let resources = self.desired.resources.values();
        resources.filter(|resource| resource.kind.lifecycle == Lifecycle::Server)
    }

    /// Servers, be they in the spec or only recorded, whose disks hold a cluster's data.
    fn members(&self) -> impl Iterator<Item = &Address> {
        let holds = |reading: &Reading| {
            reading.object().is_some_and(|object| object.attributes.tree()["joined"] == "yes")
        };
        // Looking into a reading is what takes time, so it comes last.
        let servers = self
            .live
            .iter()
            .filter(|(address, _)| self.is_server(address) && !self.is_machine_made(address));
        servers.filter(move |(_, reading)| holds(reading)).map(|(address, _)| address)
    }

    pub(super) fn is_server(&self, address: &Address) -> bool {
        let desired = self.desired.resources.get(address).map(|resource| resource.kind);
        let recorded = self.prior.resources.get(address).map(|record| record.kind);
        desired.or(recorded).is_some_and(|kind| kind.lifecycle == Lifecycle::Server)
    }

    fn is_unread(&self, address: &Address) -> bool {
        matches!(self.live.get(address), None | Some(Reading::Unread(_)))
            && !self.is_machine_made(address)
    }

    /// Whether the machine that it stands on is made anew, and its disk with it.
    fn is_machine_made(&self, address: &Address) -> bool {
        let edges = self.desired.resources.get(address).map(|resource| &resource.edges);
        let mut homes = edges.into_iter().flatten().filter(|edge| edge.kind == EdgeKind::LivesIn);
        homes.any(|edge| self.is_made(&edge.to))
    }

    /// Whether the state knows a server that had data, or one that was getting some and is gone.
    /// One that boma was removing itself is not lost.
    fn is_lost(&self) -> bool {
        self.prior.resources.iter().any(|(address, record)| {
            let open = self.prior.open.get(address);
            let gone = !matches!(self.live.get(address), Some(Reading::Present(_)));
            record.kind.lifecycle == Lifecycle::Server
                && !open.is_some_and(|open| open.removing)
                && (gone && open.is_some() || record.outputs.tree()["joined"] == "yes")
        })
    }
}
