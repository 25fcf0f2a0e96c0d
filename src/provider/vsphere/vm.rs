//! `vsphere/vm`: reading machines.

use serde_json::{Map, Value as Json, json};

use super::collect::Row;
use super::device::Devices;
use super::failure::Failure;
use super::fault::Fault;
use super::inventory::Inventory;
use super::locate;
use super::moref::MoRef;
use super::path;
use super::session::Session;
use crate::provider::Inputs;
use crate::resource::{Address, Attributes, Mark, Object, Reading};

/// The extraConfig key that carries boma's mark: lineage, a blank, address.
pub const MARK_KEY: &str = "boma.mark";
/// The mark alone, as a property path; an array is indexed by the key of its elements.
pub const MARK_PATH: &str = "config.extraConfig[\"boma.mark\"]";
/// The documented key under which a guest sees disk serial numbers; spelt in any case.
pub const DISK_UUID_KEY: &str = "disk.EnableUUID";

/// The key under which a guest that boma set up publishes the fingerprint of its SSH host key.
const HOST_KEY: &str = "guestinfo.boma.hostkey";
/// The keys under which cloud-init's VMware data source publishes the addresses that it found
/// (`advertise_local_ip_addrs` of `cloudinit/sources/DataSourceVMware.py`).
const LOCAL_ADDRESSES: [&str; 2] = ["guestinfo.local-ipv4", "guestinfo.local-ipv6"];
/// What boma gives cloud-init; everybody's guests have it from the VM's configuration.
const USERDATA: &str = "guestinfo.userdata";

/// What is read of every VM, to know which is which.
pub const LIGHT: &[&str] = &["config.instanceUuid", "config.uuid", "config.template", MARK_PATH];

/// What is read of the VMs asked for, beside name and parent.
pub const PROPERTIES: &[&str] = &[
    "config.uuid",
    "config.instanceUuid",
    "config.version",
    "config.scheduledHardwareUpgradeInfo",
    "config.changeVersion",
    "config.template",
    "config.flags.diskUuidEnabled",
    "config.extraConfig",
    "config.hardware.numCPU",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "config.files.vmPathName",
    "config.vAppConfig.property",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.host",
    "config.tools.toolsVersion",
    "config.memoryHotAddEnabled",
    "config.cpuHotAddEnabled",
    "guest.ipAddress",
    "guest.hostName",
    "guest.toolsRunningStatus",
];

/// Reads a VM by its reference, with the names of its parents and its host.
///
/// # Errors
/// Any [`Failure`].
pub async fn read_reference(session: &Session, vm: &MoRef) -> Result<Reading, Failure> {
    match Inventory::climb(session, vm, PROPERTIES, &[("host", "runtime.host")]).await {
        Ok(inventory) => {
            Ok(inventory.row(vm).map_or(Reading::Absent, |row| reading(row, &inventory)))
        }
        Err(failure) if failure.is_gone() => Ok(Reading::Absent),
        Err(failure) => Err(failure),
    }
}

/// The VM that a step works on. `None` where it is gone.
///
/// # Errors
/// Any [`Failure`]; `Refused` where no id is recorded.
pub async fn of_step(session: &Session, inputs: &Inputs) -> Result<Option<MoRef>, Failure> {
    let object = inputs.object.as_ref();
    let moref = object.map(|object| object.attributes.tree()["moref"].clone());
    if let Some(Json::String(moref)) = moref {
        return Ok(Some(MoRef::new("VirtualMachine", &moref)));
    }
    match object.map(|object| &object.id).or(inputs.locator.id.as_ref()) {
        Some(uuid) => locate::by_instance_uuid(session, uuid).await,
        None => Err(Failure::refused("the VM has no recorded id", "plan again")),
    }
}

/// Maps a row with [`PROPERTIES`]; the inventory knows the parents and the host.
pub fn reading(row: &Row, inventory: &Inventory) -> Reading {
    match object(row, inventory) {
        Ok(object) => Reading::Present(object),
        Err(reason) => Reading::Unread(reason),
    }
}

/// The mark in an extraConfig value. `None` where it is not boma's form.
pub fn parse_mark(value: &str) -> Option<Mark> {
    let (lineage, address) = value.trim().split_once(' ')?;
    Some(Mark { lineage: lineage.to_owned(), address: Address::from(address) })
}

/// The value that marks a VM.
pub fn mark_value(mark: &Mark) -> String {
    format!("{} {}", mark.lineage, mark.address)
}

/// The mark among [`LIGHT`] properties.
pub fn light_mark(row: &Row) -> Option<Mark> {
    parse_mark(row.get(MARK_PATH)?.child_text("value")?)
}

/// Key and value of every extraConfig entry.
pub fn extra_config(row: &Row) -> impl Iterator<Item = (&str, &str)> {
    let options = row.get("config.extraConfig").into_iter().flat_map(|list| &list.children);
    options.filter_map(|option| Some((option.child_text("key")?, option.child_text("value")?)))
}

fn extra<'a>(row: &'a Row, wanted: &str) -> Option<&'a str> {
    let mut entries = extra_config(row);
    entries.find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// Whether a row is a template's.
pub fn is_template(row: &Row) -> bool {
    is_true(row, "config.template")
}

/// The devices of a row that has them.
pub fn devices(row: &Row) -> Devices<'_> {
    Devices::new(row.get("config.hardware.device"), row.text("config.files.vmPathName"))
}

fn object(row: &Row, inventory: &Inventory) -> Result<Object, String> {
    readable(row, inventory)?;
    let missing =
        |what: &str| format!("vCenter does not tell its {what}; look at the VM in vCenter");
    let id =
        row.text("config.instanceUuid").ok_or_else(|| missing("instance UUID"))?.to_lowercase();
    let path = inventory
        .path(&row.object)
        .ok_or("its path cannot be read: move it out of its vApp, or give boma's account ReadOnly on all folders above it")?;
    let folder = path::split(&path).map(|(folder, _)| folder);
    let name = row.text("name").map(path::decode).ok_or_else(|| missing("name"))?;
    let mut tree = Map::new();
    let mut put = |key: &str, value: Json| tree.insert(key.to_owned(), value);
    put("name", name.into());
    put("folder", folder.into());
    put("path", path.into());
    put("cpus", row.number("config.hardware.numCPU").ok_or_else(|| missing("CPUs"))?.into());
    put(
        "memory_mib",
        row.number("config.hardware.memoryMB").ok_or_else(|| missing("memory"))?.into(),
    );
    put("disk_uuid", has_disk_uuid(row).into());
    let hardware = hardware_version(row).ok_or_else(|| missing("hardware version"))?;
    put("hardware_version", hardware.into());
    let next = scheduled_hardware(row).map_or(hardware, |scheduled| scheduled.max(hardware));
    put("hardware_version_after_shutdown", next.into());
    put("power", power(row).ok_or_else(|| missing("power state"))?.into());
    put("moref", row.object.value.as_str().into());
    put("instance_uuid", id.as_str().into());
    let devices = devices(row);
    put("foreign_disks", devices.foreign_files().into());
    put("scsi_controllers", devices.controllers().into());
    if let Some(gib) = devices.disk_gib() {
        put("disk_gib", gib.into());
    }
    put("cpu_hot_add", is_true(row, "config.cpuHotAddEnabled").into());
    put("memory_hot_add", is_true(row, "config.memoryHotAddEnabled").into());
    put("tools", tools(row).into());
    for (key, value) in [
        ("bios_uuid", row.text("config.uuid").map(str::to_lowercase)),
        ("address", row.text("guest.ipAddress").map(str::to_owned)),
        ("hostname", row.text("guest.hostName").map(str::to_owned)),
        ("host_key", extra(row, HOST_KEY).map(|key| key.trim().to_owned())),
        ("host", row.moref("runtime.host").and_then(|host| inventory.name(&host))),
        ("likely_cause", likely_cause(row)),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            put(key, value.into());
        }
    }
    let twins = twins(row, inventory);
    if !twins.is_empty() {
        tree.insert("same_bios_uuid".into(), twins.into());
    }
    Ok(Object {
        id,
        attributes: Attributes::new(&json!(tree)),
        mark: extra(row, MARK_KEY).and_then(parse_mark),
    })
}

/// Why a guest that boma set up, and that runs, tells less than it should if it goes on like that.
/// `None` where it tells all, and of machines that are somebody else's.
fn likely_cause(row: &Row) -> Option<String> {
    let mark = extra(row, MARK_KEY).and_then(parse_mark)?;
    let told = extra(row, USERDATA).is_some_and(|text| !text.is_empty());
    if !told || power(row) != Some("on") || extra(row, HOST_KEY).is_some() {
        return None;
    }
    let again = format!("mend the template, then apply with --replace {}", mark.address);
    if tools(row) != "running" {
        let never = "no VMware Tools ever answered in it: install open-vm-tools in its template";
        return (!has_tools(row)).then(|| format!("{never}; {again}"));
    }
    if LOCAL_ADDRESSES.iter().any(|key| extra(row, key).is_some()) {
        return Some(
            "cloud-init in it has read what boma gave it, and has not come to its end: see \
             /var/log/cloud-init-output.log there, by the VM's console"
                .into(),
        );
    }
    let vapp = match vapp_properties(row).is_empty() {
        true => "",
        false => ", and without vApp properties, which older ones take instead",
    };
    Some(format!(
        "cloud-init in it has not read what boma gave it: its template needs cloud-init 21.3 or \
         later, with VMware in its datasource_list (/etc/cloud/cloud.cfg.d){vapp}; {again}"
    ))
}

/// The ids of vApp properties, as an OVA brings them.
pub fn vapp_properties(row: &Row) -> Vec<&str> {
    let list = row.get("config.vAppConfig.property");
    let properties = list.into_iter().flat_map(|list| &list.children);
    properties.filter_map(|property| property.child_text("id")).collect()
}

fn readable(row: &Row, inventory: &Inventory) -> Result<(), String> {
    if is_template(row) {
        return Err("a template stands there; choose another name, or convert it to a VM".into());
    }
    if let Some((path, fault)) = row.missing.first() {
        return Err(unreadable(path, fault, inventory.path(&row.object)));
    }
    match row.text("runtime.connectionState") {
        None | Some("connected") => Ok(()),
        Some(state) => Err(format!(
            "vCenter has no connection to it (it is {state}); bring its host or datastore back, then plan again"
        )),
    }
}

/// The paths of other VMs with this one's BIOS UUID, among those that were read.
fn twins(row: &Row, inventory: &Inventory) -> Vec<String> {
    let Some(uuid) = row.text("config.uuid").filter(|uuid| !uuid.is_empty()) else {
        return Vec::new();
    };
    let is_twin = |other: &&Row| {
        other.object != row.object
            && other.text("config.uuid").is_some_and(|own| own.eq_ignore_ascii_case(uuid))
    };
    let path = |twin: &Row| inventory.path(&twin.object).unwrap_or_else(|| twin.object.to_string());
    let mut paths: Vec<String> =
        inventory.rows("VirtualMachine").filter(is_twin).map(path).collect();
    paths.sort();
    paths
}

/// Why a property could not be read, with the object's path where that is known.
pub fn unreadable(property: &str, fault: &Fault, path: Option<String>) -> String {
    let fault = fault.clone().at(path);
    format!("{property} cannot be read: {fault}; {}", fault.help())
}

/// Either form counts: a real vCenter shows both where one is set.
fn has_disk_uuid(row: &Row) -> bool {
    is_true(row, "config.flags.diskUuidEnabled")
        || extra_config(row).any(|(key, value)| {
            key.eq_ignore_ascii_case(DISK_UUID_KEY)
                && matches!(value.trim().to_ascii_uppercase().as_str(), "TRUE" | "1")
        })
}

/// The number in `vmx-15`.
pub fn hardware_version(row: &Row) -> Option<u64> {
    row.text("config.version")?.strip_prefix("vmx-")?.parse().ok()
}

/// The version of an upgrade that waits for the guest to shut down; vCenter keeps what became of
/// earlier ones in the same place. `None` where none waits, or it does not tell a version.
fn scheduled_hardware(row: &Row) -> Option<u64> {
    let info = row.get("config.scheduledHardwareUpgradeInfo")?;
    let policy = info.child_text("upgradePolicy")?;
    let status = info.child_text("scheduledHardwareUpgradeStatus").unwrap_or("pending");
    let waits = matches!(policy, "onSoftPowerOff" | "always") && status == "pending";
    info.child_text("versionKey")?.strip_prefix("vmx-")?.parse().ok().filter(|_| waits)
}

fn power(row: &Row) -> Option<&'static str> {
    match row.text("runtime.powerState")? {
        "poweredOn" => Some("on"),
        "poweredOff" => Some("off"),
        "suspended" => Some("suspended"),
        _ => None,
    }
}

/// Whether VMware Tools were seen in it while it last ran.
pub fn has_tools(row: &Row) -> bool {
    row.number("config.tools.toolsVersion").is_some_and(|version| version > 0)
}

/// Whether VMware Tools answer. `not running` where nothing is known of them.
fn tools(row: &Row) -> &'static str {
    match row.text("guest.toolsRunningStatus") {
        Some("guestToolsRunning") => "running",
        Some("guestToolsExecutingScripts") => "starting",
        _ => "not running",
    }
}

fn is_true(row: &Row, path: &str) -> bool {
    row.text(path) == Some("true")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::{property, reference, row};

    const DEVICES: &str = r#"<propSet><name>config.hardware.device</name><val xsi:type="ArrayOfVirtualDevice">
        <VirtualDevice xsi:type="ParaVirtualSCSIController"><key>1000</key></VirtualDevice>
        <VirtualDevice xsi:type="VirtualDisk"><key>2000</key><backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[vsan] 52aa/server-1.vmdk</fileName></backing><capacityInKB>52428800</capacityInKB></VirtualDevice>
        <VirtualDevice xsi:type="VirtualDisk"><key>2001</key><backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[vsan] 77bb/volume.vmdk</fileName></backing></VirtualDevice>
        <VirtualDevice xsi:type="VirtualDisk"><key>2002</key><backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[vsan] 52aa/fcd.vmdk</fileName></backing><vDiskId><id>x</id></vDiskId></VirtualDevice>
        </val></propSet>"#;

    fn extra(key: &str, value: &str) -> String {
        format!(
            r#"<propSet><name>config.extraConfig</name><val xsi:type="ArrayOfOptionValue"><OptionValue xsi:type="OptionValue"><key>nvram</key><value xsi:type="xsd:string">a.nvram</value></OptionValue><OptionValue xsi:type="OptionValue"><key>{key}</key><value xsi:type="xsd:string">{value}</value></OptionValue></val></propSet>"#
        )
    }

    fn machine(more: &str) -> (Row, Inventory) {
        let root = MoRef::new("Folder", "group-d1");
        let own = property("name", "server%2f1")
            + &reference("parent", &MoRef::new("Folder", "group-v9"))
            + &property("config.uuid", "420E3F74-EA84-F9A2-0000-000000000001")
            + &property("config.instanceUuid", "500E3F74-EA84-F9A2-0000-000000000001")
            + &property("config.version", "vmx-19")
            + &property("config.hardware.numCPU", "4")
            + &property("config.hardware.memoryMB", "8192")
            + &property("config.files.vmPathName", "[vsan] 52aa/server-1.vmx")
            + &property("runtime.powerState", "poweredOn")
            + &reference("runtime.host", &MoRef::new("HostSystem", "host-9"))
            + more;
        let vm = row("VirtualMachine", "vm-42", &own);
        let rows = vec![
            vm.clone(),
            row("Folder", "group-v9", &(property("name", "cht") + &reference("parent", &root))),
            row("HostSystem", "host-9", &property("name", "esx1")),
        ];
        (vm, Inventory::new(root, rows))
    }

    fn check(more: &str, expected: Result<&[(&str, Json)], &str>) -> Option<Object> {
        let (row, inventory) = machine(more);
        match (reading(&row, &inventory), expected) {
            (Reading::Present(object), Ok(fields)) => {
                let tree = object.attributes.tree();
                for (name, value) in fields {
                    assert_eq!(&tree[name], value, "{name}");
                }
                Some(object)
            }
            (Reading::Unread(reason), Err(part)) => {
                assert!(reason.contains(part), "{reason}");
                None
            }
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn a_machine_is_mapped_whole() {
        let found = property("guest.ipAddress", "10.20.0.11")
            + &property("guest.hostName", "server-1")
            + &property("guest.toolsRunningStatus", "guestToolsRunning")
            + &property("config.cpuHotAddEnabled", "true")
            + &property("runtime.connectionState", "connected")
            + DEVICES
            + &extra("boma.mark", "abc vsphere/vm/server-1");
        let object = check(
            &found,
            Ok(&[
                ("name", json!("server/1")),
                ("folder", json!("/cht")),
                ("path", json!("/cht/server%2f1")),
                ("cpus", json!(4)),
                ("memory_mib", json!(8192)),
                ("disk_uuid", json!(false)),
                ("hardware_version", json!(19)),
                ("power", json!("on")),
                ("moref", json!("vm-42")),
                ("bios_uuid", json!("420e3f74-ea84-f9a2-0000-000000000001")),
                ("address", json!("10.20.0.11")),
                ("hostname", json!("server-1")),
                ("tools", json!("running")),
                ("cpu_hot_add", json!(true)),
                ("memory_hot_add", json!(false)),
                ("disk_gib", json!(50)),
                ("scsi_controllers", json!(1)),
                ("host", json!("esx1")),
                ("foreign_disks", json!(["[vsan] 52aa/fcd.vmdk", "[vsan] 77bb/volume.vmdk"])),
            ]),
        )
        .unwrap();
        assert_eq!(object.id, "500e3f74-ea84-f9a2-0000-000000000001");
        let mark = object.mark.unwrap();
        assert_eq!((mark.lineage.as_str(), mark.address.as_str()), ("abc", "vsphere/vm/server-1"));
    }

    /// vCenter shows none for a moment while it makes a machine (CPI issue 521).
    #[test]
    fn a_bios_uuid_that_is_empty_for_a_moment_is_none() {
        let (row, inventory) = machine("");
        let text = |uuid: &str| property("config.uuid", uuid);
        let object = |row: &Row| match reading(row, &inventory) {
            Reading::Present(object) => object.attributes.tree(),
            other => panic!("{other:?}"),
        };
        assert!(object(&row)["bios_uuid"].is_string());
        let sets = text("")
            + &reference("parent", &MoRef::new("Folder", "group-v9"))
            + &property("name", "server-1")
            + &property("config.instanceUuid", "500e")
            + &property("config.version", "vmx-19")
            + &property("config.hardware.numCPU", "4")
            + &property("config.hardware.memoryMB", "8192")
            + &property("runtime.powerState", "poweredOff");
        let young = super::super::testing::row("VirtualMachine", "vm-42", &sets);
        assert!(object(&young)["bios_uuid"].is_null());
    }

    #[test]
    fn either_form_of_the_disk_uuid_counts() {
        let is = |value| [("disk_uuid", json!(value))];
        check(&property("config.flags.diskUuidEnabled", "true"), Ok(&is(true)));
        check(&extra("disk.enableUUID", "TRUE"), Ok(&is(true)));
        check(&extra("disk.EnableUUID", "1"), Ok(&is(true)));
        check(&extra("disk.EnableUUID", "FALSE"), Ok(&is(false)));
    }

    #[test]
    fn an_upgrade_that_waits_counts_for_the_next_hardware() {
        let info = |policy: &str, key: &str, status: &str| {
            format!(
                r#"<propSet><name>config.scheduledHardwareUpgradeInfo</name><val xsi:type="ScheduledHardwareUpgradeInfo"><upgradePolicy>{policy}</upgradePolicy><versionKey>vmx-{key}</versionKey><scheduledHardwareUpgradeStatus>{status}</scheduledHardwareUpgradeStatus></val></propSet>"#
            )
        };
        let next = |version| [("hardware_version_after_shutdown", json!(version))];
        check("", Ok(&next(19)));
        check(&info("onSoftPowerOff", "21", "pending"), Ok(&next(21)));
        check(&info("always", "21", "pending"), Ok(&next(21)));
        check(&info("always", "15", "pending"), Ok(&next(19)));
        check(&info("never", "21", "none"), Ok(&next(19)));
        check(&info("onSoftPowerOff", "21", "failed"), Ok(&next(19)));
    }

    #[test]
    fn what_cannot_be_read_is_never_absent() {
        check(&property("config.template", "true"), Err("a template stands there"));
        check(&property("runtime.connectionState", "inaccessible"), Err("it is inaccessible"));
        let denied = r#"<missingSet><path>config.files</path><fault><fault xsi:type="NoPermission"><object type="VirtualMachine">vm-42</object><privilegeId>System.Read</privilegeId></fault></fault></missingSet>"#;
        check(denied, Err("lacks the privilege System.Read"));
    }

    #[test]
    fn marks_come_back() {
        let mark = Mark { lineage: "a1".into(), address: Address::from("vsphere/vm/x y") };
        assert_eq!(parse_mark(&mark_value(&mark)), Some(mark));
        assert_eq!(parse_mark("nonsense"), None);
    }
}
