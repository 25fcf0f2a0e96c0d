//! What people clicked together in the vSphere client before any engine came.

use crate::lab::{MachineSetup, RoleSetup};

use super::device::{Body, Device, scsi};
use super::ids;
use super::machine::Machine;
use super::role::{ALWAYS, fresh};
use super::world::{Effect, Origin, Permission, ROOT, Role, World};

/// Sets a new machine up as somebody did.
pub(super) fn adjust(machine: &mut Machine, standing: &MachineSetup) {
    if standing.disk_uuid {
        machine.set_disk_uuid(true);
    }
    standing.extra.iter().for_each(|(key, value)| machine.set_extra(key, value));
    machine.disk_uuid |= standing.disk_uuid_flag;
    machine.powered_on = standing.powered_on;
    machine.cpu_hot_add = standing.cpu_hot_add;
    machine.memory_hot_add = standing.memory_hot_add;
    if let Some(address) = &standing.address {
        machine.address.clone_from(address);
    }
    for device in &mut machine.devices {
        if let Body::Disk { thin, .. } = &mut device.body {
            *thin = !standing.thick;
        }
    }
    if !standing.controllers.is_empty() {
        machine.devices.retain(|device| !matches!(device.body, Body::Scsi { .. }));
        machine.devices.extend((0..).zip(&standing.controllers).map(|(bus, class)| Device {
            key: 1000 + bus,
            controller: Some(100),
            unit: Some(3 + bus),
            body: scsi(class, bus),
        }));
        machine.devices.sort_by_key(|device| device.key);
    }
}

/// What makes a role that somebody made by hand, and its permissions. A path where nothing is gets
/// none.
pub(super) fn role(world: &World, setup: &RoleSetup) -> Vec<Effect> {
    let known = world.roles.values().find(|role| role.name == setup.name);
    let id = known.map_or_else(|| fresh(world, &setup.name), |role| role.id);
    let own = setup.privileges.iter().map(String::as_str);
    let made = known.is_none().then(|| Role {
        id,
        name: setup.name.clone(),
        system: false,
        origin: Origin::Standing,
        privileges: own.chain(ALWAYS.iter().copied()).map(str::to_owned).collect(),
    });
    let entity = |path: &String| match path.as_str() {
        "/" => world.get(ROOT),
        path => world.at(path),
    };
    let given = setup.on.iter().filter_map(entity).map(|entity| Permission {
        entity: entity.id.clone(),
        principal: ids::principal(&setup.principal),
        group: false,
        role: id,
        propagate: setup.propagate,
        origin: Origin::Standing,
    });
    made.map(Effect::PutRole).into_iter().chain(given.map(Effect::Permit)).collect()
}
