//! `spare-voter`: a server that restarts is missing in etcd for a while. Where no healthy voter is
//! left over, etcd loses its quorum with it and the API stops.

use super::words::names;
use super::{Facts, Problem, Rule, hosts};
use crate::plan::{Change, Window};
use crate::resource::{Address, Lifecycle};
use crate::spec::Machine;

/// See the file's head.
pub const RULE: Rule = Rule::deny("spare-voter", check).of_plan();

/// Fewer cannot spare any, which the rule `quorum` says.
const FEWEST: usize = 3;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let servers = &facts.spec.servers;
    if servers.len() < FEWEST {
        return;
    }
    let down: Vec<&str> = servers
        .iter()
        .filter(|server| is_disturbed(facts, server) && cannot_be_spared(facts, server))
        .map(|server| server.name.as_str())
        .collect();
    if down.is_empty() {
        return;
    }
    let message = format!("{} would be down, and etcd has no voter to spare", names(&down));
    let help = "bring the servers back that are down (`boma plan` names them) first: take this \
                change back, apply, and make it again";
    report.push(Problem::at(&facts.spec.groups.servers.place, message, help));
}

fn is_disturbed(facts: &Facts<'_>, server: &Machine) -> bool {
    let vm = Address::of("vsphere/vm", &server.name);
    let takes_down = |window: &Window| window.disrupts && window.machine == vm;
    facts.plan.is_some_and(|plan| plan.windows.iter().any(takes_down))
}

/// One that is no healthy voter itself takes nothing away.
fn cannot_be_spared(facts: &Facts<'_>, server: &Machine) -> bool {
    hosts::k3s(facts, server).is_some_and(|k3s| {
        let none = k3s["spare_voters"].as_i64().is_some_and(|spare| spare + mended(facts) < 1);
        none && k3s["member"] == "voter" && k3s["ready"] == "yes"
    })
}

/// Voters that the plan brings back before it takes any other down.
fn mended(facts: &Facts<'_>) -> i64 {
    let Some(plan) = facts.plan else { return 0 };
    let comes_back = |change: &Change| {
        let started = change.kind.lifecycle == Lifecycle::Server
            && change.mends_node()
            && change.attributes.iter().any(|one| one.path == "service");
        started || change.raises_machine()
    };
    let of = |change: &Change, server: &Machine| change.address.name() == server.name.as_str();
    let back = |server: &&Machine| {
        plan.changes.iter().any(|change| of(change, server) && comes_back(change))
    };
    facts.spec.servers.iter().filter(back).map(|_| 1).sum()
}
