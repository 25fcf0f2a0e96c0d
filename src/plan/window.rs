//! Which machines a plan disturbs, gathered so that one is down at a time.

use std::collections::BTreeMap;

use super::{Action, Change, Half, Node, Window};
use crate::resource::Address;

/// One window per disturbed machine, by machine. A machine without a group is one of its own.
///
/// What changes on a machine while its window is open belongs to it, too. Where a k3s node runs
/// on the machine, two nodes are added to the order: one that moves its pods away before anything
/// else of the window, and one that takes it back afterwards.
pub fn windows(
    changes: &mut [Change],
    nodes: &mut Vec<Node>,
    groups: &BTreeMap<Address, String>,
) -> Vec<Window> {
    let mut windows: BTreeMap<Address, Window> = BTreeMap::new();
    for machine in changes.iter().filter_map(|change| change.window.clone()) {
        let group = groups.get(&machine).cloned().unwrap_or_else(|| machine.to_string());
        let nodes = of_machine(changes, nodes, &machine);
        let disrupts = changes.iter().any(|change| change.disrupts(&machine));
        windows.entry(machine.clone()).or_insert(Window { machine, group, nodes, disrupts });
    }
    let mut windows: Vec<Window> = windows.into_values().collect();
    for window in &mut windows {
        surround(changes, nodes, window);
    }
    for (at, change) in changes.iter_mut().enumerate() {
        let surrounded = || nodes.iter().any(|node| node.change == at && node.half.is_around());
        if !change.opening.is_empty() && !surrounded() {
            change.opening.clear();
            change.closing.clear();
        }
    }
    windows
}

/// The nodes of a machine's own change and of everything that changes on it.
fn of_machine(changes: &[Change], nodes: &[Node], machine: &Address) -> Vec<usize> {
    let on_it = |change: &Change| {
        change.window.as_ref() == Some(machine) || change.machine() == Some(machine)
    };
    let of = |node: &Node| changes.get(node.change).is_some_and(on_it);
    nodes.iter().enumerate().filter(|(_, node)| of(node)).map(|(at, _)| at).collect()
}

/// Adds what a window begins and ends with, where a k3s node runs on the machine.
fn surround(changes: &mut [Change], nodes: &mut Vec<Node>, window: &mut Window) {
    let is_guest = |change: &Change| change.machine() == Some(&window.machine);
    let guest =
        changes.iter().position(|change| is_guest(change) && change.kind.lifecycle.is_node());
    let Some(at) = guest.filter(|_| window.disrupts) else { return };
    let stays = changes[at].action != Action::Delete;
    if changes[at].opening.is_empty() {
        return;
    }
    // Nobody can be asked on a machine that is off: it is turned on before.
    let (raised, inside): (Vec<usize>, Vec<usize>) =
        window.nodes.iter().partition(|&&node| changes[nodes[node].change].raises_machine());
    let outside = |need: &&usize| !inside.contains(need);
    let needs = inside.iter().flat_map(|&node| nodes[node].after.iter());
    let mut after: Vec<usize> = needs.filter(outside).chain(&raised).copied().collect();
    after.sort_unstable();
    after.dedup();
    let open = nodes.len();
    for &node in &inside {
        nodes[node].after.push(open);
    }
    nodes.push(Node { change: at, half: Half::Open, after, weight_s: WINDOW_S });
    window.nodes.push(open);
    if !stays {
        changes[at].closing.clear();
        return;
    }
    window.nodes.push(nodes.len());
    nodes.push(Node { change: at, half: Half::Close, after: inside, weight_s: WINDOW_S });
}

/// Expected seconds of a drain, and of a node to be ready again.
const WINDOW_S: u64 = 60;
