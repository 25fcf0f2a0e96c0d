//! `hostname`: k3s names a Node by the hostname where nobody tells it otherwise, which boma does
//! only on machines that it makes. Of others it would wait for a Node that never comes.

use super::{Facts, Problem, Rule, hosts};
use crate::spec::Machine;

/// See the file's head.
pub const RULE: Rule = Rule::deny("hostname", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let groups = hosts::by_text(facts, |seen| seen["hostname"].as_str().map(str::to_lowercase));
    // Of a name that two have the rule `duplicate-hostname` speaks.
    let single = groups.iter().filter(|(_, machines)| machines.len() == 1);
    for (hostname, machines) in single {
        let other = |machine: &&Machine| {
            machines.contains(&machine.name.as_str()) && machine.name.value != *hostname
        };
        report.extend(
            facts.spec.all_machines().filter(other).map(|machine| problem(machine, hostname)),
        );
    }
}

fn problem(machine: &Machine, hostname: &str) -> Problem {
    let name = &machine.name;
    let message = format!("the hostname of {name} is {hostname}");
    let help = format!(
        "name the machine {hostname} in the spec where it is a node already, else set its name: \
         `hostnamectl set-hostname {name}`"
    );
    let problem = Problem::at(&name.place, message, help).about(&hosts::address(machine));
    if machine.template.is_some() { problem.warn() } else { problem }
}
