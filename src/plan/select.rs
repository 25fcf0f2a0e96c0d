//! Which addresses a plan is about: `--target` and `--exclude`.

use std::collections::{BTreeMap, BTreeSet};

use super::spare::is_one_of_many;
use super::{Desired, Options};
use crate::graph::Graph;
use crate::resource::{Address, EdgeKind, Glob};
use crate::state::State;

/// All addresses; or those that targets cover, with everything they
/// need (what goes away: with everything that needs it); less those that are
/// excluded, with everything that needs them.
pub fn select(
    desired: &Desired,
    prior: &State,
    graph: &Graph<Address, EdgeKind>,
    options: &Options,
) -> BTreeSet<Address> {
    let all: BTreeSet<Address> =
        desired.resources.keys().chain(prior.addresses()).cloned().collect();
    let covered = |globs: &[Glob]| -> Vec<Address> {
        all.iter()
            .filter(|address| globs.iter().any(|glob| glob.matches(address)))
            .cloned()
            .collect()
    };
    let mut selected = if options.target.is_empty() {
        all.clone()
    } else {
        let users = users(prior);
        closure(covered(&options.target), |address| {
            if desired.resources.contains_key(address) {
                return graph.needs(address).into_iter().map(|(need, _)| need.clone()).collect();
            }
            // What goes away takes along what needs it.
            users.get(address).cloned().unwrap_or_default()
        })
    };
    let excluded = closure(covered(&options.exclude), |address| {
        if desired.resources.contains_key(address) {
            let kind = desired.resources.get(address).map(|resource| resource.kind);
            let dependents = graph.needed_by(address).into_iter();
            let dependents = dependents.filter(|(_, edge)| !is_one_of_many(kind, **edge));
            return dependents.map(|(dependent, _)| dependent.clone()).collect();
        }
        // What stays needs what it needed.
        let record = prior.resources.get(address);
        record
            .map(|record| record.edges.iter().map(|edge| edge.to.clone()).collect())
            .unwrap_or_default()
    });
    selected.retain(|address| !excluded.contains(address));
    selected
}

/// What each recorded resource is needed by.
fn users(prior: &State) -> BTreeMap<&Address, Vec<Address>> {
    let mut users: BTreeMap<&Address, Vec<Address>> = BTreeMap::new();
    for (user, record) in &prior.resources {
        for edge in &record.edges {
            let kind = prior.resources.get(&edge.to).map(|record| record.kind);
            if !is_one_of_many(kind, edge.kind) {
                users.entry(&edge.to).or_default().push(user.clone());
            }
        }
    }
    users
}

fn closure(start: Vec<Address>, next: impl Fn(&Address) -> Vec<Address>) -> BTreeSet<Address> {
    let mut found = BTreeSet::new();
    let mut waiting = start;
    while let Some(address) = waiting.pop() {
        if found.insert(address.clone()) {
            waiting.extend(next(&address));
        }
    }
    found
}
