//! `ReconfigVM_Task`, and the `config` of a clone.

use crate::xml::{Element, XSI};

use super::answer::Answer;
use super::call::{Call, flag, number};
use super::clone::{refuse, vacant};
use super::device_change::Bench;
use super::fault::Fault;
use super::folder;
use super::machine::{Machine, Upgrade};
use super::task::{Operation, Outcome, start};
use super::world::{Effect, Entity, Ref, World};

/// `ReconfigVM_Task`.
pub(super) fn reconfigure(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = call.entity()?;
    let spec = call.body.child("spec").ok_or_else(|| Fault::argument("spec"))?;
    check(call, entity, spec)?;
    let operation = Operation::Reconfigure { spec: spec.clone().attr("xmlns:xsi", XSI).to_xml() };
    Ok(Answer::task(start(call, entity, operation)?))
}

/// The fields that the lab carries out, and the privilege that each asks for.
const FIELDS: &[(&str, &str)] = &[
    ("changeVersion", ""),
    ("name", "VirtualMachine.Config.Rename"),
    ("uuid", "VirtualMachine.Config.Settings"),
    ("instanceUuid", "VirtualMachine.Config.Settings"),
    ("guestId", "VirtualMachine.Config.Settings"),
    ("annotation", "VirtualMachine.Config.Annotation"),
    ("flags", "VirtualMachine.Config.Settings"),
    ("numCPUs", "VirtualMachine.Config.CPUCount"),
    ("numCoresPerSocket", "VirtualMachine.Config.CPUCount"),
    ("memoryMB", "VirtualMachine.Config.Memory"),
    ("memoryHotAddEnabled", "VirtualMachine.Config.Memory"),
    ("cpuHotAddEnabled", "VirtualMachine.Config.CPUCount"),
    ("deviceChange", ""),
    ("extraConfig", "VirtualMachine.Config.AdvancedConfig"),
    ("scheduledHardwareUpgradeInfo", "VirtualMachine.Config.UpgradeVirtualHardware"),
];

/// Checks what is known before a task begins: that nothing would be ignored, and privileges. A
/// clone asks for them on the folder that its machine is made in.
pub(super) fn check(call: &Call<'_>, entity: &Entity, spec: &Element) -> Result<(), Fault> {
    let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    refuse(spec, &known, "config")?;
    if let Some(flags) = spec.child("flags") {
        refuse(flags, &["diskUuidEnabled"], "config.flags")?;
    }
    for child in &spec.children {
        let field = FIELDS.iter().find(|(name, _)| *name == child.name);
        let privilege = field.map_or("", |(_, privilege)| privilege);
        if !privilege.is_empty() {
            call.require(entity, privilege)?;
        }
    }
    for change in spec.children_named("deviceChange") {
        check_device(call, entity, change)?;
    }
    Ok(())
}

/// What one device asks for: on the machine, its network, and its datastore.
fn check_device(call: &Call<'_>, entity: &Entity, change: &Element) -> Result<(), Fault> {
    let backing = change.child("device").and_then(|device| device.child("backing"));
    if let Some(network) = backing.and_then(|backing| backing.child("network")) {
        call.require(call.find(&Ref::read(network))?, "Network.Assign")?;
    }
    let privilege = device_privilege(change);
    call.require(entity, privilege)?;
    let named = backing.and_then(|backing| backing.child("datastore")).map(Ref::read);
    let own = entity.machine().map(|machine| Ref::new("Datastore", &machine.datastore));
    match named.or(own) {
        Some(datastore) if privilege == "VirtualMachine.Config.AddNewDisk" => {
            call.require(call.find(&datastore)?, "Datastore.AllocateSpace")
        }
        _ => Ok(()),
    }
}

/// Writes the new configuration, at the end of the task.
pub(super) fn finish(world: &World, entity: &Entity, spec: &Element) -> Outcome {
    let machine = entity.machine().ok_or_else(|| Fault::gone(&entity.reference()))?;
    if let Some(version) = spec.child_text("changeVersion")
        && version != machine.change_version(world.seed)
    {
        return Err(Fault::new(
            "ConcurrentAccess",
            "The virtual machine's configuration was changed by somebody else after it was read.",
        ));
    }
    let mut changed = machine.clone();
    let mut effects = write(world, &mut changed, &world.path(&entity.id), spec)?;
    changed.changes += 1;
    let mut entity = entity.clone();
    if let Some(name) = spec.child_text("name") {
        let name = folder::stored_name(name)?;
        if !name.eq_ignore_ascii_case(&entity.name) {
            vacant(world, entity.parent.as_deref().unwrap_or_default(), &name)?;
        }
        entity.name = name;
    }
    effects.push(entity.with(changed));
    Ok((effects, None))
}

/// Writes a `VirtualMachineConfigSpec` into a machine, all of it or nothing, and gives what happens
/// to disks besides.
///
/// # Errors
/// `InvalidPowerState` for what needs the power off or hot add, `InvalidArgument` and
/// `InvalidDeviceSpec` for values that cannot be.
pub(super) fn write(
    world: &World,
    machine: &mut Machine,
    path: &str,
    spec: &Element,
) -> Result<Vec<Effect>, Fault> {
    processors(machine, spec)?;
    memory(machine, spec)?;
    let off_only = ["uuid", "instanceUuid", "guestId", "memoryHotAddEnabled", "cpuHotAddEnabled"];
    if machine.powered_on && off_only.iter().any(|name| spec.child(name).is_some()) {
        return Err(Fault::power(Some("poweredOff"), "poweredOn"));
    }
    let text = |name: &str| spec.child_text(name).map(str::to_owned);
    machine.uuid = text("uuid").unwrap_or_else(|| machine.uuid.clone());
    machine.instance_uuid = text("instanceUuid").unwrap_or_else(|| machine.instance_uuid.clone());
    machine.guest_id = text("guestId").unwrap_or_else(|| machine.guest_id.clone());
    machine.annotation = text("annotation").unwrap_or_else(|| machine.annotation.clone());
    machine.memory_hot_add = flag(spec, "memoryHotAddEnabled").unwrap_or(machine.memory_hot_add);
    machine.cpu_hot_add = flag(spec, "cpuHotAddEnabled").unwrap_or(machine.cpu_hot_add);
    if let Some(on) = spec.child("flags").and_then(|flags| flag(flags, "diskUuidEnabled")) {
        machine.set_disk_uuid(on);
    }
    for option in spec.children_named("extraConfig") {
        let key = option.child_text("key").unwrap_or_default();
        if !FIRST_CLASS.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            machine.set_extra(key, option.child_text("value").unwrap_or_default());
        }
    }
    let home = home(world, machine, path.rsplit('/').next().unwrap_or_default());
    let mut bench = Bench {
        world,
        path,
        instance_uuid: &machine.instance_uuid,
        home: &home,
        datastore: &machine.datastore,
        devices: &mut machine.devices,
        effects: Vec::new(),
    };
    bench.change(spec.children_named("deviceChange"))?;
    let effects = bench.effects;
    if let Some(info) = spec.child("scheduledHardwareUpgradeInfo") {
        machine.upgrade = Some(upgrade(info)?);
    }
    Ok(effects)
}

/// `[datastore] name/name`: where a machine's files begin.
pub(super) fn home(world: &World, machine: &Machine, name: &str) -> String {
    let datastore = world.get(&machine.datastore).map_or("datastore", |d| d.name.as_str());
    format!("[{datastore}] {name}/{name}")
}

/// `vmx-15` as a number.
pub(super) fn hardware(version: &str) -> Option<u32> {
    version.strip_prefix("vmx-")?.parse().ok()
}

/// Keys that have a field of their own: in `extraConfig` they are silently ignored.
const FIRST_CLASS: &[&str] = &[
    "memsize",
    "numvcpus",
    "cpuid.coresPerSocket",
    "displayName",
    "annotation",
    "guestOS",
    "uuid.bios",
    "vc.uuid",
];

/// The most a machine can have on ESXi 7.0 U3, by hardware version.
fn cpus_max(version: u32) -> i64 {
    match version {
        ..=10 => 64,
        11..=17 => 256,
        _ => 768,
    }
}

fn processors(machine: &mut Machine, spec: &Element) -> Result<(), Fault> {
    let cpus = number(spec, "numCPUs").unwrap_or(i64::from(machine.cpus));
    let cores = number(spec, "numCoresPerSocket").unwrap_or(i64::from(machine.cores_per_socket));
    if !(1..=cpus_max(machine.version)).contains(&cpus) {
        return Err(Fault::argument("configSpec.numCPUs"));
    }
    if cores < 1 || cpus % cores != 0 {
        return Err(Fault::argument("configSpec.numCoresPerSocket"));
    }
    let (cpus, cores) = (cpus as i32, cores as i32);
    let cold = cores != machine.cores_per_socket || cpus < machine.cpus || !machine.cpu_hot_add;
    if machine.powered_on && (cpus, cores) != (machine.cpus, machine.cores_per_socket) && cold {
        return Err(Fault::power(Some("poweredOff"), "poweredOn"));
    }
    (machine.cpus, machine.cores_per_socket) = (cpus, cores);
    Ok(())
}

fn memory(machine: &mut Machine, spec: &Element) -> Result<(), Fault> {
    let Some(memory) = number(spec, "memoryMB") else {
        return Ok(());
    };
    if !(4..=24 << 20).contains(&memory) || memory % 4 != 0 {
        return Err(Fault::argument("configSpec.memoryMB"));
    }
    let cold = memory < machine.memory_mib || !machine.memory_hot_add;
    if machine.powered_on && memory != machine.memory_mib && cold {
        return Err(Fault::power(Some("poweredOff"), "poweredOn"));
    }
    machine.memory_mib = memory;
    Ok(())
}

fn upgrade(info: &Element) -> Result<Upgrade, Fault> {
    let policy = info.child_text("upgradePolicy").unwrap_or("never");
    if !matches!(policy, "never" | "onSoftPowerOff" | "always") {
        return Err(Fault::argument("configSpec.scheduledHardwareUpgradeInfo.upgradePolicy"));
    }
    let version = match info.child_text("versionKey") {
        Some(text) => Some(hardware(text).ok_or_else(|| {
            Fault::argument("configSpec.scheduledHardwareUpgradeInfo.versionKey")
        })?),
        None => None,
    };
    Ok(Upgrade { policy: policy.to_owned(), version })
}

fn device_privilege(change: &Element) -> &'static str {
    let class = change.child("device").and_then(Element::xsi_type).unwrap_or_default();
    match (change.child_text("operation"), class) {
        (Some("add"), "VirtualDisk") if change.child("fileOperation").is_none() => {
            "VirtualMachine.Config.AddExistingDisk"
        }
        (Some("add"), "VirtualDisk") => "VirtualMachine.Config.AddNewDisk",
        (Some("remove"), "VirtualDisk") => "VirtualMachine.Config.RemoveDisk",
        (Some("edit"), "VirtualDisk") => "VirtualMachine.Config.DiskExtend",
        (Some("edit"), _) => "VirtualMachine.Config.EditDevice",
        _ => "VirtualMachine.Config.AddRemoveDevice",
    }
}
