//! The machines' VMs.

use std::collections::BTreeMap;

use serde_json::json;

use super::{folder, vcenter_paths};
use crate::resource::{Address, Attributes, Endpoint, Kind, Place, Resource, Value};
use crate::spec::{Machine, Spec};

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
        ("disk_uuid", true.into()),
        ("hardware_version", (*machine.hardware_version).into()),
        ("power", "on".into()),
    ];
    if let Some(template) = &machine.template {
        let pool = machine.resource_pool.as_ref().unwrap_or(&spec.vcenter.cluster);
        attributes.extend([
            ("name", machine.name.value.clone().into()),
            ("folder", folder(spec, machine)),
            ("template", template.value.clone().into()),
            ("datastore", machine.datastore.value.clone().into()),
            ("network", machine.network.value.clone().into()),
            ("pool", pool.value.clone().into()),
        ]);
    }
    Value::map(attributes)
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
        ("hardware_version".to_owned(), machine.hardware_version.place.clone()),
        ("folder".to_owned(), machine.folder.place.clone()),
        ("datastore".to_owned(), machine.datastore.place.clone()),
        ("network".to_owned(), machine.network.place.clone()),
    ]);
    origins.extend(
        machine.template.as_ref().map(|template| ("template".to_owned(), template.place.clone())),
    );
    origins
}
