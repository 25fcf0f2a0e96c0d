//! `duplicate-uuid`: the cloud provider and the storage driver find a node's VM by its BIOS UUID
//! (`config.uuid`). Copies of a VM can share it, and vCenter then answers with any of them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

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
    for machine in facts.spec.all_machines() {
        report.extend(copied(facts, &machine.name));
    }
}

/// A machine of which somebody else has a copy.
fn copied(facts: &Facts<'_>, name: &str) -> Option<Problem> {
    let own = |machine: &str| path(facts, machine);
    let ours: Vec<String> =
        facts.spec.all_machines().filter_map(|machine| own(&machine.name)).collect();
    let tree = live(facts, name)?;
    let paths = tree["same_bios_uuid"].as_array()?.iter().filter_map(Json::as_str);
    let others: Vec<&str> = paths.filter(|path| !ours.iter().any(|own| own == path)).collect();
    if others.is_empty() {
        return None;
    }
    let message = format!("{} and {name} have one BIOS UUID", names(&others));
    let help =
        "power off the copy, set another `uuid.bios` in its advanced settings, and power it on";
    Some(Problem::new(message, help).about(&Address::of("vsphere/vm", name)))
}

fn path(facts: &Facts<'_>, name: &str) -> Option<String> {
    live(facts, name)?["path"].as_str().map(str::to_owned)
}

fn live(facts: &Facts<'_>, name: &str) -> Option<Json> {
    let object = facts.live?.get(&Address::of("vsphere/vm", name))?.object()?;
    Some(object.attributes.tree())
}

fn uuid(facts: &Facts<'_>, name: &str) -> Option<String> {
    live(facts, name)?["bios_uuid"].as_str().map(str::to_owned)
}
