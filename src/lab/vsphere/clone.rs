//! `CloneVM_Task`.

use crate::xml::{Element, XSI};

use super::answer::Answer;
use super::call::{Call, flag};
use super::device::Body;
use super::fault::Fault;
use super::ids;
use super::machine::{CONNECTED, Machine};
use super::task::{Operation, Outcome, State, start};
use super::world::{Detail, Effect, Entity, Origin, Ref, World};
use super::{folder, guest, reconfigure};

/// `CloneVM_Task`: what can be known at once is checked at once, the rest is the task's.
pub(super) fn clone(call: &Call<'_>) -> Result<Answer, Fault> {
    let source = call.entity()?;
    let machine = source.machine().ok_or_else(|| Fault::gone(&call.this))?;
    let target = call.of_class(call.object("folder"), "Folder", "folder")?;
    if !folder::may_hold(target, "VirtualMachine") {
        return Err(Fault::new("InvalidFolder", "The folder cannot hold virtual machines.")
            .object("target", &target.reference()));
    }
    let name = folder::stored_name(call.text("name"))?;
    let spec = call.body.child("spec").ok_or_else(|| Fault::argument("spec"))?;
    let location = spec.child("location").ok_or_else(|| Fault::argument("spec.location"))?;
    refuse(spec, &["location", "template", "config", "powerOn"], "spec")?;
    refuse(location, &["datastore", "diskMoveType", "pool", "host"], "spec.location")?;

    let provisioning = match (machine.template, flag(spec, "template") == Some(true)) {
        (true, false) => "DeployTemplate",
        (true, true) => "CloneTemplate",
        (false, false) => "Clone",
        (false, true) => "CreateTemplateFromVM",
    };
    call.require(source, &format!("VirtualMachine.Provisioning.{provisioning}"))?;
    call.require(target, "VirtualMachine.Inventory.CreateFromExisting")?;
    call.require(target, "VirtualMachine.Config.AddNewDisk")?;
    match location.child("pool").map(Ref::read) {
        Some(pool) => {
            let pool = call.of_class(Some(pool), "ResourcePool", "spec.location.pool")?;
            call.require(pool, "Resource.AssignVMToPool")?;
        }
        None if machine.template && flag(spec, "template") != Some(true) => {
            return Err(Fault::argument("spec.location.pool"));
        }
        None => {}
    }
    if let Some(host) = location.child("host").map(Ref::read) {
        call.of_class(Some(host), "HostSystem", "spec.location.host")?;
    }
    let datastore = match location.child("datastore").map(Ref::read) {
        Some(datastore) => {
            call.of_class(Some(datastore), "Datastore", "spec.location.datastore")?
        }
        None => call.find(&Ref::new("Datastore", &machine.datastore))?,
    };
    call.require(datastore, "Datastore.AllocateSpace")?;
    networks(call, machine, spec.child("config"))?;
    if let Some(config) = spec.child("config") {
        reconfigure::check(call, target, config)?;
    }
    vacant(call.world, &target.id, &name)?;
    let operation = Operation::Clone {
        folder: target.id.clone(),
        name,
        spec: spec.clone().attr("xmlns:xsi", XSI).to_xml(),
    };
    Ok(Answer::task(start(call, source, operation)?))
}

/// The networks that the clone keeps from its source need their privilege, too.
fn networks(call: &Call<'_>, source: &Machine, config: Option<&Element>) -> Result<(), Fault> {
    let changes = config.into_iter().flat_map(|config| config.children_named("deviceChange"));
    let changed: Vec<&str> = changes
        .filter_map(|change| change.child("device").and_then(|device| device.child_text("key")))
        .collect();
    for device in &source.devices {
        if let Body::Nic { network, .. } = &device.body
            && !changed.contains(&device.key.to_string().as_str())
            && let Some(network) = call.world.get(network)
        {
            call.require(network, "Network.Assign")?;
        }
    }
    Ok(())
}

/// Makes the machine, at the end of its task.
pub(super) fn finish(
    world: &World,
    source: &Entity,
    folder: &str,
    name: &str,
    spec: &Element,
    now: u64,
) -> Outcome {
    let gone = || Fault::gone(&source.reference());
    let original = source.machine().ok_or_else(gone)?;
    world.get(folder).ok_or_else(|| Fault::gone(&Ref::new("Folder", folder)))?;
    if let Some(other) = world.child(folder, name) {
        return Err(Fault::duplicate(name, &other.reference()));
    }
    let path = format!("{}/{name}", world.path(folder));
    let id = world.fresh_entity("vm-", &path);
    let template = flag(spec, "template") == Some(true);
    let location = spec.child("location");
    let wanted =
        |name: &str| location.and_then(|location| location.child(name)).map(|e| Ref::read(e).id);
    let pool = wanted("pool").or_else(|| original.pool.clone());
    let mut machine = Machine {
        template,
        uuid: ids::uuid(world.seed, "42", &["bios", &id]),
        instance_uuid: ids::uuid(world.seed, "50", &["instance", &id]),
        host: wanted("host").unwrap_or_else(|| {
            place(world, pool.as_deref(), &path).unwrap_or_else(|| original.host.clone())
        }),
        pool: pool.filter(|_| !template),
        datastore: wanted("datastore").unwrap_or_else(|| original.datastore.clone()),
        powered_on: false,
        changes: 0,
        upgrade: None,
        address: address(world.seed, &id),
        connection: CONNECTED.to_owned(),
        question: None,
        ..original.clone()
    };
    own_devices(world, &mut machine, name);
    let mut effects = match spec.child("config") {
        Some(config) => reconfigure::write(world, &mut machine, &path, config)?,
        None => Vec::new(),
    };
    if flag(spec, "powerOn") == Some(true) {
        if template {
            return Err(Fault::new("NotSupported", "A template cannot be powered on."));
        }
        machine.powered_on = true;
        machine.booted_ms = now;
        guest::publish(world.seed, &id, &mut machine);
    }
    let entity = Entity {
        id,
        name: name.to_owned(),
        parent: Some(folder.to_owned()),
        origin: Origin::Client,
        born: path,
        detail: Detail::Machine(Box::new(machine)),
    };
    let reference = entity.reference();
    effects.push(Effect::Put(Box::new(entity)));
    Ok((effects, Some(reference)))
}

/// Refuses a name that is taken in a folder, or will be by a running clone.
pub(super) fn vacant(world: &World, folder: &str, name: &str) -> Result<(), Fault> {
    if let Some(other) = world.child(folder, name) {
        return Err(Fault::duplicate(name, &other.reference()));
    }
    let running = world.tasks.values().find(|task| match &task.operation {
        Operation::Clone { folder: target, name: taken, .. } => {
            task.state == State::Pending && target == folder && taken.eq_ignore_ascii_case(name)
        }
        _ => false,
    });
    match running {
        Some(task) => Err(Fault::duplicate(name, &task.entity)),
        None => Ok(()),
    }
}

/// The address a machine's guest gets from the network when nothing sets one.
pub(super) fn address(seed: u64, id: &str) -> String {
    let bits = ids::draw(seed, &["address", id]);
    format!("10.99.{}.{}", (bits >> 8) & 0xff, 1 + bits % 250)
}

/// Refuses parts of a spec that the lab would have to ignore.
pub(super) fn refuse(spec: &Element, known: &[&str], place: &str) -> Result<(), Fault> {
    match spec.children.iter().find(|child| !known.contains(&child.name.as_str())) {
        Some(child) => Err(Fault::unsimulated(&format!("{place}.{}", child.name))),
        None => Ok(()),
    }
}

/// The host that a new machine is put on: any of the pool's cluster, by name.
fn place(world: &World, pool: Option<&str>, path: &str) -> Option<String> {
    let cluster = world.get(pool?)?.parent.clone()?;
    let hosts: Vec<&Entity> = world
        .of_class("HostSystem")
        .filter(|host| host.parent.as_ref() == Some(&cluster))
        .collect();
    let choice = ids::draw(world.seed, &["place", path]) as usize;
    hosts.get(choice % hosts.len().max(1)).map(|host| host.id.clone())
}

fn own_devices(world: &World, machine: &mut Machine, name: &str) {
    let home = reconfigure::home(world, machine, name);
    let mut disks = 0;
    for device in &mut machine.devices {
        let key = device.key.to_string();
        match &mut device.body {
            Body::Disk { file, datastore, uuid, foreign, id, .. } => {
                (*foreign, *id) = (false, None);
                let suffix = if disks == 0 { String::new() } else { format!("_{disks}") };
                *file = format!("{home}{suffix}.vmdk");
                datastore.clone_from(&machine.datastore);
                *uuid = ids::uuid(world.seed, "6000", &["disk", &machine.instance_uuid, &key]);
                disks += 1;
            }
            Body::Nic { mac, .. } => *mac = ids::mac(world.seed, &[&machine.instance_uuid, &key]),
            _ => {}
        }
    }
}
