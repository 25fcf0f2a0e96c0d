//! Power, guest shutdown and hardware upgrades.

use super::answer::Answer;
use super::call::Call;
use super::fault::Fault;
use super::guest;
use super::machine::Machine;
use super::placement::Placement;
use super::reconfigure::hardware;
use super::task::{Operation, Outcome, start};
use super::world::{Effect, Entity, World};

/// The newest virtual hardware of ESXi 7.0 U3.
const NEWEST: u32 = 19;

/// `PowerOnVM_Task`.
pub(super) fn on(call: &Call<'_>) -> Result<Answer, Fault> {
    begin(call, "VirtualMachine.Interact.PowerOn", Operation::PowerOn)
}

/// `PowerOffVM_Task`.
pub(super) fn off(call: &Call<'_>) -> Result<Answer, Fault> {
    begin(call, "VirtualMachine.Interact.PowerOff", Operation::PowerOff)
}

/// `UpgradeVM_Task`; without a version to the newest that the host can.
pub(super) fn upgrade(call: &Call<'_>) -> Result<Answer, Fault> {
    let version = match call.text("version") {
        "" => NEWEST,
        text => hardware(text).ok_or_else(|| Fault::argument("version"))?,
    };
    begin(call, "VirtualMachine.Config.UpgradeVirtualHardware", Operation::Upgrade { version })
}

/// `ShutdownGuest`: returns at once, the power goes off later, and there is no task to watch.
pub(super) fn shutdown(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = call.entity()?;
    call.require(entity, "VirtualMachine.Interact.PowerOff")?;
    let machine = entity.machine().ok_or_else(|| Fault::gone(&call.this))?;
    if !machine.powered_on {
        return Err(Fault::power(Some("poweredOn"), "poweredOff"));
    }
    if !machine.tools {
        return Err(Fault::new(
            "ToolsUnavailable",
            "Cannot complete operation because VMware Tools is not running in this virtual machine.",
        ));
    }
    let mut answer = Answer::task(start(call, entity, Operation::Shutdown)?);
    answer.returned.clear();
    Ok(answer)
}

/// Powers on, on the host where it is registered unless rules send it to another.
pub(super) fn finish_on(world: &World, entity: &Entity, now: u64) -> Outcome {
    let machine = machine(entity)?;
    if machine.template {
        return Err(Fault::new("NotSupported", "A template cannot be powered on."));
    }
    if machine.powered_on {
        return Err(Fault::power(Some("poweredOff"), "poweredOn"));
    }
    let placement = Placement::around(world, &machine.host);
    let host = placement.choose(&entity.id, &machine.host)?;
    let mut machine = upgraded(machine, &["always"]);
    machine.host = host;
    machine.powered_on = true;
    machine.booted_ms = now;
    guest::publish(world.seed, &entity.id, &mut machine);
    done(entity, machine)
}

pub(super) fn finish_off(entity: &Entity) -> Outcome {
    let machine = machine(entity)?;
    if !machine.powered_on {
        return Err(Fault::power(Some("poweredOn"), "poweredOff"));
    }
    done(entity, powerless(machine))
}

pub(super) fn finish_shutdown(entity: &Entity) -> Outcome {
    let machine = machine(entity)?;
    done(entity, upgraded(&powerless(machine), &["always", "onSoftPowerOff"]))
}

pub(super) fn finish_upgrade(entity: &Entity, version: u32) -> Outcome {
    let machine = machine(entity)?;
    if machine.powered_on {
        return Err(Fault::power(Some("poweredOff"), "poweredOn"));
    }
    if machine.version >= version {
        return Err(Fault::new(
            "AlreadyUpgraded",
            "The virtual machine's hardware is already up to date.",
        ));
    }
    if version > NEWEST {
        return Err(Fault::argument("version"));
    }
    let changes = machine.changes + 1;
    done(entity, Machine { version, changes, ..machine.clone() })
}

fn begin(call: &Call<'_>, privilege: &str, operation: Operation) -> Result<Answer, Fault> {
    let entity = call.entity()?;
    call.require(entity, privilege)?;
    Ok(Answer::task(start(call, entity, operation)?))
}

fn machine(entity: &Entity) -> Result<&Machine, Fault> {
    entity.machine().ok_or_else(|| Fault::gone(&entity.reference()))
}

fn powerless(machine: &Machine) -> Machine {
    let mut machine = Machine { powered_on: false, ..machine.clone() };
    guest::withdraw(&mut machine);
    machine
}

/// The machine after a scheduled upgrade, if one of these policies asks for it.
fn upgraded(machine: &Machine, policies: &[&str]) -> Machine {
    let mut machine = machine.clone();
    if let Some(upgrade) =
        machine.upgrade.take_if(|upgrade| policies.contains(&upgrade.policy.as_str()))
    {
        let version = upgrade.version.unwrap_or(NEWEST).min(NEWEST);
        if version > machine.version {
            machine.version = version;
            machine.changes += 1;
        }
    }
    machine
}

fn done(entity: &Entity, machine: Machine) -> Outcome {
    let effect: Effect = entity.with(machine);
    Ok((vec![effect], None))
}
