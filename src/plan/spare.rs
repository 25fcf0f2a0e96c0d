//! Nodes of the cluster stand in for each other: what comes after several of them goes on without
//! one. Its pods find room on the others, as the capacity rule proves for each that is lost.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use crate::resource::{Address, EdgeKind, Kind};

/// How many may be missing, as long as any is left. The capacity rule counts on the same number.
const SPARE: usize = 1;

/// What a node of the order can do without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spare {
    /// Its needs that stand in for each other: indices into [`Plan::nodes`].
    pub needs: BTreeSet<usize>,
    /// How many of these may fail.
    pub left: usize,
}

/// Whether something that comes after another thing has it as one of many: what comes after a node
/// of the cluster runs on another one where that node is gone.
pub(super) fn is_one_of_many(owner: Option<Kind>, edge: EdgeKind) -> bool {
    edge == EdgeKind::After && owner.is_some_and(|kind| kind.name == "kubernetes/Node")
}

/// How many more of so many may be missing.
pub(super) fn left(of: usize, missing: usize) -> usize {
    SPARE.min(of.saturating_sub(1)).saturating_sub(missing)
}

/// What each node of a plan's order can do without, in their order.
pub fn spares(plan: &Plan) -> Vec<Spare> {
    let made = plan.changes.iter().map(|change| (&change.address, (change.kind, false)));
    let blocked = plan.blocked.iter().map(|one| (&one.address, (one.kind, true)));
    let known: BTreeMap<&Address, (Kind, bool)> = made.chain(blocked).collect();
    let spare = |node: &super::Node| {
        let Some(change) = plan.changes.get(node.change) else { return Spare::default() };
        let mut many: BTreeMap<&Address, bool> = BTreeMap::new();
        for edge in &change.edges {
            if let Some(&(kind, is_blocked)) = known.get(&edge.to)
                && is_one_of_many(Some(kind), edge.kind)
            {
                many.insert(&edge.to, is_blocked);
            }
        }
        let address = |need: usize| {
            let change = plan.nodes.get(need).and_then(|node| plan.changes.get(node.change));
            change.map(|change| &change.address)
        };
        let is_one = |&need: &usize| address(need).is_some_and(|owner| many.contains_key(owner));
        let missing = many.values().filter(|&&is_blocked| is_blocked).count();
        let needs = node.after.iter().copied().filter(is_one).collect();
        Spare { needs, left: left(many.len(), missing) }
    };
    plan.nodes.iter().map(spare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_one_have_to_be_there() {
        let check = |of, missing, expected| assert_eq!(left(of, missing), expected);
        check(9, 0, 1);
        check(9, 1, 0);
        check(9, 2, 0);
        check(2, 0, 1);
        check(1, 0, 0);
        check(0, 0, 0);
    }
}
