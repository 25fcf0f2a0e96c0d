//! A checker apart from the planner: what must be true of any plan, whoever made it.
//!
//! A saved plan read from a file passes through here before anything is done.

use std::collections::BTreeSet;
use std::fmt;

use super::rollout::work;
use super::{Action, Change, Half, Node, Operation, Plan, Reason};
use crate::resource::Address;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Two changes have one address.
    Duplicate(Address),
    /// A change has no reason.
    Unexplained(Address),
    /// An address is changed and blocked.
    Contradiction(Address),
    /// Something that holds data or is protected would be deleted.
    Protected(Address),
    /// Data would go with a project that nobody gave up, or from a file.
    Abandons(Address),
    /// A step is about something else than its change.
    Strayed(Address),
    /// A delete step whose guard is missing.
    Unguarded(Address),
    /// A change that does something is in no node, or in one too many.
    Unordered(Address),
    /// A node names a change or a node that does not exist, or waits for a later one in a circle.
    BadNode(usize),
    /// A step calls an endpoint that the plan has no facts of.
    UnknownEndpoint(Address),
    /// What is done to a project is not all in the one wave in which it has its turn.
    OutOfTurn(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(address) => write!(f, "{address} is changed twice"),
            Self::Unexplained(address) => write!(f, "{address} is changed without a reason"),
            Self::Contradiction(address) => write!(f, "{address} is both changed and blocked"),
            Self::Protected(address) => {
                write!(f, "{address} holds data or is protected, and would be deleted")
            }
            Self::Abandons(address) => {
                write!(f, "{address} holds data, and only `destroy --abandon-data` may delete it")
            }
            Self::Strayed(address) => write!(f, "a step of {address} is about something else"),
            Self::Unguarded(address) => write!(f, "{address} would be deleted without a guard"),
            Self::Unordered(address) => {
                write!(f, "{address} is not in the order of work just once")
            }
            Self::BadNode(node) => write!(f, "node {node} of the order of work cannot be reached"),
            Self::UnknownEndpoint(address) => {
                write!(f, "{address} calls an endpoint that the plan does not know")
            }
            Self::OutOfTurn(project) => {
                write!(f, "{project} is not changed whole in one wave of the rollout")
            }
        }
    }
}

/// Everything that is wrong with a plan; empty for every plan of the planner.
pub fn check(plan: &Plan) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut seen = BTreeSet::new();
    let blocked: BTreeSet<&Address> = plan.blocked.iter().map(|blocked| &blocked.address).collect();
    for (at, change) in plan.changes.iter().enumerate() {
        let address = || change.address.clone();
        let mut note = |broken: bool, note: Note| notes.extend(broken.then_some(note));
        note(!seen.insert(&change.address), Note::Duplicate(address()));
        note(change.reasons.is_empty(), Note::Unexplained(address()));
        note(blocked.contains(&change.address), Note::Contradiction(address()));
        note(deletes_what_must_stay(change), Note::Protected(address()));
        note(abandons(change) && !plan.basis.destroy, Note::Abandons(address()));
        note(has_strayed(change), Note::Strayed(address()));
        note(has_unguarded_delete(change), Note::Unguarded(address()));
        note(is_misordered(plan, at, change), Note::Unordered(address()));
        let unknown = change.steps.iter().any(|step| !plan.endpoints.contains_key(&step.endpoint));
        note(unknown, Note::UnknownEndpoint(address()));
    }
    let unreachable = unreachable(&plan.nodes, plan.changes.len());
    notes.extend(unreachable.into_iter().map(Note::BadNode));
    let windowed = plan.windows.iter().flat_map(|window| &window.nodes);
    let laned = plan.lanes.iter().flat_map(|lane| &lane.nodes);
    let named: Vec<usize> = windowed.chain(laned).copied().chain(rolled(plan)).collect();
    notes.extend(named.into_iter().filter(|&node| node >= plan.nodes.len()).map(Note::BadNode));
    notes.extend(rolled_wrongly(plan));
    notes
}

/// Every node that a wave names.
fn rolled(plan: &Plan) -> impl Iterator<Item = usize> {
    let waves = plan.rollout.iter().flat_map(|rollout| &rollout.waves);
    waves.flat_map(|wave| &wave.projects).flat_map(|project| &project.nodes).copied()
}

/// Projects that are not changed whole in the one wave in which they have their turn.
fn rolled_wrongly(plan: &Plan) -> Vec<Note> {
    let mut work = work(&plan.changes, &plan.nodes);
    let waves = plan.rollout.iter().flat_map(|rollout| &rollout.waves);
    let projects = waves.flat_map(|wave| &wave.projects);
    let wrong = projects
        .filter(|project| work.remove(project.name.as_str()).as_ref() != Some(&project.nodes));
    wrong.map(|project| Note::OutOfTurn(project.name.clone())).collect()
}

/// The same of a plan that was read from a file: what was given up by name is given up in the
/// command that deletes it, and never in a file that somebody may have edited.
pub fn check_saved(plan: &Plan) -> Vec<Note> {
    let gives_up = plan.changes.iter().filter(|change| abandons(change));
    let gives_up = gives_up.map(|change| Note::Abandons(change.address.clone()));
    check(plan).into_iter().chain(gives_up).collect()
}

/// Whether a change takes away an object that holds data, whatever kind somebody wrote into a
/// file: claims, volumes and the namespaces of projects are known by their place in the API, too.
pub fn holds_data(change: &Change) -> bool {
    let place = change.locator.place.tree();
    let by_place = match place["kind"].as_str() {
        Some("PersistentVolumeClaim" | "PersistentVolume") => true,
        Some("Namespace") => change.address.project().is_some(),
        _ => false,
    };
    change.kind.holds_data || by_place
}

fn deletes_what_must_stay(change: &Change) -> bool {
    let steps = change.steps.iter().any(|step| step.operation == Operation::Delete);
    let abandoned = change.action == Action::Delete && change.reasons == [Reason::Abandoned];
    let deletes = steps || matches!(change.action, Action::Delete | Action::Replace) && !abandoned;
    // A node of k3s is not its machine: whoever names it has it installed anew.
    let named = change.kind.lifecycle.is_node() && change.reasons == [Reason::Requested];
    let removes = deletes || abandons(change);
    deletes && holds_data(change) || removes && change.protected && !named
}

fn abandons(change: &Change) -> bool {
    change.reasons.contains(&Reason::Abandoned)
        || change.steps.iter().any(|step| step.operation == Operation::Abandon)
}

fn has_strayed(change: &Change) -> bool {
    let around = change.opening.iter().chain(&change.closing);
    let strays = |step: &super::Step| step.address != change.address || step.kind != change.kind;
    change.steps.iter().chain(around).any(strays)
}

fn has_unguarded_delete(change: &Change) -> bool {
    change.steps.iter().any(|step| step.operation.removes() && step.guard.is_none())
}

fn is_misordered(plan: &Plan, at: usize, change: &Change) -> bool {
    let own = |node: &&Node| node.change == at && !node.half.is_around();
    let mut halves: Vec<Half> = plan.nodes.iter().filter(own).map(|node| node.half).collect();
    halves.sort();
    let expected: &[Half] = match change.action {
        Action::NoOp => &[],
        Action::Replace => &[Half::Delete, Half::Create],
        _ => &[Half::Whole],
    };
    halves != expected
}

/// Nodes that no order ever reaches.
pub(super) fn unreachable(nodes: &[Node], changes: usize) -> Vec<usize> {
    let count = nodes.len();
    let mut done = vec![false; count];
    loop {
        let ready: Vec<usize> = (0..count)
            .filter(|&at| !done[at] && nodes[at].change < changes)
            .filter(|&at| nodes[at].after.iter().all(|&need| done.get(need) == Some(&true)))
            .collect();
        if ready.is_empty() {
            return (0..count).filter(|&at| !done[at]).collect();
        }
        for at in ready {
            done[at] = true;
        }
    }
}
