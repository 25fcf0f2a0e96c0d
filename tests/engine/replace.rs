//! k3s nodes that are made anew.

use boma::plan::{Action, Half, Plan};
use boma::resource::Address;
use boma::spec::parse;

use crate::engine::system::System;

const SMALL: &str = include_str!("../fixtures/small.toml");

/// 3 servers and 2 agents that run.
fn standing() -> System {
    let parsed = parse("small.toml", SMALL);
    let spec = parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let mut desired = boma::lower::lower(&spec);
    // Plans do not keep the exact span of a line.
    for resource in desired.resources.values_mut() {
        resource.origin.span = (0, 0);
        resource.origins.clear();
    }
    let mut system = System::new(desired, 1);
    system.converge();
    system
}

fn position(plan: &Plan, address: &str, half: Half) -> usize {
    let is_it = |at: &usize| {
        let node = &plan.nodes[*at];
        node.half == half && plan.changes[node.change].address.as_str() == address
    };
    (0..plan.nodes.len()).find(is_it).expect("planned")
}

#[track_caller]
fn check(nodes: &[&str]) {
    let mut system = standing();
    system.options.replace = nodes.iter().map(|&node| Address::from(node)).collect();
    let plan = system.plan();
    let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace).count();
    assert_eq!(replaced, nodes.len());
    for pair in nodes.windows(2) {
        let (first, next) =
            (position(&plan, pair[0], Half::Create), position(&plan, pair[1], Half::Delete));
        assert!(plan.nodes[next].after.contains(&first) || reaches(&plan, next, first), "{pair:?}");
    }
    let run = system.apply_plan(System::reread(&plan));
    assert_eq!(run.report.failures, []);
    system.options.replace.clear();
    assert!(system.plan().is_empty());
}

/// Whether a node waits for another one, if through others.
fn reaches(plan: &Plan, from: usize, to: usize) -> bool {
    plan.nodes[from].after.iter().any(|&need| need == to || reaches(plan, need, to))
}

#[test]
fn servers_are_made_anew_one_after_the_other() {
    check(&["k3s/server/server-1", "k3s/server/server-2"]);
    check(&["k3s/server/server-1", "k3s/server/server-2", "k3s/server/server-3"]);
}

#[test]
fn agents_are_made_anew_after_servers() {
    check(&["k3s/server/server-2", "k3s/agent/agent-1"]);
}
