//! `join-endpoint`: where machines shall join, what answers is asked from the machines themselves
//! before anything is written on them. A refused token is `token-refused`.

use std::collections::BTreeMap;

use super::words::names;
use super::{Facts, Problem, Rule, hosts};
use crate::plan::Action;
use crate::resource::Address;

/// See the file's head.
pub const RULE: Rule = Rule::deny("join-endpoint", check);

const ANOTHER: &str = "find out who answers there before a token is sent to it; check `addresses` in \
    [servers] and `join_address` in [k3s]";
const SILENT: &str = "see that k3s runs on the servers and that TCP 6443 is open from these machines; \
    they join with an apply after that";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let mut found: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
    for machine in facts.spec.all_machines() {
        let Some(seen) = hosts::seen(facts, machine) else { continue };
        let (Some(join), Some(problem)) = (seen["join"].as_str(), seen["join_problem"].as_str())
        else {
            continue;
        };
        // Others than these pass once the plan has opened the servers' ports.
        let stays = match join {
            "another-cluster" => true,
            "silent" | "not-ready" if !opens_servers(facts) => false,
            _ => continue,
        };
        if hosts::change(facts, machine).is_some() {
            found.entry((stays, problem.to_owned())).or_default().push(&machine.name);
        }
    }
    for ((stays, problem), machines) in found {
        let message = format!("{} cannot join: {problem}", names(&machines));
        let place = &facts.spec.k3s.join.place;
        report.push(match stays {
            true => Problem::at(place, message, ANOTHER),
            false => Problem::at(place, message, SILENT).warn(),
        });
    }
}

/// Whether the plan changes the firewall of a server.
fn opens_servers(facts: &Facts<'_>) -> bool {
    let Some(plan) = facts.plan else { return false };
    let addresses: Vec<Address> = facts
        .spec
        .servers
        .iter()
        .map(|server| Address::of("host/firewall", &server.name))
        .collect();
    let mut changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    changes.any(|change| addresses.contains(&change.address))
}
