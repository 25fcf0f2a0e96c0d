//! Which addresses a plan is about: `--target` and `--exclude`.

use std::collections::BTreeSet;

use super::{Desired, Options};
use crate::graph::Graph;
use crate::resource::{Address, EdgeKind, Glob};
use crate::state::State;

/// All addresses; or those that targets cover, with everything they need; less those that are
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
        closure(covered(&options.target), |address| {
            graph.needs(address).into_iter().map(|(need, _)| need.clone()).collect()
        })
    };
    let excluded = closure(covered(&options.exclude), |address| {
        graph.needed_by(address).into_iter().map(|(dependent, _)| dependent.clone()).collect()
    });
    selected.retain(|address| !excluded.contains(address));
    selected
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
