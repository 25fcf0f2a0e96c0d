//! The devices of a VM that boma looks at and changes: system disk and PVSCSI controllers.

use super::failure::Failure;
use crate::xml::Element;

/// The type that CSI's documentation recommends.
const PVSCSI: &str = "ParaVirtualSCSIController";
/// Every type of SCSI controller; they share the bus numbers.
const SCSI: &[&str] = &[
    PVSCSI,
    "VirtualLsiLogicController",
    "VirtualLsiLogicSASController",
    "VirtualBusLogicController",
];
/// SCSI buses of a VM.
const BUSES: i64 = 4;

/// The devices of one VM, as read.
#[derive(Clone, Copy)]
pub struct Devices<'a> {
    list: Option<&'a Element>,
    /// Directory of the VM with a slash at its end: `[vsan] 52aa/`. `None` where it is not told.
    home: Option<&'a str>,
}

impl<'a> Devices<'a> {
    /// Takes `config.hardware.device` and `config.files.vmPathName`.
    pub fn new(list: Option<&'a Element>, configuration_file: Option<&'a str>) -> Self {
        let home = configuration_file.and_then(|path| path.get(..=path.rfind('/')?));
        Self { list, home }
    }

    /// All of them.
    pub fn all(self) -> impl Iterator<Item = &'a Element> {
        self.list.into_iter().flat_map(|list| &list.children)
    }

    /// How many PVSCSI controllers there are.
    pub fn controllers(self) -> u64 {
        let pvscsi = self.all().filter(|device| device.xsi_type() == Some(PVSCSI));
        u64::try_from(pvscsi.count()).unwrap_or(u64::MAX)
    }

    /// The size of the system disk in whole GiB. `None` where there is none.
    pub fn disk_gib(self) -> Option<u64> {
        kib(self.system_disk()?).map(|kib| kib >> 20)
    }

    /// Backing files that `Destroy_Task` would delete although they are not the machine's own:
    /// those outside its directory, and first class disks (volumes of pods) wherever they lie.
    pub fn foreign_files(self) -> Vec<String> {
        let files = self.disks().filter(|disk| !self.is_own(disk)).filter_map(file);
        let mut files: Vec<String> = files.map(str::to_owned).collect();
        files.sort();
        files
    }

    /// The changes that make the system disk so large and controllers so many.
    ///
    /// # Errors
    /// `Refused` where the disk is larger already, there is none, or no SCSI bus is free.
    pub fn changes(
        self,
        disk_gib: Option<u64>,
        controllers: Option<u64>,
    ) -> Result<Vec<Element>, Failure> {
        let mut changes = Vec::new();
        if let Some(wanted) = disk_gib {
            changes.extend(self.grow(wanted)?);
        }
        if let Some(wanted) = controllers {
            changes.extend(self.add_controllers(wanted)?);
        }
        Ok(changes)
    }

    fn disks(self) -> impl Iterator<Item = &'a Element> {
        self.all().filter(|device| device.xsi_type() == Some("VirtualDisk"))
    }

    fn is_own(self, disk: &Element) -> bool {
        let inside = |file: &str| self.home.is_some_and(|home| file.starts_with(home));
        file(disk).is_none_or(inside) && disk.child("vDiskId").is_none()
    }

    /// The machine's own disk with the lowest key: keys follow controllers and units.
    fn system_disk(self) -> Option<&'a Element> {
        let own = self.disks().filter(|disk| self.is_own(disk));
        own.min_by_key(|disk| number(disk, "key").unwrap_or(i64::MAX))
    }

    fn grow(self, wanted: u64) -> Result<Option<Element>, Failure> {
        let no_disk = || {
            Failure::refused(
                "it has no system disk of its own",
                "give the template a disk with its system",
            )
        };
        let disk = self.system_disk().ok_or_else(no_disk)?;
        let found = kib(disk).ok_or_else(|| Failure::missing("config.hardware", "disk size"))?;
        let wanted_kib = wanted.saturating_mul(1 << 20);
        if found >> 20 == wanted {
            return Ok(None);
        }
        if found > wanted_kib {
            let message =
                format!("its system disk has {} GiB, more than {wanted}", found.div_ceil(1 << 20));
            let help =
                "no disk can be made smaller: set `disk` in the spec to what it has, or more";
            return Err(Failure::refused(message, help));
        }
        let device = disk_of_size(disk, wanted_kib);
        Ok(Some(change("edit", device)))
    }

    fn add_controllers(self, wanted: u64) -> Result<Vec<Element>, Failure> {
        let missing = wanted.saturating_sub(self.controllers());
        let is_scsi =
            |device: &&Element| device.xsi_type().is_some_and(|kind| SCSI.contains(&kind));
        let taken: Vec<i64> =
            self.all().filter(is_scsi).filter_map(|one| number(one, "busNumber")).collect();
        let free: Vec<i64> = (0..BUSES).filter(|bus| !taken.contains(bus)).collect();
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        if missing > free.len() {
            return Err(Failure::refused(
                format!(
                    "{wanted} PVSCSI controllers do not fit: of {BUSES} SCSI buses, {} are taken",
                    taken.len()
                ),
                "set `scsi_controllers` in the spec to fewer, or remove controllers of other types",
            ));
        }
        Ok(free.into_iter().take(missing).map(|bus| change("add", controller(bus))).collect())
    }
}

fn change(operation: &str, device: Element) -> Element {
    Element::new("deviceChange")
        .attr("xsi:type", "VirtualDeviceConfigSpec")
        .push(Element::with_text("operation", operation))
        .push(device)
}

fn disk_of_size(disk: &Element, kib: u64) -> Element {
    let kept = |element: &Element, name: &str| {
        element.child_text(name).map(|text| Element::with_text(name, text.trim()))
    };
    let backing = disk.child("backing").map(|backing| {
        Element::new("backing")
            .attr("xsi:type", backing.xsi_type().unwrap_or("VirtualDiskFlatVer2BackingInfo"))
            .extend(kept(backing, "fileName"))
            .push(Element::with_text(
                "diskMode",
                backing.child_text("diskMode").unwrap_or("persistent"),
            ))
    });
    Element::new("device")
        .attr("xsi:type", "VirtualDisk")
        .extend(kept(disk, "key"))
        .extend(backing)
        .extend(kept(disk, "controllerKey"))
        .extend(kept(disk, "unitNumber"))
        .push(Element::with_text("capacityInKB", kib.to_string()))
        .push(Element::with_text("capacityInBytes", kib.saturating_mul(1024).to_string()))
}

/// Keys below zero are names within one request.
fn controller(bus: i64) -> Element {
    Element::new("device")
        .attr("xsi:type", PVSCSI)
        .push(Element::with_text("key", (-101 - bus).to_string()))
        .push(Element::with_text("busNumber", bus.to_string()))
        .push(Element::with_text("sharedBus", "noSharing"))
}

fn file(disk: &Element) -> Option<&str> {
    disk.child("backing")?.child_text("fileName")
}

fn kib(disk: &Element) -> Option<u64> {
    disk.child_text("capacityInKB")?.trim().parse().ok()
}

fn number(element: &Element, name: &str) -> Option<i64> {
    element.child_text(name)?.trim().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::names;

    const GIB: u64 = 1 << 20;

    fn list(controllers: &[(&str, i64)]) -> Element {
        let disk = |key: u32, file: &str, kib: u64, more: &str| {
            format!(
                r#"<VirtualDevice xsi:type="VirtualDisk"><key>{key}</key><backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>{file}</fileName><diskMode>persistent</diskMode></backing><controllerKey>1000</controllerKey><unitNumber>0</unitNumber><capacityInKB>{kib}</capacityInKB>{more}</VirtualDevice>"#
            )
        };
        let buses = controllers.iter().map(|(kind, bus)| {
            format!(
                r#"<VirtualDevice xsi:type="{kind}"><key>{}</key><busNumber>{bus}</busNumber></VirtualDevice>"#,
                1000 + bus
            )
        });
        let text = format!(
            r#"<val xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{}{}{}{}</val>"#,
            buses.collect::<String>(),
            disk(1999, "[vsan] 52aa/fcd.vmdk", 9 * GIB, "<vDiskId><id>x</id></vDiskId>"),
            disk(2001, "[vsan] 77bb/volume.vmdk", 9 * GIB, ""),
            disk(2000, "[vsan] 52aa/a.vmdk", 20 * GIB, ""),
        );
        Element::parse(&text).unwrap()
    }

    fn check(
        controllers: &[(&str, i64)],
        wanted: (Option<u64>, Option<u64>),
        expected: Result<&[(&str, &str)], &str>,
    ) {
        let list = list(controllers);
        let devices = Devices::new(Some(&list), Some("[vsan] 52aa/a.vmx"));
        match (devices.changes(wanted.0, wanted.1), expected) {
            (Ok(changes), Ok(expected)) => {
                let found: Vec<(&str, &str)> = changes
                    .iter()
                    .map(|change| {
                        let device = change.child("device").unwrap();
                        let of = |name| device.child_text(name);
                        let value = of("capacityInKB").or(of("busNumber")).unwrap();
                        (change.child_text("operation").unwrap(), value)
                    })
                    .collect();
                assert_eq!(found, expected);
            }
            (Err(failure), Err(part)) => assert!(failure.to_string().contains(part), "{failure}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn only_the_machines_own_disk_grows() {
        check(&[], (Some(20), None), Ok(&[]));
        check(&[], (Some(50), None), Ok(&[("edit", "52428800")]));
        check(&[], (Some(10), None), Err("its system disk has 20 GiB, more than 10"));
    }

    #[test]
    fn controllers_are_added_on_free_buses() {
        let boot = ("VirtualLsiLogicController", 0);
        let one = (PVSCSI, 1);
        check(&[(PVSCSI, 0)], (None, Some(1)), Ok(&[]));
        check(&[boot, one], (None, Some(3)), Ok(&[("add", "2"), ("add", "3")]));
        check(&[boot, one], (None, Some(4)), Err("of 4 SCSI buses, 2 are taken"));
    }

    #[test]
    fn changes_follow_the_order_of_the_wsdl() {
        let list = list(&[]);
        let devices = Devices::new(Some(&list), Some("[vsan] 52aa/a.vmx"));
        assert_eq!((devices.disk_gib(), devices.controllers()), (Some(20), 0));
        assert_eq!(devices.foreign_files(), ["[vsan] 52aa/fcd.vmdk", "[vsan] 77bb/volume.vmdk"]);
        let changes = devices.changes(Some(50), Some(1)).unwrap();
        assert_eq!(names(&changes[0]), ["operation", "device"]);
        let disk = changes[0].child("device").unwrap();
        let order =
            ["key", "backing", "controllerKey", "unitNumber", "capacityInKB", "capacityInBytes"];
        assert_eq!(names(disk), order);
        assert_eq!(names(disk.child("backing").unwrap()), ["fileName", "diskMode"]);
        let controller = changes[1].child("device").unwrap();
        assert_eq!(names(controller), ["key", "busNumber", "sharedBus"]);
    }
}
