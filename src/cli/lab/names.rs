//! From vCenter's own names to addresses and attributes: a table apart from the provider's, so
//! that a misreading there shows.

use serde_json::{Value as Json, json};

use super::super::error::CliError;
use super::{cluster_names, host_names};
use crate::lab::Drifted;
use crate::lower::{lower, vcenter_paths as paths};
use crate::plan::Desired;
use crate::render::json::LabDriftedJson;
use crate::spec::Spec;

/// Native property, attribute.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("config.hardware.numCPU", "cpus"),
    ("config.hardware.memoryMB", "memory_mib"),
    ("config.flags.diskUuidEnabled", "disk_uuid"),
    ("runtime.powerState", "power"),
    ("parent", "folder"),
    ("name", "name"),
    ("enabled", "enabled"),
    ("vm", "vms"),
    ("privilege", "privileges"),
    ("roleId", "role"),
    ("propagate", "propagate"),
    ("exists", "exists"),
];

/// Translates what the lab changed.
///
/// # Errors
/// It changed something that is no resource of the spec: a defect of the lab.
pub fn translate(spec: &Spec, drifted: &[Drifted]) -> Result<Vec<LabDriftedJson>, CliError> {
    let desired = lower(spec);
    let one = |one| translate_one(spec, &desired, one).ok_or_else(|| unknown(one));
    drifted.iter().map(one).collect()
}

fn translate_one(spec: &Spec, desired: &Desired, one: &Drifted) -> Option<LabDriftedJson> {
    if one.object_type == "Host" {
        return host_names::translate(spec, one);
    }
    if one.object_type == "Kubernetes" {
        return cluster_names::translate(desired, one);
    }
    let (_, attribute) = ATTRIBUTES.iter().find(|(property, _)| *property == one.property)?;
    Some(LabDriftedJson {
        address: address(spec, one)?,
        attribute: (*attribute).to_owned(),
        before: value(&one.before),
        after: value(&one.after),
    })
}

fn address(spec: &Spec, one: &Drifted) -> Option<String> {
    match one.object_type.as_str() {
        "Role" => Some(format!("vsphere/role/{}", one.name)),
        "VirtualMachine" => machine(spec, &one.name).map(|name| format!("vsphere/vm/{name}")),
        "ClusterRule" => rule(spec, &one.name).map(|name| format!("vsphere/rule/{name}")),
        "Permission" => entity(spec, &one.name).map(|name| format!("vsphere/permission/{name}")),
        _ => None,
    }
}

fn machine<'a>(spec: &'a Spec, path: &str) -> Option<&'a str> {
    spec.all_machines()
        .find(|machine| paths::vm(spec, machine) == path)
        .map(|machine| machine.name.as_str())
}

/// The group whose rule it is: the lab names rules by cluster and name.
fn rule(spec: &Spec, title: &str) -> Option<&'static str> {
    let name = title.strip_prefix(&format!("{} ", paths::cluster(spec)))?;
    let group = name.strip_prefix(&format!("{}-", *spec.name))?;
    ["servers", "agents"].into_iter().find(|known| *known == group)
}

fn entity(spec: &Spec, path: &str) -> Option<String> {
    let vcenter = &spec.vcenter;
    if path == "/" {
        return Some("root".into());
    }
    if path == paths::datacenter(spec) {
        return Some(format!("datacenter/{}", *vcenter.datacenter));
    }
    if path == paths::datastore(spec, &vcenter.datastore) {
        return Some(format!("datastore/{}", *vcenter.datastore));
    }
    let host = vcenter.hosts.iter().find(|host| paths::host(spec, host) == path);
    host.map(|host| format!("host/{}", **host))
        .or_else(|| machine(spec, path).map(|name| format!("vm/{name}")))
}

fn value(native: &Json) -> Json {
    match native.as_str() {
        Some("poweredOn") => json!("on"),
        Some("poweredOff") => json!("off"),
        _ => native.clone(),
    }
}

fn unknown(one: &Drifted) -> CliError {
    CliError::new(
        format!(
            "the lab changed {} of {} {}, which is no resource of the spec",
            one.property, one.object_type, one.name
        ),
        "this is a defect of boma: please report it",
    )
}
