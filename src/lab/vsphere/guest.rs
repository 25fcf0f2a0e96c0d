//! What runs inside a machine, as far as vCenter and cloud-init settle it.

use super::device::Body;
use super::ids;
use super::machine::Machine;
use super::world::{Entity, Origin, World};

/// A machine that may run an operating system, as its host is made from it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::lab) struct Guest {
    /// The managed object id: another one for a machine that was built again.
    pub id: String,
    pub name: String,
    /// It stood before the first request, and was made by hand.
    pub standing: bool,
    pub powered_on: bool,
    /// Milliseconds since 1970.
    pub booted_ms: u64,
    pub address: String,
    pub hostname: String,
    /// BIOS UUID in vCenter's form.
    pub uuid: String,
    pub instance_uuid: String,
    pub cpus: u32,
    pub memory_mib: u64,
    pub disk_gib: u64,
    /// What cloud-init was told, decoded.
    pub userdata: String,
}

/// Where a machine publishes its SSH host key.
const HOST_KEY: &str = "guestinfo.boma.hostkey";
/// Where cloud-init's VMware data source publishes the address it found.
const LOCAL_ADDRESS: &str = "guestinfo.local-ipv4";

/// The machines that have, or may get, a host: no templates and none of other people.
pub(in crate::lab) fn guests(world: &World) -> Vec<Guest> {
    let machines = world
        .entities
        .values()
        .filter(|entity| matches!(entity.origin, Origin::Client | Origin::Standing));
    machines.filter_map(guest).collect()
}

/// 32 bytes that belong to one machine and one purpose.
pub(in crate::lab) fn draw_bytes(seed: u64, purpose: &str, name: &str) -> [u8; 32] {
    ids::digest(seed, &["host", purpose, name])
}

/// Has a machine that is powered on tell its address, where its cloud-init was told something, and
/// its host key, where that says so.
pub(super) fn publish(seed: u64, id: &str, machine: &mut Machine) {
    let userdata = userdata(machine);
    if !userdata.is_empty() {
        let address = machine.guest_address();
        machine.set_extra(LOCAL_ADDRESS, &address);
    }
    if userdata.contains(HOST_KEY) {
        machine.set_extra(HOST_KEY, &crate::lab::host::fingerprint(seed, id));
    }
}

/// Forgets what the guest told: it is gone with the power.
pub(super) fn withdraw(machine: &mut Machine) {
    machine.set_extra(HOST_KEY, "");
    machine.set_extra(LOCAL_ADDRESS, "");
}

fn guest(entity: &Entity) -> Option<Guest> {
    let machine = entity.machine().filter(|machine| !machine.template)?;
    let disk = machine.devices.iter().find_map(|device| match &device.body {
        Body::Disk { capacity_kib, .. } => u64::try_from(*capacity_kib >> 20).ok(),
        _ => None,
    });
    Some(Guest {
        id: entity.id.clone(),
        name: entity.name.clone(),
        standing: entity.origin == Origin::Standing,
        powered_on: machine.powered_on,
        booted_ms: machine.booted_ms,
        address: machine.guest_address(),
        hostname: machine.guest_name(&entity.name),
        uuid: machine.uuid.clone(),
        instance_uuid: machine.instance_uuid.clone(),
        cpus: u32::try_from(machine.cpus).unwrap_or(1),
        memory_mib: u64::try_from(machine.memory_mib).unwrap_or_default(),
        disk_gib: disk.unwrap_or_default(),
        userdata: userdata(machine),
    })
}

fn userdata(machine: &Machine) -> String {
    machine.told("guestinfo.userdata")
}
