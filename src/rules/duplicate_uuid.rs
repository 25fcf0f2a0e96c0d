//! `duplicate-uuid`: the cloud provider and the storage driver find a node's VM by its BIOS UUID
//! (`config.uuid`). Copies of a VM can share it, and vCenter then answers with any of them.

use std::collections::BTreeMap;

use super::words::names;
use super::{Facts, Problem, Rule};
use crate::resource::Address;

/// See the file's head.
pub const RULE: Rule = Rule::deny("duplicate-uuid", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let mut machines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for machine in facts.spec.all_machines() {
        let uuid = uuid(facts, &machine.name);
        if let Some(uuid) = uuid {
            machines.entry(uuid).or_default().push(&machine.name);
        }
    }
    for (uuid, machines) in machines.iter().filter(|(_, machines)| machines.len() > 1) {
        let message = format!("{} have one BIOS UUID, {uuid}", names(machines));
        let help = "power off all but one, set another `uuid.bios` in each one's advanced settings, \
            and power them on";
        let address = Address::of("vsphere/vm", machines.last().unwrap_or(&""));
        report.push(Problem::new(message, help).about(&address));
    }
}

fn uuid(facts: &Facts<'_>, name: &str) -> Option<String> {
    let object = facts.live?.get(&Address::of("vsphere/vm", name))?.object()?;
    object.attributes.tree()["bios_uuid"].as_str().map(str::to_owned)
}
