//! Disks that are not a machine's own: hung on it as the storage driver does, left behind when
//! they are taken off, deleted with the machine when they are not.

use serde::{Deserialize, Serialize};

use super::device::{Body, Device};
use super::device_change::place_disk;
use super::ids;
use super::machine::Machine;
use super::world::{Detail, Effect, Entity, Entry, World};

/// A disk that hangs on no machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LooseDisk {
    /// `[datastore] folder/name.vmdk`
    pub file: String,
    /// Managed object id.
    pub datastore: String,
    pub capacity_kib: i64,
    pub uuid: String,
    pub thin: bool,
    /// As a first-class disk.
    pub id: Option<String>,
}

/// A disk that was deleted though it was there before the machine it hung on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LostDisk {
    pub file: String,
    /// The machine's path at that time.
    pub machine: String,
}

impl LooseDisk {
    /// The same disk on a machine.
    pub(super) fn body(&self) -> Body {
        Body::Disk {
            capacity_kib: self.capacity_kib,
            file: self.file.clone(),
            datastore: self.datastore.clone(),
            uuid: self.uuid.clone(),
            thin: self.thin,
            foreign: true,
            id: self.id.clone(),
        }
    }
}

/// What becomes of a device that a request takes off a machine: a disk's file stays unless the
/// request destroys it.
pub(super) fn removed(body: Body, destroy: bool, machine: &str) -> Option<Effect> {
    let Body::Disk { capacity_kib, file, datastore, uuid, thin, foreign, id } = body else {
        return None;
    };
    if !destroy {
        let disk = LooseDisk { file, datastore, capacity_kib, uuid, thin, id };
        return Some(Effect::PutDisk(disk));
    }
    let machine = machine.to_owned();
    foreign.then_some(Effect::LoseDisk(LostDisk { file, machine }))
}

/// The foreign disks that go when a machine is destroyed. vCenter deletes every disk that hangs on
/// it, whoever made it.
pub(super) fn lost(world: &World, entity: &Entity) -> Vec<Effect> {
    let path = world.path(&entity.id);
    let files = entity.machine().into_iter().flat_map(foreign);
    let lost = |file: &str| LostDisk { file: file.to_owned(), machine: path.clone() };
    files.map(|file| Effect::LoseDisk(lost(file))).collect()
}

/// The files of the foreign disks of a machine.
pub(super) fn foreign(machine: &Machine) -> impl Iterator<Item = &str> {
    machine.devices.iter().filter_map(|device| match &device.body {
        Body::Disk { file, foreign: true, .. } => Some(file.as_str()),
        _ => None,
    })
}

/// The machine that a file hangs on.
pub(super) fn holder<'a>(world: &'a World, file: &str) -> Option<&'a Entity> {
    world.entities.values().find(|entity| {
        let devices = entity.machine().into_iter().flat_map(|machine| &machine.devices);
        devices
            .into_iter()
            .any(|device| matches!(&device.body, Body::Disk { file: own, .. } if own == file))
    })
}

/// Hangs a first-class disk on a machine as the storage driver does, running or not; makes the
/// disk, of 1 GiB, where there is none. Nothing is applied.
///
/// # Errors
/// What is wrong with the path or the file, as text.
pub(in crate::lab) fn attach(world: &World, path: &str, file: &str) -> Result<Entry, String> {
    let (entity, machine) = machine_at(world, path)?;
    if let Some(other) = holder(world, file) {
        return Err(format!("{file} hangs on {} already", world.path(&other.id)));
    }
    let disk = match world.disks.get(file) {
        Some(disk) => disk.clone(),
        None => first_class(world, file)?,
    };
    let mut machine = machine.clone();
    let (controller, unit) = place_disk(&machine.devices)
        .ok_or_else(|| format!("{path} has no free place on a SCSI controller"))?;
    let key = super::device_change::free(&machine.devices, 2000);
    let body = disk.body();
    machine.devices.push(Device { key, controller: Some(controller), unit: Some(unit), body });
    machine.devices.sort_by_key(|device| device.key);
    machine.changes += 1;
    Ok(Entry { effects: vec![Effect::TakeDisk(disk.file), entity.with(machine)] })
}

/// Takes a foreign disk off a machine; its file stays. Nothing is applied.
///
/// # Errors
/// What is wrong with the path or the file, as text.
pub(in crate::lab) fn detach(world: &World, path: &str, file: &str) -> Result<Entry, String> {
    let (entity, machine) = machine_at(world, path)?;
    let mut machine = machine.clone();
    let place = machine.devices.iter().position(
        |device| matches!(&device.body, Body::Disk { file: own, foreign: true, .. } if own == file),
    );
    let place = place.ok_or_else(|| format!("no foreign disk {file} hangs on {path}"))?;
    let gone = machine.devices.remove(place);
    machine.changes += 1;
    let mut effects: Vec<Effect> = removed(gone.body, false, path).into_iter().collect();
    effects.push(entity.with(machine));
    Ok(Entry { effects })
}

/// The machine at a path.
///
/// # Errors
/// There is none, as text.
pub(super) fn machine_at<'a>(
    world: &'a World,
    path: &str,
) -> Result<(&'a Entity, &'a Machine), String> {
    let entity = world.at(path).ok_or_else(|| format!("nothing is at {path}"))?;
    match &entity.detail {
        Detail::Machine(machine) => Ok((entity, machine)),
        _ => Err(format!("{path} is a {}, not a machine", entity.class())),
    }
}

pub(super) fn first_class(world: &World, file: &str) -> Result<LooseDisk, String> {
    let named = file.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let (datastore, _) = named
        .filter(|(_, path)| path.ends_with(".vmdk"))
        .ok_or_else(|| format!("write {file} as `[datastore] folder/name.vmdk`"))?;
    let datastore = world
        .of_class("Datastore")
        .find(|known| known.name == datastore)
        .ok_or_else(|| format!("there is no datastore {datastore}"))?;
    Ok(LooseDisk {
        file: file.to_owned(),
        datastore: datastore.id.clone(),
        capacity_kib: 1 << 20,
        uuid: ids::uuid(world.seed, "6000", &["disk", file]),
        thin: true,
        id: Some(ids::uuid(world.seed, "", &["first-class disk", file])),
    })
}
