//! Virtual devices: as data, read from a request, and written into an answer.

use serde::{Deserialize, Serialize};

use crate::xml::Element;

use super::call::{flag, number};
use super::fault::Fault;
use super::ids;
use super::world::{Ref, World};

/// One device of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Device {
    pub key: i32,
    /// The controller it hangs on.
    pub controller: Option<i32>,
    pub unit: Option<i32>,
    pub body: Body,
}

/// What the device is; names are vim25 types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Body {
    /// A controller that is no SCSI controller.
    Bus {
        class: String,
        bus: i32,
    },
    Scsi {
        class: String,
        bus: i32,
        sharing: String,
    },
    Disk {
        capacity_kib: i64,
        /// `[datastore] folder/name.vmdk`
        file: String,
        datastore: String,
        uuid: String,
        thin: bool,
    },
    Nic {
        class: String,
        mac: String,
        /// Managed object id.
        network: String,
        network_name: String,
    },
    /// Present on every machine and never changed.
    Plain {
        class: String,
    },
}

/// The devices of a machine that is made with one PVSCSI controller, one disk and one network card.
pub(super) fn usual(disk: Body, nic: Body) -> Vec<Device> {
    let bus = |key, class: &str, bus| Device {
        key,
        controller: None,
        unit: None,
        body: Body::Bus { class: class.to_owned(), bus },
    };
    let plain = |key, class: &str, controller, unit| Device {
        key,
        controller: Some(controller),
        unit: Some(unit),
        body: Body::Plain { class: class.to_owned() },
    };
    let on = |key, controller, unit, body| Device {
        key,
        controller: Some(controller),
        unit: Some(unit),
        body,
    };
    vec![
        bus(200, "VirtualIDEController", 0),
        bus(201, "VirtualIDEController", 1),
        bus(300, "VirtualPS2Controller", 0),
        bus(100, "VirtualPCIController", 0),
        plain(600, "VirtualKeyboard", 300, 0),
        plain(700, "VirtualPointingDevice", 300, 1),
        plain(500, "VirtualMachineVideoCard", 100, 0),
        plain(12000, "VirtualMachineVMCIDevice", 100, 17),
        on(1000, 100, 3, scsi("ParaVirtualSCSIController", 0)),
        on(2000, 1000, 0, disk),
        on(4000, 100, 7, nic),
    ]
}

/// A SCSI controller that is not shared.
pub(super) fn scsi(class: &str, bus: i32) -> Body {
    Body::Scsi { class: class.to_owned(), bus, sharing: "noSharing".to_owned() }
}

impl Device {
    pub(super) fn class(&self) -> &str {
        match &self.body {
            Body::Bus { class, .. }
            | Body::Scsi { class, .. }
            | Body::Nic { class, .. }
            | Body::Plain { class } => class,
            Body::Disk { .. } => "VirtualDisk",
        }
    }

    /// Whether disks can hang on it.
    pub(super) fn carries_disks(&self) -> bool {
        match &self.body {
            Body::Scsi { .. } => true,
            Body::Bus { class, .. } => {
                class != "VirtualPCIController" && class != "VirtualPS2Controller"
            }
            _ => false,
        }
    }

    /// The device as a `VirtualDevice` element of that name, typed.
    pub(super) fn element(&self, name: &str, siblings: &[Device]) -> Element {
        let mut element = Element::new(name)
            .attr("xsi:type", self.class())
            .push(Element::with_text("key", self.key.to_string()))
            .push(self.label(siblings))
            .extend(self.controller.map(|key| Element::with_text("controllerKey", key.to_string())))
            .extend(self.unit.map(|unit| Element::with_text("unitNumber", unit.to_string())));
        let hanging = siblings.iter().filter(|other| other.controller == Some(self.key));
        let hanging: Vec<Element> =
            hanging.map(|other| Element::with_text("device", other.key.to_string())).collect();
        match &self.body {
            Body::Bus { bus, .. } => {
                element =
                    element.push(Element::with_text("busNumber", bus.to_string())).extend(hanging);
            }
            Body::Scsi { bus, sharing, .. } => {
                element = element
                    .push(Element::with_text("busNumber", bus.to_string()))
                    .extend(hanging)
                    .push(Element::with_text("hotAddRemove", "true"))
                    .push(Element::with_text("sharedBus", sharing))
                    .push(Element::with_text("scsiCtlrUnitNumber", "7"));
            }
            Body::Disk { capacity_kib, file, datastore, uuid, thin } => {
                let backing = Element::new("backing")
                    .attr("xsi:type", "VirtualDiskFlatVer2BackingInfo")
                    .push(Element::with_text("fileName", file))
                    .push(Ref::new("Datastore", datastore).element("datastore"))
                    .push(Element::with_text("diskMode", "persistent"))
                    .push(Element::with_text("thinProvisioned", thin.to_string()))
                    .push(Element::with_text("uuid", uuid));
                element = element
                    .push(backing)
                    .push(Element::with_text("capacityInKB", capacity_kib.to_string()))
                    .push(Element::with_text(
                        "capacityInBytes",
                        capacity_kib.saturating_mul(1024).to_string(),
                    ));
            }
            Body::Nic { mac, network, network_name, .. } => {
                let backing = Element::new("backing")
                    .attr("xsi:type", "VirtualEthernetCardNetworkBackingInfo")
                    .push(Element::with_text("deviceName", network_name))
                    .push(Ref::new("Network", network).element("network"));
                let connectable = ["startConnected", "allowGuestControl", "connected"]
                    .map(|name| Element::with_text(name, "true"));
                element = element
                    .push(backing)
                    .push(Element::new("connectable").extend(connectable))
                    .push(Element::with_text("addressType", "assigned"))
                    .push(Element::with_text("macAddress", mac));
            }
            Body::Plain { .. } => {}
        }
        element
    }

    fn label(&self, siblings: &[Device]) -> Element {
        let family = family(&self.body);
        let place = siblings
            .iter()
            .filter(|other| family == self::family(&other.body) && other.key < self.key)
            .count();
        let (label, summary) = match &self.body {
            Body::Disk { capacity_kib, .. } => {
                (format!("Hard disk {}", place + 1), format!("{capacity_kib} KB"))
            }
            Body::Nic { network_name, .. } => {
                (format!("Network adapter {}", place + 1), network_name.clone())
            }
            Body::Scsi { class, bus, .. } => (format!("SCSI controller {bus}"), class.clone()),
            Body::Bus { class, bus } => {
                (format!("{} {bus}", class.trim_start_matches("Virtual")), class.clone())
            }
            Body::Plain { class } => {
                (class.trim_start_matches("Virtual").to_owned(), class.clone())
            }
        };
        Element::new("deviceInfo")
            .push(Element::with_text("label", label))
            .push(Element::with_text("summary", summary))
    }
}

/// Carries out one checked `VirtualDeviceConfigSpec` on a list of devices.
///
/// # Errors
/// `InvalidDeviceSpec` for a key, controller or size that cannot be, `NotSupported` for device
/// types that the lab lacks.
pub(super) fn change(
    world: &World,
    owner: &Owner<'_>,
    devices: &mut Vec<Device>,
    index: usize,
    spec: &Element,
) -> Result<(), Fault> {
    let bad = |property: &str| {
        Fault::new("InvalidDeviceSpec", format!("Invalid configuration for device '{index}'."))
            .text("property", property)
            .text("deviceIndex", index.to_string())
    };
    let device = spec.child("device").ok_or_else(|| bad("device"))?;
    let key = number(device, "key").unwrap_or(-1) as i32;
    let place = devices.iter().position(|known| known.key == key);
    match (spec.child_text("operation"), place) {
        (Some("add"), _) => {
            add(world, owner, devices, device).map_err(|problem| problem.unwrap_or_else(bad))
        }
        (Some("edit"), Some(place)) => {
            edit(world, &mut devices[place], device).map_err(|problem| problem.unwrap_or_else(bad))
        }
        (Some("remove"), Some(place)) => {
            if devices.iter().any(|other| other.controller == Some(key)) {
                return Err(bad("deviceChange.device.key"));
            }
            devices.remove(place);
            Ok(())
        }
        _ => Err(bad("deviceChange.device.key")),
    }
}

/// What new devices derive their identity from.
pub(super) struct Owner<'a> {
    pub instance_uuid: &'a str,
    /// `[datastore] folder`
    pub home: &'a str,
    pub datastore: &'a str,
}

/// Keys below zero that a request gave its new devices, with the keys they got.
pub(super) type Aliases = Vec<(i32, i32)>;

/// Why a change was refused: a fault of its own, or the property that the usual fault names.
enum Problem {
    Fault(Fault),
    Property(&'static str),
}

impl Problem {
    fn unwrap_or_else(self, bad: impl Fn(&str) -> Fault) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Property(property) => bad(property),
        }
    }
}

/// SCSI buses per machine, and units per bus of which 7 is the controller itself.
const SCSI_BUSES: i32 = 4;
const SCSI_UNITS: i32 = 16;

fn add(
    world: &World,
    owner: &Owner<'_>,
    devices: &mut Vec<Device>,
    spec: &Element,
) -> Result<(), Problem> {
    let class = spec.xsi_type().unwrap_or("VirtualDevice");
    let device = match class {
        "ParaVirtualSCSIController"
        | "VirtualLsiLogicController"
        | "VirtualLsiLogicSASController"
        | "VirtualBusLogicController" => {
            let bus = number(spec, "busNumber").unwrap_or(-1) as i32;
            let taken = devices
                .iter()
                .any(|known| matches!(known.body, Body::Scsi { bus: other, .. } if other == bus));
            if taken || !(0..SCSI_BUSES).contains(&bus) {
                return Err(Problem::Property("deviceChange.device.busNumber"));
            }
            Device {
                key: 1000 + bus,
                controller: Some(100),
                unit: Some(3 + bus),
                body: Body::Scsi {
                    class: class.to_owned(),
                    bus,
                    sharing: spec.child_text("sharedBus").unwrap_or("noSharing").to_owned(),
                },
            }
        }
        "VirtualDisk" => disk(world, owner, devices, spec)?,
        "VirtualVmxnet3" | "VirtualE1000" | "VirtualE1000e" => {
            let key = free(devices, 4000);
            let mac = ids::mac(world.seed, &[owner.instance_uuid, &key.to_string()]);
            let (network, network_name) = backing_network(world, spec)?;
            Device {
                key,
                controller: Some(100),
                unit: Some(7 + key - 4000),
                body: Body::Nic { class: class.to_owned(), mac, network, network_name },
            }
        }
        other => return Err(Problem::Fault(Fault::unsimulated(&format!("adding a {other}")))),
    };
    devices.push(device);
    devices.sort_by_key(|device| device.key);
    Ok(())
}

fn disk(
    world: &World,
    owner: &Owner<'_>,
    devices: &[Device],
    spec: &Element,
) -> Result<Device, Problem> {
    let wanted = number(spec, "controllerKey").and_then(|key| i32::try_from(key).ok());
    let controller = devices
        .iter()
        .find(|known| Some(known.key) == wanted && known.carries_disks())
        .ok_or(Problem::Property("deviceChange.device.controllerKey"))?;
    let used = |unit: i32| {
        unit == 7
            || devices.iter().any(|d| d.controller == Some(controller.key) && d.unit == Some(unit))
    };
    let unit = match number(spec, "unitNumber") {
        Some(unit) => {
            Some(unit as i32).filter(|unit| (0..SCSI_UNITS).contains(unit) && !used(*unit))
        }
        None => (0..SCSI_UNITS).find(|unit| !used(*unit)),
    };
    let unit = unit.ok_or(Problem::Property("deviceChange.device.unitNumber"))?;
    let capacity_kib = number(spec, "capacityInKB")
        .filter(|size| *size > 0)
        .ok_or(Problem::Property("deviceChange.device.capacityInKB"))?;
    let key = free(devices, 2000);
    let thin = spec.child("backing").and_then(|backing| flag(backing, "thinProvisioned"));
    Ok(Device {
        key,
        controller: Some(controller.key),
        unit: Some(unit),
        body: Body::Disk {
            capacity_kib,
            file: format!("{}_{}.vmdk", owner.home, key - 2000),
            datastore: owner.datastore.to_owned(),
            uuid: ids::uuid(world.seed, "6000", &["disk", owner.instance_uuid, &key.to_string()]),
            thin: thin.unwrap_or(false),
        },
    })
}

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
            (*network, *network_name) = backing_network(world, spec)?;
        }
        Body::Scsi { sharing, .. } => {
            if let Some(wanted) = spec.child_text("sharedBus") {
                *sharing = wanted.to_owned();
            }
        }
        Body::Bus { class, .. } | Body::Plain { class } => {
            return Err(Problem::Fault(Fault::unsimulated(&format!("editing a {class}"))));
        }
    }
    Ok(())
}

fn backing_network(world: &World, spec: &Element) -> Result<(String, String), Problem> {
    let property = Problem::Property("deviceChange.device.backing");
    let Some(backing) = spec.child("backing") else {
        return Err(property);
    };
    let wanted = backing.child("network").map(Ref::read);
    let name = backing.child_text("deviceName");
    let found = world.of_class("Network").find(|network| match &wanted {
        Some(wanted) => network.id == wanted.id,
        None => Some(network.name.as_str()) == name,
    });
    found.map(|network| (network.id.clone(), network.name.clone())).ok_or(property)
}

fn free(devices: &[Device], from: i32) -> i32 {
    (from..).find(|key| devices.iter().all(|device| device.key != *key)).unwrap_or(from)
}

fn family(body: &Body) -> u8 {
    match body {
        Body::Bus { .. } => 0,
        Body::Scsi { .. } => 1,
        Body::Disk { .. } => 2,
        Body::Nic { .. } => 3,
        Body::Plain { .. } => 4,
    }
}
