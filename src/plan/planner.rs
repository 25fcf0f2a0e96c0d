//! `plan(desired, prior, live)`: a synchronous function of explicit inputs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::decide::Prior;
use super::lane::lanes;
use super::order::order;
use super::rollout::rollout;
use super::select::select;
use super::window::windows;
use super::{Action, Basis, BlockCause, Blocked, Change, Desired, FORMAT, Live, Options, Plan};
use crate::graph::Cycle;
use crate::resource::{
    Address, Edge, EdgeKind, Endpoint, EndpointFacts, Identity, Kind, Lifecycle, Locator, Mark,
    Object, Reading, Resource, SecretSource,
};
use crate::state::{Record, State};

/// Makes the plan.
///
/// `live` needs a reading for every address of `desired` and `prior`; a missing one counts as
/// unread. `secrets` holds the sealed form of every secret the spec refers to; what is missing is
/// taken as unchanged.
///
/// # Errors
/// Resources that need each other in a circle.
pub fn plan(
    desired: &Desired,
    prior: &State,
    live: &Live,
    secrets: &BTreeMap<SecretSource, Json>,
    basis: Basis,
    options: &Options,
) -> Result<Plan, Cycle<Address>> {
    let graph = desired.graph();
    let selected = select(desired, prior, &graph, options);
    let lineage = lineage(desired, prior, live);
    let mut planner = Planner {
        desired,
        prior,
        live,
        secrets,
        options,
        recovering: lineage.is_some(),
        lineage: lineage.unwrap_or_else(|| prior.lineage.clone()),
        changes: BTreeMap::new(),
        blocked: BTreeMap::new(),
    };
    for address in graph.order()? {
        if selected.contains(address) {
            planner.wanted(address);
        }
    }
    for address in prior.addresses() {
        if selected.contains(address) && !desired.resources.contains_key(address) {
            planner.unwanted(address);
        }
    }
    planner.keep_the_quorum();
    planner.keep_what_is_used();
    planner.keep_what_nobody_asks();
    planner.keep_what_nobody_drains();
    let (lineage, changes, blocked) = (planner.lineage, planner.changes, planner.blocked);
    finish(desired, prior, live, Basis { lineage, ..basis }, changes, blocked)
}

fn finish(
    desired: &Desired,
    prior: &State,
    live: &Live,
    basis: Basis,
    changes: BTreeMap<Address, Change>,
    blocked: BTreeMap<Address, Blocked>,
) -> Result<Plan, Cycle<Address>> {
    let mut changes: Vec<Change> = changes.into_values().collect();
    changes.sort_by(|a, b| (a.layer(), &a.address).cmp(&(b.layer(), &b.address)));
    let mut nodes = order(&changes, prior)?;
    let windows = windows(&mut changes, &mut nodes, &desired.groups);
    if let Some(stuck) = super::check::unreachable(&nodes, changes.len()).first() {
        let stuck = nodes.get(*stuck).and_then(|node| changes.get(node.change));
        return Err(Cycle(stuck.into_iter().map(|change| change.address.clone()).collect()));
    }
    let endpoints = endpoints(desired, &changes);
    let lanes = lanes(&changes, &nodes);
    let rollout = rollout(&desired.spread, live, &changes, &nodes);
    Ok(Plan {
        format: FORMAT,
        basis,
        changes,
        blocked: blocked.into_values().collect(),
        nodes,
        windows,
        lanes,
        rollout,
        endpoints,
        unplanned: desired.unplanned.clone(),
    })
}

/// Facts of every endpoint: those of machines that left the spec are as those of any machine.
fn endpoints(desired: &Desired, changes: &[Change]) -> BTreeMap<Endpoint, EndpointFacts> {
    let mut endpoints = desired.endpoints.clone();
    for change in changes {
        let facts = || EndpointFacts {
            limit: 1,
            opened_by: change.machine().cloned().into_iter().collect(),
        };
        endpoints.entry(change.endpoint.clone()).or_insert_with(facts);
    }
    endpoints
}

/// The lineage of the marks that the world bears, where the state is empty: a lost state is
/// recovered under its old name. `None` where the state knows anything, or marks disagree.
fn lineage(desired: &Desired, prior: &State, live: &Live) -> Option<String> {
    if !prior.is_empty() {
        return None;
    }
    let marks: BTreeSet<&str> = desired
        .resources
        .keys()
        .filter_map(|address| {
            live.get(address)?.object()?.mark.as_ref().filter(|mark| mark.address == *address)
        })
        .map(|mark| mark.lineage.as_str())
        .collect();
    match marks.len() {
        1 => marks.first().map(|&lineage| lineage.to_owned()),
        _ => None,
    }
}

/// A plan in the making: everything decided so far.
pub(super) struct Planner<'a> {
    pub(super) desired: &'a Desired,
    pub(super) prior: &'a State,
    pub(super) live: &'a Live,
    pub(super) secrets: &'a BTreeMap<SecretSource, Json>,
    pub(super) options: &'a Options,
    pub(super) recovering: bool,
    pub(super) lineage: String,
    pub(super) changes: BTreeMap<Address, Change>,
    pub(super) blocked: BTreeMap<Address, Blocked>,
}

impl Planner<'_> {
    pub(super) fn prior_of(&self, address: &Address) -> Prior {
        if self.prior.resources.contains_key(address) {
            Prior::Recorded
        } else if self.prior.open.contains_key(address) {
            Prior::Tentative
        } else {
            Prior::None
        }
    }

    /// Whether an object that was found is this resource's: by its recorded id, by boma's mark, or,
    /// where the kind carries none, by its natural key if boma made or recorded it.
    pub(super) fn is_ours(
        &self,
        kind: Kind,
        address: &Address,
        record: Option<&Record>,
        object: &Object,
    ) -> bool {
        let marked = object
            .mark
            .as_ref()
            .is_some_and(|mark| mark.lineage == self.lineage && mark.address == *address);
        let recorded = record.is_some_and(|record| record.id == object.id);
        let natural = kind.identity == Identity::NaturalKey
            && (self.recovering || self.prior_of(address) != Prior::None);
        marked || recorded || natural
    }

    pub(super) fn is_made(&self, address: &Address) -> bool {
        self.changes
            .get(address)
            .is_some_and(|change| matches!(change.action, Action::Create | Action::Replace))
    }

    pub(super) fn locator(&self, resource: &Resource, object: Option<&Object>) -> Locator {
        let mark = (resource.kind.identity == Identity::Mark)
            .then(|| Mark { lineage: self.lineage.clone(), address: resource.address.clone() });
        Locator {
            id: object.map(|object| object.id.clone()),
            place: resource.place.clone(),
            mark,
            notes: self.noted(resource),
        }
    }

    /// What an interrupted run noted of a write whose end it did not see, and which is waited for
    /// now. Only objects of the cluster are waited for so: the end of any other is seen on it.
    fn noted(&self, resource: &Resource) -> Vec<Json> {
        let open = self.prior.open.get(&resource.address);
        let open = open.filter(|open| !open.removing);
        let applied = resource.kind.lifecycle == Lifecycle::Applied;
        open.filter(|_| applied).map(|open| open.notes.clone()).unwrap_or_default()
    }

    /// A machine is not disturbed while nobody can say what its k3s node does.
    fn keep_what_nobody_asks(&mut self) {
        let known = |node: &Address| self.prior.resources.contains_key(node) || self.is_up(node);
        let silent: Vec<Address> = self
            .blocked
            .values()
            .filter(|one| one.kind.lifecycle.is_node() && known(&one.address))
            .map(|one| one.address.clone())
            .collect();
        for node in silent {
            let record = self.prior.resources.get(&node).map(|record| record.edges.clone());
            let wanted = || Some(self.desired.resources.get(&node)?.edges.clone());
            for home in homes(&record.or_else(wanted).unwrap_or_default()) {
                if self.changes.get(home).is_some_and(|change| change.window.is_some()) {
                    self.hold(home, BlockCause::Dependency(node.clone()));
                }
            }
        }
    }

    /// A machine is not disturbed by a plan that leaves the k3s node on it out: nobody would move
    /// its pods away.
    fn keep_what_nobody_drains(&mut self) {
        let desired = self.desired;
        for (name, node) in &desired.resources {
            if !node.kind.lifecycle.is_node() || !self.runs_unplanned(name) {
                continue;
            }
            for home in homes(&node.edges) {
                let disturbing = self.changes.values().filter(|change| change.disrupts(home));
                let disturbing: Vec<_> = disturbing.map(|change| change.address.clone()).collect();
                for address in disturbing {
                    let message = format!(
                        "{name} runs on that machine and is no part of this plan: its pods would not \
                         be moved away first"
                    );
                    let help =
                        format!("add --target {name}, or leave out the --exclude that covers it");
                    self.hold(&address, BlockCause::Refused { message, help });
                }
            }
        }
    }

    /// Whether a node runs in the cluster, boma's already or not, and the plan says nothing of it.
    fn runs_unplanned(&self, node: &Address) -> bool {
        let is_planned = self.changes.contains_key(node) || self.blocked.contains_key(node);
        !is_planned && self.is_up(node)
    }

    fn is_up(&self, node: &Address) -> bool {
        let live = self.live.get(node).and_then(Reading::object);
        live.is_some_and(|object| {
            let tree = object.attributes.tree();
            tree["service"] == "active" && tree["node"] != "absent"
        })
    }

    /// Takes a change out of the plan again, which then says why.
    pub(super) fn hold(&mut self, address: &Address, cause: BlockCause) {
        if let Some(Change { address, kind, origin, .. }) = self.changes.remove(address) {
            self.blocked.insert(address.clone(), Blocked { address, kind, cause, origin });
        }
    }

    pub(super) fn block(&mut self, resource: &Resource, cause: BlockCause) {
        let blocked = Blocked {
            address: resource.address.clone(),
            kind: resource.kind,
            cause,
            origin: Some(resource.origin.clone()),
        };
        self.blocked.insert(resource.address.clone(), blocked);
    }
}

fn homes(edges: &[Edge]) -> impl Iterator<Item = &Address> {
    edges.iter().filter(|edge| edge.kind == EdgeKind::LivesIn).map(|edge| &edge.to)
}
