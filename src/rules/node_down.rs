//! `node-down`: no node is taken down while another one is, so that a window waits until all others
//! are Ready. Where one is down that nobody can reach, or that no plan of this spec brings back, it
//! would wait in vain.

use std::collections::BTreeSet;

use super::words::names;
use super::{Facts, Problem, Rule, hosts};
use crate::plan::{Action, Window};
use crate::resource::{Address, Reading};
use crate::spec::Machine;

/// See the file's head.
pub const RULE: Rule = Rule::deny("node-down", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let mut disturbed = Vec::new();
    let mut down = BTreeSet::new();
    for machine in facts.spec.all_machines().filter(|machine| is_drained(facts, machine)) {
        let Some(k3s) = hosts::k3s(facts, machine) else { continue };
        let others = k3s["others_not_ready"].as_array().into_iter().flatten();
        let others = others.filter_map(|name| Some(name.as_str()?.to_owned()));
        let lost: Vec<String> = others.filter(|name| stays_down(facts, name)).collect();
        if !lost.is_empty() {
            disturbed.push(machine.name.as_str());
            down.extend(lost);
        }
    }
    if disturbed.is_empty() {
        return;
    }
    let down: Vec<&str> = down.iter().map(String::as_str).collect();
    let are = if down.len() == 1 { "is" } else { "are" };
    let message = format!(
        "{} would be drained while {} {are} not Ready, and nothing in this plan brings that back",
        names(&disturbed),
        names(&down)
    );
    let help = "bring the node back first, or take it out of the cluster: out of the spec and, where \
                the machine is gone for good, with --dead MACHINE; `kubectl delete node` where it \
                is none of the spec's";
    report.push(Problem::new(message, help));
}

/// Whether a running node is taken down.
fn is_drained(facts: &Facts<'_>, machine: &Machine) -> bool {
    let vm = Address::of("vsphere/vm", &machine.name);
    let takes_down = |window: &Window| window.disrupts && window.machine == vm;
    let is_up = hosts::k3s(facts, machine)
        .is_some_and(|k3s| k3s["service"] == "active" && k3s["node"] == "present");
    is_up && facts.plan.is_some_and(|plan| plan.windows.iter().any(takes_down))
}

/// Whether a node is down for as long as this plan is carried out: nobody can ask its machine, or
/// it is nobody's. One that is only on its way back is waited for.
fn stays_down(facts: &Facts<'_>, name: &str) -> bool {
    let changes = facts.plan.iter().flat_map(|plan| &plan.changes);
    let mut others = changes.filter(|change| change.action != Action::NoOp);
    if others.any(|change| change.address.name() == name) {
        return false;
    }
    let mut machines = facts.spec.all_machines();
    let Some(machine) = machines.find(|machine| machine.name.value == name) else { return true };
    let reading = facts.live.and_then(|live| live.get(&hosts::node(machine)));
    matches!(reading, Some(Reading::Unread(_)))
}
