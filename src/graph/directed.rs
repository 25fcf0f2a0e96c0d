//! The graph itself, over petgraph.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::Cycle;

/// Keys and what each needs first. Edges point from a key to what it needs.
#[derive(Clone, Debug)]
pub struct Graph<K, E> {
    graph: DiGraph<K, E>,
    index: BTreeMap<K, NodeIndex>,
}

impl<K: Ord + Clone, E: Clone> Graph<K, E> {
    /// Builds a graph without edges. Keys are sorted, so that nothing depends on the caller's
    /// order.
    pub fn new(keys: impl IntoIterator<Item = K>) -> Self {
        let mut keys: Vec<K> = keys.into_iter().collect();
        keys.sort();
        keys.dedup();
        let mut graph = DiGraph::with_capacity(keys.len(), keys.len() * 2);
        let index = keys.into_iter().map(|key| (key.clone(), graph.add_node(key))).collect();
        Self { graph, index }
    }

    /// Adds "`from` needs `to`". False where either key is not in the graph.
    pub fn need(&mut self, from: &K, to: &K, edge: E) -> bool {
        match (self.index.get(from), self.index.get(to)) {
            (Some(&from), Some(&to)) => {
                self.graph.add_edge(from, to, edge);
                true
            }
            _ => false,
        }
    }

    /// Whether a key is in the graph.
    pub fn contains(&self, key: &K) -> bool {
        self.index.contains_key(key)
    }

    /// All keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.index.keys()
    }

    /// What a key needs, sorted, with why.
    pub fn needs(&self, key: &K) -> Vec<(&K, &E)> {
        self.neighbours(key, Outgoing)
    }

    /// What needs a key, sorted, with why.
    pub fn needed_by(&self, key: &K) -> Vec<(&K, &E)> {
        self.neighbours(key, Incoming)
    }

    fn neighbours(&self, key: &K, direction: petgraph::Direction) -> Vec<(&K, &E)> {
        let Some(&node) = self.index.get(key) else { return Vec::new() };
        let edges = self.graph.edges_directed(node, direction);
        let mut found: Vec<(&K, &E)> = edges
            .map(|edge| {
                let other = if direction == Outgoing { edge.target() } else { edge.source() };
                (&self.graph[other], edge.weight())
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(b.0));
        found
    }

    /// All keys, each after everything it needs; among equals by key.
    ///
    /// # Errors
    /// A cycle, by name.
    pub fn order(&self) -> Result<Vec<&K>, Cycle<K>> {
        let mut waiting: Vec<usize> =
            self.graph.node_indices().map(|node| self.graph.edges(node).count()).collect();
        let mut free: BinaryHeap<Reverse<NodeIndex>> = self
            .graph
            .node_indices()
            .filter(|node| waiting[node.index()] == 0)
            .map(Reverse)
            .collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(Reverse(node)) = free.pop() {
            order.push(&self.graph[node]);
            for dependent in self.graph.neighbors_directed(node, Incoming) {
                waiting[dependent.index()] -= 1;
                if waiting[dependent.index()] == 0 {
                    free.push(Reverse(dependent));
                }
            }
        }
        if order.len() == waiting.len() { Ok(order) } else { Err(self.cycle()) }
    }

    /// One cycle of the first strongly connected component that has one.
    fn cycle(&self) -> Cycle<K> {
        let components = tarjan_scc(&self.graph);
        let looped = components.iter().find(|component| {
            component.len() > 1
                || component.first().is_some_and(|&node| self.graph.contains_edge(node, node))
        });
        let Some(members) = looped else { return Cycle(Vec::new()) };
        let mut path: Vec<NodeIndex> = members.iter().min().copied().into_iter().collect();
        while let Some(&last) = path.last() {
            let next = self.graph.neighbors(last).filter(|next| members.contains(next)).min();
            let Some(next) = next else { break };
            if let Some(start) = path.iter().position(|&seen| seen == next) {
                path.drain(..start);
                break;
            }
            path.push(next);
        }
        Cycle(path.into_iter().map(|node| self.graph[node].clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&'static str, &'static str)]) -> Graph<&'static str, ()> {
        let mut graph = Graph::new(edges.iter().flat_map(|&(from, to)| [from, to]));
        for (from, to) in edges {
            assert!(graph.need(from, to, ()));
        }
        graph
    }

    fn check(edges: &[(&'static str, &'static str)], expected: Result<&[&str], &str>) {
        let graph = graph(edges);
        let order = graph.order().map(|order| order.into_iter().copied().collect::<Vec<_>>());
        assert_eq!(order.as_deref().map_err(ToString::to_string), expected.map_err(str::to_owned));
    }

    #[test]
    fn order_puts_needs_first_and_breaks_ties_by_key() {
        check(&[("b", "a"), ("c", "a"), ("d", "c"), ("d", "b")], Ok(&["a", "b", "c", "d"]));
        check(&[("a", "z"), ("b", "z")], Ok(&["z", "a", "b"]));
    }

    #[test]
    fn a_cycle_is_named_member_by_member() {
        check(&[("a", "b"), ("b", "c"), ("c", "b")], Err("b -> c -> b"));
        check(&[("a", "a")], Err("a -> a"));
    }

    #[test]
    fn neighbours_are_sorted() {
        let graph = graph(&[("b", "a"), ("c", "a")]);
        assert_eq!(graph.needed_by(&"a"), [(&"b", &()), (&"c", &())]);
        assert_eq!(graph.needs(&"b"), [(&"a", &())]);
        assert!(graph.needs(&"x").is_empty());
    }
}
