//! The machines' VMs.

use std::collections::BTreeMap;

use serde_json::json;

use super::{cloud_init, folder, vcenter_paths};
use crate::resource::{Address, Attributes, Endpoint, Kind, Place, Resource, Value};
use crate::spec::{HardwareUpgrade, Machine, Spec};

/// The address of a machine's VM.
pub fn address(machine: &Machine) -> Address {
    Address::of("vsphere/vm", &machine.name)
}

/// Lowers every machine.
pub fn vms(spec: &Spec) -> Vec<Resource> {
    let Some(kind) = Kind::named("vsphere/vm") else { return Vec::new() };
    spec.all_machines()
        .map(|machine| Resource {
            address: address(machine),
            kind,
            endpoint: Endpoint::vcenter(),
            attributes: Attributes::new(&attributes(spec, machine).encode()),
            place: Attributes::new(&json!({ "path": vcenter_paths::vm(spec, machine) })),
            edges: Vec::new(),
            origin: machine.place.clone(),
            origins: origins(machine),
            adopt: machine.template.is_none(),
            // What boma did not make it does not delete.
            protected: machine.template.is_none(),
        })
        .collect()
}

/// What every node VM needs: facts of the CSI driver's prerequisites (disk UUIDs, hardware 15).
fn attributes(spec: &Spec, machine: &Machine) -> Value {
    let mut attributes = vec![
        ("cpus", (*machine.cpus).into()),
        ("memory_mib", (*machine.memory_mib).into()),
        ("disk_gib", (*machine.disk_gib).into()),
        ("disk_uuid", true.into()),
        ("scsi_controllers", controllers(spec, machine).into()),
        (hardware(machine), (*machine.hardware_version).into()),
        ("power", "on".into()),
    ];
    // What stands already is not shut down for a default.
    for (key, set) in
        [("cpu_hot_add", &machine.cpu_hot_add), ("memory_hot_add", &machine.memory_hot_add)]
    {
        if machine.template.is_some() || is_written(&set.place) {
            attributes.push((key, set.value.into()));
        }
    }
    if let Some(template) = &machine.template {
        attributes.extend(made(spec, machine, template));
    }
    Value::map(attributes)
}

/// The attribute that the hardware version is asked of. An upgrade that is scheduled counts for the
/// second.
fn hardware(machine: &Machine) -> &'static str {
    match *machine.hardware_upgrade {
        HardwareUpgrade::Now => "hardware_version",
        HardwareUpgrade::Scheduled => "hardware_version_after_shutdown",
    }
}

/// What is said of machines that boma makes, and what their guests will report.
fn made(spec: &Spec, machine: &Machine, template: &str) -> [(&'static str, Value); 10] {
    let pool = machine.resource_pool.as_ref().unwrap_or(&spec.vcenter.cluster);
    [
        ("name", machine.name.value.clone().into()),
        ("folder", folder(spec, machine)),
        ("template", template.into()),
        ("datastore", machine.datastore.value.clone().into()),
        ("network", machine.network.value.clone().into()),
        ("pool", pool.value.clone().into()),
        ("cloud_init", cloud_init::cloud_init(spec, machine).into()),
        ("tools", "running".into()),
        ("address", machine.address.value.to_string().into()),
        ("host_key", true.into()),
    ]
}

/// Slots of a PVSCSI controller, and controllers of a VM (vSphere 7 and 8).
const SLOTS: u64 = 15;
const CONTROLLERS_MAX: u64 = 4;

/// The spec's number, else enough for the volumes of the machine when one other is down, and for
/// its system disk.
fn controllers(spec: &Spec, machine: &Machine) -> u64 {
    if let Some(set) = &machine.scsi_controllers {
        return u64::from(set.value);
    }
    let carriers = if spec.agents.is_empty() { &spec.servers } else { &spec.agents };
    if carriers.iter().all(|carrier| carrier.name.value != machine.name.value) {
        return 1;
    }
    let volumes: u64 =
        spec.projects.iter().map(|project| u64::from(project.couchdb.nodes.value)).sum();
    let left = u64::try_from(carriers.len()).unwrap_or(u64::MAX).saturating_sub(1).max(1);
    volumes.div_ceil(left).saturating_add(1).div_ceil(SLOTS).min(CONTROLLERS_MAX)
}

/// Whether somebody wrote the value: a default's place is empty.
pub fn is_written(place: &Place) -> bool {
    place.span.0 < place.span.1
}

/// The path of a folder that boma makes, or of the datacenter's own.
fn folder(spec: &Spec, machine: &Machine) -> Value {
    if machine.folder.is_empty() {
        vcenter_paths::vm_root(spec).into()
    } else {
        Value::reference(&folder::address(&machine.folder), "path")
    }
}

fn origins(machine: &Machine) -> BTreeMap<String, Place> {
    let mut origins = BTreeMap::from([
        ("cpus".to_owned(), machine.cpus.place.clone()),
        ("memory_mib".to_owned(), machine.memory_mib.place.clone()),
        ("disk_gib".to_owned(), machine.disk_gib.place.clone()),
        ("cpu_hot_add".to_owned(), machine.cpu_hot_add.place.clone()),
        ("memory_hot_add".to_owned(), machine.memory_hot_add.place.clone()),
        (hardware(machine).to_owned(), machine.hardware_version.place.clone()),
        ("address".to_owned(), machine.address.place.clone()),
        ("folder".to_owned(), machine.folder.place.clone()),
        ("datastore".to_owned(), machine.datastore.place.clone()),
        ("network".to_owned(), machine.network.place.clone()),
    ]);
    let optional = [
        ("template", machine.template.as_ref().map(|set| &set.place)),
        ("pool", machine.resource_pool.as_ref().map(|set| &set.place)),
        ("scsi_controllers", machine.scsi_controllers.as_ref().map(|set| &set.place)),
    ];
    let given =
        optional.into_iter().filter_map(|(key, place)| Some((key.to_owned(), place?.clone())));
    origins.extend(given);
    origins
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    fn check(edits: &[(&str, &str)], machine: &str, expected: &[(&str, serde_json::Value)]) {
        let vms = vms(&spec(edits));
        let vm = vms.iter().find(|vm| vm.address == Address::of("vsphere/vm", machine)).unwrap();
        let tree = vm.attributes.tree();
        for (key, value) in expected {
            assert_eq!(tree.get(*key).unwrap_or(&json!(null)), value, "{key}");
        }
    }

    #[test]
    fn agents_get_controllers_for_the_volumes_of_one_that_is_down() {
        // All volumes on the one agent that is left, and its system disk.
        let projects = |edit| [("[projects]\ncount  = 2", edit)];
        let fourteen = projects("[projects]\ncount = 14");
        check(&fourteen, "agent-1", &[("scsi_controllers", json!(1))]);
        let fifteen = projects("[projects]\ncount = 15");
        check(&fifteen, "agent-1", &[("scsi_controllers", json!(2))]);
        let many = projects("[projects]\ncount = 200");
        check(&many, "agent-1", &[("scsi_controllers", json!(4))]);
        check(&many, "server-1", &[("scsi_controllers", json!(1))]);
        let set = [("cpus      = 8", "cpus = 8\nscsi_controllers = 3")];
        check(&set, "agent-1", &[("scsi_controllers", json!(3))]);
    }

    #[test]
    fn a_scheduled_upgrade_asks_for_the_next_hardware() {
        let scheduled = [("cpus      = 8", "cpus = 8\nhardware_upgrade = \"scheduled\"")];
        let (is, no) = (json!(15), json!(null));
        let next = "hardware_version_after_shutdown";
        check(&scheduled, "agent-1", &[(next, is.clone()), ("hardware_version", no.clone())]);
        check(&scheduled, "server-1", &[(next, no), ("hardware_version", is)]);
    }

    #[test]
    fn what_stands_already_is_asked_for_no_default() {
        let no = json!(null);
        let hot_add = ("cpu_hot_add    = false\nmemory_hot_add = false\n", "");
        let adopted = [("template = \"ubuntu-22.04\"\n", ""), hot_add];
        let expected = [
            ("cpu_hot_add", no.clone()),
            ("memory_hot_add", no.clone()),
            ("cloud_init", no.clone()),
            ("tools", no.clone()),
            ("address", no),
        ];
        check(&adopted, "server-1", &expected);
        let asked = [adopted[0], hot_add, ("cpus      = 4", "cpus = 4\ncpu_hot_add = true")];
        check(&asked, "server-1", &[("cpu_hot_add", json!(true))]);
        let made = [
            ("cpu_hot_add", json!(true)),
            ("tools", json!("running")),
            ("address", json!("10.20.0.11")),
        ];
        check(&[hot_add], "server-1", &made);
    }
}
