//! The order of work: needs before dependents, deletes the other way round.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change, Half, Node, Reason};
use crate::graph::{Cycle, Graph};
use crate::resource::{Address, Endpoint};
use crate::state::State;

type Key = (Address, Half);

/// Makes the nodes of all changes that do anything, sorted by address and half.
///
/// A replace is two nodes: its delete half runs after the delete halves of what depends on it,
/// its create half before their create halves.
///
/// # Errors
/// Changes that wait for each other.
pub fn order(changes: &[Change], prior: &State) -> Result<Vec<Node>, Cycle<Address>> {
    let index: BTreeMap<&Address, usize> =
        changes.iter().enumerate().map(|(index, change)| (&change.address, index)).collect();
    let mut graph: Graph<Key, ()> = Graph::new(changes.iter().flat_map(keys));
    for change in changes {
        if change.action == Action::Replace {
            let address = &change.address;
            graph.need(&(address.clone(), Half::Create), &(address.clone(), Half::Delete), ());
        }
        for (edge, wanted) in edges(change, prior) {
            if let Some(&owner) = index.get(&edge) {
                let owner = &changes[owner];
                // A node that is there already needs no other node to come back.
                let free = change.mends_node() && owner.kind.lifecycle.is_node();
                link(&mut graph, change, owner, wanted && !free);
            }
        }
    }
    mend_first(&mut graph, changes);
    cluster_first(&mut graph, changes);
    if let Err(Cycle(keys)) = graph.order() {
        return Err(Cycle(keys.into_iter().map(|(address, _)| address).collect()));
    }
    let keys: Vec<Key> = graph.keys().cloned().collect();
    let position: BTreeMap<&Key, usize> =
        keys.iter().enumerate().map(|(at, key)| (key, at)).collect();
    Ok(keys
        .iter()
        .map(|key| Node {
            change: index[&key.0],
            half: key.1,
            after: graph.needs(key).into_iter().map(|(need, ())| position[need]).collect(),
            weight_s: weight(&changes[index[&key.0]]),
        })
        .collect())
}

fn keys(change: &Change) -> Vec<Key> {
    let key = |half| (change.address.clone(), half);
    match change.action {
        Action::NoOp => Vec::new(),
        Action::Replace => vec![key(Half::Delete), key(Half::Create)],
        _ => vec![key(Half::Whole)],
    }
}

/// Where everything goes, what is in the cluster ends before any node of it does: pods stop in good
/// order, and their volumes leave the machines.
fn cluster_first(graph: &mut Graph<Key, ()>, changes: &[Change]) {
    let goes = |change: &&Change| matches!(change.action, Action::Delete | Action::Forget);
    let inside: Vec<Key> = changes
        .iter()
        .filter(goes)
        .filter(|change| change.endpoint == Endpoint::kubernetes())
        .flat_map(keys)
        .collect();
    let destroyed = |change: &&Change| change.reasons.contains(&Reason::Destroyed);
    let nodes = changes.iter().filter(goes).filter(|change| change.kind.lifecycle.is_node());
    for node in nodes.filter(destroyed).flat_map(keys) {
        for key in &inside {
            graph.need(&node, key, ());
        }
    }
}

/// Brings nodes and machines back that are down before a machine is disturbed, whose window would
/// not open while another node is down. The machines of such nodes themselves have nothing to lose.
fn mend_first(graph: &mut Graph<Key, ()>, changes: &[Change]) {
    let mends: Vec<&Change> =
        changes.iter().filter(|change| change.mends_node() || change.raises_machine()).collect();
    let mended: BTreeSet<&Address> =
        mends.iter().map(|mend| mend.machine().unwrap_or(&mend.address)).collect();
    let disturbs =
        |change: &&Change| change.window.as_ref().is_some_and(|machine| !mended.contains(machine));
    for key in changes.iter().filter(disturbs).flat_map(keys) {
        for mend in &mends {
            let mend = (mend.address.clone(), Half::Whole);
            // What is brought back may need what is disturbed.
            if !needs(graph, &mend, &key) {
                graph.need(&key, &mend, ());
            }
        }
    }
}

/// Whether one node of the order comes after another, however far.
fn needs(graph: &Graph<Key, ()>, one: &Key, other: &Key) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![one.clone()]);
    while let Some(key) = open.pop() {
        if key == *other {
            return true;
        }
        let more: Vec<Key> = graph.needs(&key).into_iter().map(|(need, ())| need.clone()).collect();
        open.extend(more.into_iter().filter(|need| seen.insert(need.clone())));
    }
    false
}

/// What a change depends on, by the spec and by what was recorded; true where the spec says so.
fn edges(change: &Change, prior: &State) -> BTreeMap<Address, bool> {
    let recorded = prior.resources.get(&change.address).map(|record| record.edges.as_slice());
    let recorded = recorded.unwrap_or_default().iter().map(|edge| (edge.to.clone(), false));
    recorded.chain(change.edges.iter().map(|edge| (edge.to.clone(), true))).collect()
}

/// Orders the halves of a dependent and of what it depends on. What was recorded orders only
/// removals: the spec may have turned a dependency round since.
fn link(graph: &mut Graph<Key, ()>, dependent: &Change, owner: &Change, wanted: bool) {
    let key = |change: &Change, half| (change.address.clone(), half);
    let deletes = |change: &Change| match change.action {
        Action::Replace => Some(Half::Delete),
        Action::Delete | Action::Forget => Some(Half::Whole),
        _ => None,
    };
    let makes = |change: &Change| match change.action {
        Action::Replace => Some(Half::Create),
        Action::Create | Action::Update | Action::Adopt => Some(Half::Whole),
        _ => None,
    };
    let gone = deletes(owner).map(|half| key(owner, half));
    let made = makes(owner).map(|half| key(owner, half));
    if made_in_turn(dependent, owner) {
        graph.need(&key(dependent, Half::Delete), &key(owner, Half::Create), ());
        return;
    }
    if let (Some(gone), Some(half)) = (&gone, deletes(dependent)) {
        graph.need(gone, &key(dependent, half), ());
    }
    // What goes for good goes after its last user has let go of it.
    if let (Some(gone), Some(half)) = (&gone, makes(dependent))
        && owner.action != Action::Replace
    {
        graph.need(gone, &key(dependent, half), ());
    }
    if let (Some(made), Some(half), true) = (&made, makes(dependent), wanted) {
        graph.need(&key(dependent, half), made, ());
    }
}

/// Whether two k3s nodes are made anew. The cluster lives through that one node at a time: the
/// first one is back before the next one goes.
fn made_in_turn(dependent: &Change, owner: &Change) -> bool {
    let both = [dependent, owner];
    both.iter().all(|one| one.action == Action::Replace && one.kind.lifecycle.is_node())
}

/// Expected seconds: a whole creation, or a tenth of it for anything else.
fn weight(change: &Change) -> u64 {
    match change.action {
        Action::Create | Action::Replace => change.kind.weight_s,
        _ => change.kind.weight_s.div_ceil(10),
    }
}
