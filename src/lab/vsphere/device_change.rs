//! `deviceChange`: adding, editing and removing virtual devices.

use crate::xml::Element;

use super::call::{flag, number};
use super::device::{Body, Device};
use super::disk::{self, LooseDisk};
use super::fault::Fault;
use super::ids;
use super::world::{Effect, Ref, World};

/// The devices of one machine while a request changes them.
pub(super) struct Bench<'a> {
    pub world: &'a World,
    /// The machine's.
    pub path: &'a str,
    pub instance_uuid: &'a str,
    /// `[datastore] folder/name`: where new files begin.
    pub home: &'a str,
    pub datastore: &'a str,
    pub devices: &'a mut Vec<Device>,
    /// What happens to disks outside the machine.
    pub effects: Vec<Effect>,
}

impl Bench<'_> {
    /// Carries out checked `VirtualDeviceConfigSpec`s in their order. A later one may refer to a
    /// new device by the key below zero that the request gave it.
    ///
    /// # Errors
    /// `InvalidDeviceSpec` for a key, controller or size that cannot be, `FileNotFound` and
    /// `FileLocked` for a disk to attach, `NotSupported` for what the lab lacks.
    pub(super) fn change<'e>(
        &mut self,
        specs: impl Iterator<Item = &'e Element>,
    ) -> Result<(), Fault> {
        let mut aliases = Vec::new();
        for (index, spec) in specs.enumerate() {
            self.change_one(spec, &mut aliases).map_err(|problem| match problem {
                Problem::Fault(fault) => fault,
                Problem::Property(property) => {
                    let message = format!("Invalid configuration for device '{index}'.");
                    Fault::new("InvalidDeviceSpec", message)
                        .text("property", property)
                        .text("deviceIndex", index.to_string())
                }
            })?;
        }
        Ok(())
    }

    fn change_one(&mut self, spec: &Element, aliases: &mut Vec<(i32, i32)>) -> Result<(), Problem> {
        let device = spec.child("device").ok_or(KEY)?;
        let key = key(device, "key").unwrap_or(-1);
        let place = self.devices.iter().position(|known| known.key == key);
        match (spec.child_text("operation"), place) {
            (Some("add"), _) => {
                let made = self.add(device, spec.child_text("fileOperation"), aliases)?;
                aliases.push((key, made.key));
                self.devices.push(made);
                self.devices.sort_by_key(|device| device.key);
            }
            (Some("edit"), Some(place)) => edit(self.world, &mut self.devices[place], device)?,
            (Some("remove"), Some(place)) => {
                if self.devices.iter().any(|other| other.controller == Some(key)) {
                    return Err(KEY);
                }
                let gone = self.devices.remove(place);
                let destroy = spec.child_text("fileOperation") == Some("destroy");
                self.effects.extend(disk::removed(gone.body, destroy, self.path));
            }
            _ => return Err(KEY),
        }
        Ok(())
    }

    fn add(
        &mut self,
        spec: &Element,
        file: Option<&str>,
        aliases: &[(i32, i32)],
    ) -> Result<Device, Problem> {
        match spec.xsi_type().unwrap_or("VirtualDevice") {
            class if class.starts_with("ParaVirtualSCSI") || class.contains("Logic") => {
                self.controller(class, spec)
            }
            "VirtualDisk" => match file {
                Some("create") => self.disk(spec, aliases),
                None => self.attach(spec, aliases),
                Some(other) => {
                    Err(Problem::Fault(Fault::unsimulated(&format!("adding a disk by {other}"))))
                }
            },
            class @ ("VirtualVmxnet3" | "VirtualE1000" | "VirtualE1000e") => self.nic(class, spec),
            other => Err(Problem::Fault(Fault::unsimulated(&format!("adding a {other}")))),
        }
    }

    fn controller(&self, class: &str, spec: &Element) -> Result<Device, Problem> {
        let bus = key(spec, "busNumber").unwrap_or(-1);
        let taken =
            |known: &Device| matches!(known.body, Body::Scsi { bus: other, .. } if other == bus);
        if !(0..SCSI_BUSES).contains(&bus) || self.devices.iter().any(taken) {
            return Err(Problem::Property("deviceChange.device.busNumber"));
        }
        Ok(Device {
            key: 1000 + bus,
            controller: Some(100),
            unit: Some(3 + bus),
            body: Body::Scsi {
                class: class.to_owned(),
                bus,
                sharing: spec.child_text("sharedBus").unwrap_or("noSharing").to_owned(),
            },
        })
    }

    fn nic(&self, class: &str, spec: &Element) -> Result<Device, Problem> {
        let key = free(self.devices, 4000);
        let backing = spec.child("backing").ok_or(BACKING)?;
        let (network, network_name) = backing_network(self.world, backing)?;
        Ok(Device {
            key,
            controller: Some(100),
            unit: Some(7 + key - 4000),
            body: Body::Nic {
                class: class.to_owned(),
                mac: ids::mac(self.world.seed, &[self.instance_uuid, &key.to_string()]),
                network,
                network_name,
            },
        })
    }

    fn disk(&self, spec: &Element, aliases: &[(i32, i32)]) -> Result<Device, Problem> {
        let (controller, unit) = self.place(spec, aliases)?;
        let capacity_kib = number(spec, "capacityInKB")
            .filter(|size| *size > 0)
            .ok_or(Problem::Property("deviceChange.device.capacityInKB"))?;
        let key = free(self.devices, 2000);
        let thin = spec.child("backing").and_then(|backing| flag(backing, "thinProvisioned"));
        let uuid = ["disk", self.instance_uuid, &key.to_string()];
        let body = Body::Disk {
            capacity_kib,
            file: self.new_file(key - 2000),
            datastore: self.datastore.to_owned(),
            uuid: ids::uuid(self.world.seed, "6000", &uuid),
            thin: thin.unwrap_or(false),
            foreign: false,
            id: None,
        };
        Ok(Device { key, controller: Some(controller), unit: Some(unit), body })
    }

    /// Hangs on what is there already, and belongs to no machine.
    fn attach(&mut self, spec: &Element, aliases: &[(i32, i32)]) -> Result<Device, Problem> {
        let (controller, unit) = self.place(spec, aliases)?;
        let file = spec.child("backing").and_then(|backing| backing.child_text("fileName"));
        let file = file.filter(|file| !file.is_empty()).ok_or(BACKING)?;
        let fault = |kind: &str, message: String| {
            Problem::Fault(Fault::new(kind, message).text("file", file))
        };
        let disk: &LooseDisk = match self.world.disks.get(file) {
            Some(disk) => disk,
            None if disk::holder(self.world, file).is_some() => {
                return Err(fault(
                    "FileLocked",
                    format!("Unable to access file {file} since it is locked"),
                ));
            }
            None => return Err(fault("FileNotFound", format!("File {file} was not found"))),
        };
        self.effects.push(Effect::TakeDisk(disk.file.clone()));
        let key = free(self.devices, 2000);
        let body = disk.body();
        Ok(Device { key, controller: Some(controller), unit: Some(unit), body })
    }

    /// Controller and unit that a disk is to hang on.
    fn place(&self, spec: &Element, aliases: &[(i32, i32)]) -> Result<(i32, i32), Problem> {
        let wanted = key(spec, "controllerKey").map(|key| {
            let alias = aliases.iter().find(|(given, _)| *given == key);
            alias.map_or(key, |(_, made)| *made)
        });
        let mut devices = self.devices.iter();
        let controller = devices
            .find(|known| Some(known.key) == wanted && known.carries_disks())
            .ok_or(Problem::Property("deviceChange.device.controllerKey"))?;
        let used = |unit: i32| is_used(self.devices, controller.key, unit);
        let unit = match key(spec, "unitNumber") {
            Some(unit) => Some(unit).filter(|unit| (0..SCSI_UNITS).contains(unit) && !used(*unit)),
            None => (0..SCSI_UNITS).find(|unit| !used(*unit)),
        };
        let unit = unit.ok_or(Problem::Property("deviceChange.device.unitNumber"))?;
        Ok((controller.key, unit))
    }

    /// A name that no disk left behind has.
    fn new_file(&self, number: i32) -> String {
        let named = |number: i32| format!("{}_{number}.vmdk", self.home);
        let free = |number: &i32| !self.world.disks.contains_key(&named(*number));
        named((number..).find(free).unwrap_or(number))
    }
}

/// A free place for a disk: the first of the SCSI controllers in the order of their keys.
pub(super) fn place_disk(devices: &[Device]) -> Option<(i32, i32)> {
    let controllers = devices.iter().filter(|device| matches!(device.body, Body::Scsi { .. }));
    controllers.into_iter().find_map(|controller| {
        let unit = (0..SCSI_UNITS).find(|unit| !is_used(devices, controller.key, *unit))?;
        Some((controller.key, unit))
    })
}

/// A key that no device has, from `from` on.
pub(super) fn free(devices: &[Device], from: i32) -> i32 {
    let free = |key: &i32| devices.iter().all(|device| device.key != *key);
    (from..).find(free).unwrap_or(from)
}

/// Whether a unit of a controller is taken; the controller itself takes one.
fn is_used(devices: &[Device], controller: i32, unit: i32) -> bool {
    let on = |known: &Device| known.controller == Some(controller) && known.unit == Some(unit);
    unit == 7 || devices.iter().any(on)
}

/// Why a change was refused: a fault of its own, or the property that the usual fault names.
enum Problem {
    Fault(Fault),
    Property(&'static str),
}

const KEY: Problem = Problem::Property("deviceChange.device.key");
const BACKING: Problem = Problem::Property("deviceChange.device.backing");

/// SCSI buses per machine, and units per bus, of which 7 is the controller itself.
const SCSI_BUSES: i32 = 4;
const SCSI_UNITS: i32 = 16;

fn edit(world: &World, device: &mut Device, spec: &Element) -> Result<(), Problem> {
    if spec.xsi_type().is_some_and(|class| class != device.class()) {
        return Err(Problem::Property("deviceChange.device"));
    }
    match &mut device.body {
        Body::Disk { capacity_kib, .. } => {
            let size = number(spec, "capacityInKB").unwrap_or(*capacity_kib);
            if size < *capacity_kib {
                return Err(Problem::Property("deviceChange.device.capacityInKB"));
            }
            *capacity_kib = size;
        }
        Body::Nic { network, network_name, .. } => {
            if let Some(backing) = spec.child("backing") {
                (*network, *network_name) = backing_network(world, backing)?;
            }
        }
        Body::Scsi { sharing, .. } => {
            if let Some(wanted) = spec.child_text("sharedBus") {
                wanted.clone_into(sharing);
            }
        }
        Body::Bus { class, .. } | Body::Plain { class } => {
            return Err(Problem::Fault(Fault::unsimulated(&format!("editing a {class}"))));
        }
    }
    Ok(())
}

/// The network that a backing names: by reference, else by name.
fn backing_network(world: &World, backing: &Element) -> Result<(String, String), Problem> {
    let wanted = backing.child("network").map(Ref::read);
    let name = backing.child_text("deviceName");
    let found = world.of_class("Network").find(|network| match &wanted {
        Some(wanted) => network.id == wanted.id,
        None => Some(network.name.as_str()) == name,
    });
    let found = found.map(|network| (network.id.clone(), network.name.clone()));
    found.ok_or(BACKING)
}

fn key(element: &Element, name: &str) -> Option<i32> {
    number(element, name).and_then(|key| i32::try_from(key).ok())
}
