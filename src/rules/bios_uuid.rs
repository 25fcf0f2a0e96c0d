//! `bios-uuid`: the product serial of a guest holds its VM's BIOS UUID. Where they differ, another
//! machine answers at the address, or the node would be named by a UUID that CPI finds nowhere.

use super::{Facts, Problem, Rule, hosts};
use crate::spec::Machine;

/// See the file's head.
pub const RULE: Rule = Rule::deny("bios-uuid", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    report.extend(facts.spec.all_machines().filter_map(|machine| problem(facts, machine)));
}

fn problem(facts: &Facts<'_>, machine: &Machine) -> Option<Problem> {
    let (seen, vm) = (hosts::seen(facts, machine)?, hosts::vm(facts, machine)?);
    let (guest, vm) = (seen["bios_uuid"].as_str()?, vm["bios_uuid"].as_str()?);
    if guest.eq_ignore_ascii_case(vm) {
        return None;
    }
    let (name, address) = (&machine.name, &machine.address);
    let message =
        format!("at {address} answers a machine with BIOS UUID {guest}, and {name} has {vm}");
    let help = format!(
        "find out which VM has {address} in its guest (`boma inventory`), and correct the address \
         in the spec or there"
    );
    Some(Problem::at(&address.place, message, help).about(&hosts::address(machine)))
}
