//! `duplicate-machine-id`: copies of a template share /etc/machine-id unless it was emptied. DHCP,
//! the journal and Kubernetes then take two machines for one, and so would boma.

use super::words::names;
use super::{Facts, Problem, Rule, hosts};

/// See the file's head.
pub const RULE: Rule = Rule::deny("duplicate-machine-id", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let groups = hosts::by_text(facts, |seen| seen["machine_id"].as_str().map(str::to_owned));
    for (id, machines) in groups.iter().filter(|(_, machines)| machines.len() > 1) {
        let message = format!("{} have one machine-id, {id}", names(machines));
        let help = "on all but one: `rm /etc/machine-id`, `systemd-machine-id-setup`, and restart";
        report.push(Problem::new(message, help));
    }
}
