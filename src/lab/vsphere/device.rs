//! Virtual devices: as data, and written into an answer.

use serde::{Deserialize, Serialize};

use crate::xml::Element;

use super::world::Ref;

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
        /// It was there before it was hung on this machine.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        foreign: bool,
        /// Its id as a first-class disk.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
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
            Body::Disk { capacity_kib, file, datastore, uuid, thin, id, .. } => {
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
                    ))
                    .extend(
                        id.iter()
                            .map(|id| Element::new("vDiskId").push(Element::with_text("id", id))),
                    );
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

fn family(body: &Body) -> u8 {
    match body {
        Body::Bus { .. } => 0,
        Body::Scsi { .. } => 1,
        Body::Disk { .. } => 2,
        Body::Nic { .. } => 3,
        Body::Plain { .. } => 4,
    }
}
