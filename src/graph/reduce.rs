//! Which needs of a graph say something that no chain of others says.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tred::{dag_to_toposorted_adjacency_list, dag_transitive_reduction_closure};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::IntoNeighbors;

use super::{Cycle, Graph};

/// The transitive reduction: the pairs "the first needs the second" that are left when every pair
/// goes which a longer way connects too.
///
/// # Errors
/// A cycle, by name: then there is no single answer.
pub fn reduce<K: Ord + Clone, E: Clone>(
    graph: &Graph<K, E>,
) -> Result<BTreeSet<(&K, &K)>, Cycle<K>> {
    let mut keys = graph.order()?;
    keys.reverse();
    // Indices in topological order: petgraph's algorithm asks for that.
    let mut indexed: DiGraph<(), ()> = DiGraph::new();
    let index: BTreeMap<&K, NodeIndex> =
        keys.iter().map(|&key| (key, indexed.add_node(()))).collect();
    for (&from, &node) in &index {
        for to in graph.needs(from).iter().filter_map(|(to, _)| index.get(to)) {
            indexed.update_edge(node, *to, ());
        }
    }
    let order: Vec<NodeIndex> = indexed.node_indices().collect();
    let (sorted, _) = dag_to_toposorted_adjacency_list::<_, NodeIndex>(&indexed, &order);
    let (reduced, _) = dag_transitive_reduction_closure(&sorted);
    let pairs = keys.iter().enumerate().flat_map(|(at, &from)| {
        let needs = (&reduced).neighbors(NodeIndex::new(at));
        needs.map(move |to| (from, to.index()))
    });
    Ok(pairs.filter_map(|(from, to)| Some((from, *keys.get(to)?))).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(edges: &[(&'static str, &'static str)], expected: &[(&str, &str)]) {
        let mut graph = Graph::new(edges.iter().flat_map(|&(from, to)| [from, to]));
        for (from, to) in edges {
            graph.need(from, to, ());
        }
        let pairs = reduce(&graph).unwrap();
        let pairs: Vec<(&str, &str)> = pairs.into_iter().map(|(from, to)| (*from, *to)).collect();
        assert_eq!(pairs, expected);
    }

    #[test]
    fn what_a_chain_says_is_left_out() {
        check(&[("c", "b"), ("b", "a"), ("c", "a")], &[("b", "a"), ("c", "b")]);
        check(
            &[("d", "b"), ("d", "c"), ("b", "a"), ("c", "a"), ("d", "a"), ("d", "a")],
            &[("b", "a"), ("c", "a"), ("d", "b"), ("d", "c")],
        );
        check(&[("b", "a"), ("b", "a")], &[("b", "a")]);
    }

    #[test]
    fn a_cycle_has_no_reduction() {
        let mut graph = Graph::new(["a", "b"]);
        graph.need(&"a", &"b", ());
        graph.need(&"b", &"a", ());
        assert_eq!(reduce(&graph).unwrap_err().to_string(), "a -> b -> a");
    }
}
