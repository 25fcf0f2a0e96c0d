//! What was read of machines and their k3s, for the rules that look before anything is touched.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Facts;
use crate::plan::{Action, Change};
use crate::resource::Address;
use crate::spec::{Machine, Role};

/// What a machine says of itself. `None` where nobody looked or could.
pub fn seen(facts: &Facts<'_>, machine: &Machine) -> Option<Json> {
    read(facts, &address(machine))
}

/// A machine's k3s, as read.
pub fn k3s(facts: &Facts<'_>, machine: &Machine) -> Option<Json> {
    read(facts, &node(machine))
}

/// A machine's VM, as read.
pub fn vm(facts: &Facts<'_>, machine: &Machine) -> Option<Json> {
    read(facts, &Address::of("vsphere/vm", &machine.name))
}

/// A machine's name among the readings.
pub fn address(machine: &Machine) -> Address {
    Address::of("host/machine", &machine.name)
}

/// The address of a machine's k3s.
pub fn node(machine: &Machine) -> Address {
    match machine.role {
        Role::Server => Address::of("k3s/server", &machine.name),
        Role::Agent => Address::of("k3s/agent", &machine.name),
    }
}

/// What the plan does to a machine's k3s. `None` where it does nothing.
pub fn change<'a>(facts: &Facts<'a>, machine: &Machine) -> Option<&'a Change> {
    let address = node(machine);
    let mut changes = facts.plan?.changes.iter();
    changes.find(|change| change.address == address && change.action != Action::NoOp)
}

/// Machines by a text that each of them says of itself, where they say one.
pub fn by_text<'a>(
    facts: &Facts<'a>,
    text: impl Fn(&Json) -> Option<String>,
) -> BTreeMap<String, Vec<&'a str>> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for machine in facts.spec.all_machines() {
        if let Some(text) = seen(facts, machine).and_then(|seen| text(&seen)) {
            groups.entry(text).or_default().push(&machine.name);
        }
    }
    groups
}

fn read(facts: &Facts<'_>, address: &Address) -> Option<Json> {
    Some(facts.live?.get(address)?.object()?.attributes.tree())
}
