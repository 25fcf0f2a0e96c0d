//! The inputs of the planner.

use std::collections::{BTreeMap, BTreeSet};

use super::{Spread, Unplanned};
use crate::graph::Graph;
use crate::resource::{
    Address, Attributes, EdgeKind, Endpoint, EndpointFacts, Glob, Kind, Reading, Resource,
};

/// What the spec asks for.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// Every resource, once.
    pub resources: BTreeMap<Address, Resource>,
    /// Everything that answers for them.
    pub endpoints: BTreeMap<Endpoint, EndpointFacts>,
    /// Parts of the spec that have no resources in this version.
    pub unplanned: Vec<Unplanned>,
    /// What is read besides, for the rules.
    pub observed: Vec<Observed>,
    /// The group of each machine whose windows stop together: VM address to group name.
    pub groups: BTreeMap<Address, String>,
    /// How changes of many projects are spread.
    pub spread: Spread,
}

/// Something of a kind that is only looked at.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its name among the readings.
    pub address: Address,
    /// Its kind.
    pub kind: Kind,
    /// Who is asked.
    pub endpoint: Endpoint,
    /// What to look for, in the words of its kind.
    pub place: Attributes,
}

impl Desired {
    /// Resources and what they need. An edge to what nobody declares is no edge.
    pub fn graph(&self) -> Graph<Address, EdgeKind> {
        let mut graph = Graph::new(self.resources.keys().cloned());
        for resource in self.resources.values() {
            for edge in &resource.edges {
                graph.need(&resource.address, &edge.to, edge.kind);
            }
        }
        graph
    }
}

/// What was just read: one reading per address of desired and prior.
pub type Live = BTreeMap<Address, Reading>;

/// What the user asks of this plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Addresses to make anew.
    pub replace: BTreeSet<Address>,
    /// Plan these and what they need. Empty means all.
    pub target: Vec<Glob>,
    /// Leave these and what needs them.
    pub exclude: Vec<Glob>,
    /// Machines of agents that left the spec, do not answer and never will again.
    pub dead: BTreeSet<String>,
    /// What holds data and goes all the same, each one: the user named its project.
    pub abandon: BTreeSet<Address>,
    /// Why prior resources that are not desired go away: `destroy` instead of a spec edit.
    pub destroy: bool,
}
