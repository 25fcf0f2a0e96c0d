//! What must not happen to too many machines at once.

use super::{Change, Half, Lane, Node, Operation};
use crate::resource::Lifecycle;

/// Agents that join at the same time: each asks the servers for certificates and pulls its images
/// through the same uplink.
const JOINING_AGENTS: usize = 10;

/// The lane of agents that join. None where no more join than may at once.
pub fn lanes(changes: &[Change], nodes: &[Node]) -> Vec<Lane> {
    let joins = |node: &Node| {
        let Some(change) = changes.get(node.change) else { return false };
        change.kind.lifecycle == Lifecycle::Agent
            && matches!(node.half, Half::Whole | Half::Create)
            && change.steps.iter().any(|step| step.operation == Operation::Join)
    };
    let joining: Vec<usize> = (0..nodes.len()).filter(|&at| joins(&nodes[at])).collect();
    let lane = Lane { limit: JOINING_AGENTS, nodes: joining };
    if lane.nodes.len() > lane.limit { vec![lane] } else { Vec::new() }
}
