//! Machines as the REST calls show them.

use serde_json::{Map, Value, json};

use super::device::Body;
use super::machine::Machine;
use super::world::Entity;

/// One line of the list; templates are not in it.
pub(super) fn summary(entity: &Entity) -> Option<Value> {
    let machine = entity.machine().filter(|machine| !machine.template)?;
    Some(json!({
        "vm": entity.id,
        "name": entity.name,
        "power_state": power(machine),
        "cpu_count": machine.cpus,
        "memory_size_MiB": machine.memory_mib,
    }))
}

/// The whole machine. The older form writes maps as lists of keys and values.
pub(super) fn info(entity: &Entity, machine: &Machine, lists: bool) -> Value {
    let upgrade = machine.upgrade.as_ref();
    let policy = match upgrade.map(|upgrade| upgrade.policy.as_str()) {
        Some("always") => "ALWAYS",
        Some("onSoftPowerOff") => "AFTER_CLEAN_SHUTDOWN",
        _ => "NEVER",
    };
    json!({
        "name": entity.name,
        "identity": {
            "name": entity.name,
            "bios_uuid": machine.uuid,
            "instance_uuid": machine.instance_uuid,
        },
        "power_state": power(machine),
        "guest_OS": "UBUNTU_64",
        "hardware": {
            "version": format!("VMX_{}", machine.version),
            "upgrade_policy": policy,
            "upgrade_status": if upgrade.is_some() { "PENDING" } else { "NONE" },
        },
        "cpu": {
            "count": machine.cpus,
            "cores_per_socket": machine.cores_per_socket,
            "hot_add_enabled": machine.cpu_hot_add,
            "hot_remove_enabled": false,
        },
        "memory": {
            "size_MiB": machine.memory_mib,
            "hot_add_enabled": machine.memory_hot_add,
        },
        "disks": map(devices(machine, disk), lists),
        "nics": map(devices(machine, nic), lists),
        "scsi_adapters": map(devices(machine, adapter), lists),
    })
}

fn power(machine: &Machine) -> &'static str {
    if machine.powered_on { "POWERED_ON" } else { "POWERED_OFF" }
}

fn devices(machine: &Machine, one: fn(&Body) -> Option<Value>) -> Map<String, Value> {
    let found = machine.devices.iter();
    found.filter_map(|device| Some((device.key.to_string(), one(&device.body)?))).collect()
}

fn map(values: Map<String, Value>, lists: bool) -> Value {
    if !lists {
        return Value::Object(values);
    }
    values.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

fn disk(body: &Body) -> Option<Value> {
    let Body::Disk { capacity_kib, file, .. } = body else { return None };
    Some(json!({
        "type": "SCSI",
        "capacity": capacity_kib.saturating_mul(1024),
        "backing": { "type": "VMDK_FILE", "vmdk_file": file },
    }))
}

fn nic(body: &Body) -> Option<Value> {
    let Body::Nic { mac, network, network_name, .. } = body else { return None };
    Some(json!({
        "type": "VMXNET3",
        "mac_address": mac,
        "backing": {
            "type": "STANDARD_PORTGROUP",
            "network": network,
            "network_name": network_name,
        },
    }))
}

fn adapter(body: &Body) -> Option<Value> {
    let Body::Scsi { class, bus, .. } = body else { return None };
    let class = match class.as_str() {
        "ParaVirtualSCSIController" => "PVSCSI",
        "VirtualLsiLogicSASController" => "LSILOGICSAS",
        "VirtualLsiLogicController" => "LSILOGIC",
        _ => "BUSLOGIC",
    };
    Some(json!({ "type": class, "scsi": { "bus": bus, "unit": 7 }, "sharing": "NONE" }))
}
