//! Which machines a plan disturbs, gathered so that one is down at a time.

use std::collections::BTreeMap;

use super::{Change, Node, Window};
use crate::resource::Address;

/// One window per disturbed machine, by machine. A machine without a group is one of its own.
pub fn windows(
    changes: &[Change],
    nodes: &[Node],
    groups: &BTreeMap<Address, String>,
) -> Vec<Window> {
    let mut windows: BTreeMap<Address, Window> = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let Some(machine) = changes.get(node.change).and_then(|change| change.window.clone())
        else {
            continue;
        };
        let group = groups.get(&machine).cloned().unwrap_or_else(|| machine.to_string());
        let window = windows.entry(machine.clone()).or_insert_with(|| Window {
            machine,
            group,
            nodes: Vec::new(),
        });
        window.nodes.push(at);
    }
    windows.into_values().collect()
}
