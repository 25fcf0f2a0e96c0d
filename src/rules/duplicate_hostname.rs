//! `duplicate-hostname`: the second machine with a name is refused by the servers ("Node password
//! rejected, duplicate hostname", k3s issues 802, 6054), or its etcd does not join (2769).

use super::words::names;
use super::{Facts, Problem, Rule, hosts};

/// See the file's head.
pub const RULE: Rule = Rule::deny("duplicate-hostname", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let groups = hosts::by_text(facts, |seen| Some(seen["hostname"].as_str()?.to_lowercase()));
    for (hostname, machines) in groups.iter().filter(|(_, machines)| machines.len() > 1) {
        let message = format!("{} have one hostname, {hostname}", names(machines));
        let help = "give each its own name in the spec: `hostnamectl set-hostname NAME` there";
        report.push(Problem::new(message, help));
    }
}
