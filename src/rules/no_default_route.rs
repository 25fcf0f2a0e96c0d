//! `no-default-route`: k3s finds its own address by the default route and does not start without
//! one (k3s docs, `installation/airgap.md`: a dummy is enough).

use super::words::names;
use super::{Facts, Problem, Rule, hosts};

/// See the file's head.
pub const RULE: Rule = Rule::deny("no-default-route", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let groups = hosts::by_text(facts, |seen| Some(seen["default_route"].as_bool()?.to_string()));
    if let Some(machines) = groups.get("false") {
        let message = format!("k3s does not start without a default route: {}", names(machines));
        let help = "set one in the guest's network configuration: to `gateway` of [machines]";
        report.push(Problem::at(&facts.spec.machines.gateway.place, message, help));
    }
}
