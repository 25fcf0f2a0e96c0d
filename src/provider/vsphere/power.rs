//! Power of machines, and their removal.

use std::time::{Duration, Instant};

use serde_json::json;

use super::collect::retrieve_one;
use super::failure::Failure;
use super::fault::Fault;
use super::moref::MoRef;
use super::reconfigure::gone;
use super::session::Session;
use super::{task, vm};
use crate::provider::{Inputs, Run};
use crate::resource::Reading;

/// How long a guest may take to shut down before its power is cut. k3s and CouchDB stop within
/// systemd's 90 s; more would only delay the cut of a guest that hangs.
const SHUTDOWN: Duration = Duration::from_secs(120);

/// Turns a machine off: through its guest where VMware Tools run, else hard.
///
/// # Errors
/// Any [`Failure`]; `Refused` where boma is asked to stop.
pub async fn off(session: &Session, inputs: &Inputs, run: &dyn Run) -> Result<Reading, Failure> {
    let vm = vm::of_step(session, inputs).await?.ok_or_else(gone)?;
    let before = Power::read(session, &vm).await?;
    let mut off = before.is_off();
    if !off && before.tools && before.state == "poweredOn" {
        off = shut_down(session, &vm, run).await?;
    }
    if !off {
        match task::run(session, run, "power off", vm.call("PowerOffVM_Task")).await {
            Err(Failure::Fault(Fault::InvalidPowerState { .. }))
                if Power::read(session, &vm).await?.is_off() => {}
            outcome => _ = outcome?,
        }
    }
    vm::read_reference(session, &vm).await
}

/// Turns a machine on.
///
/// # Errors
/// Any [`Failure`].
pub async fn on(session: &Session, inputs: &Inputs, run: &dyn Run) -> Result<Reading, Failure> {
    let vm = vm::of_step(session, inputs).await?.ok_or_else(gone)?;
    match task::run(session, run, "power on", vm.call("PowerOnVM_Task")).await {
        Err(Failure::Fault(Fault::InvalidPowerState { .. }))
            if Power::read(session, &vm).await?.state == "poweredOn" => {}
        outcome => _ = outcome?,
    }
    vm::read_reference(session, &vm).await
}

/// Destroys a machine with its disks. What hangs on it is read once more just before: disks that
/// are not its own would be destroyed with it.
///
/// # Errors
/// Any [`Failure`]; `Refused` while foreign disks hang on it.
pub async fn destroy(
    session: &Session,
    inputs: &Inputs,
    run: &dyn Run,
) -> Result<Reading, Failure> {
    let Some(vm) = vm::of_step(session, inputs).await? else { return Ok(Reading::Absent) };
    let live = match vm::read_reference(session, &vm).await? {
        Reading::Present(object) => object.attributes.tree(),
        Reading::Absent => return Ok(Reading::Absent),
        Reading::Unread(reason) => return Err(Failure::later(reason, "plan again")),
    };
    if live["foreign_disks"].as_array().is_none_or(|disks| !disks.is_empty()) {
        return Err(Failure::refused(
            format!("disks hang on it that are not its own: {}", live["foreign_disks"]),
            "drain the node so that its volumes are detached; boma destroys no disk it did not make",
        ));
    }
    match task::run(session, run, "destroy", vm.call("Destroy_Task")).await {
        Ok(_) => Ok(Reading::Absent),
        Err(failure) if failure.is_gone() => Ok(Reading::Absent),
        Err(failure) => Err(failure),
    }
}

/// Asks the guest to shut down. `false` where it did not within [`SHUTDOWN`] or cannot be asked.
async fn shut_down(session: &Session, vm: &MoRef, run: &dyn Run) -> Result<bool, Failure> {
    // There is no task to note: whoever resumes watches the guest itself.
    run.note(json!({ "shutdown": vm.value }))?;
    match session.call(vm.call("ShutdownGuest")).await {
        Ok(_) => {}
        // No tools, or it went off by itself: the hard way, or none, is decided by a fresh read.
        Err(Failure::Fault(_)) => return Ok(Power::read(session, vm).await?.is_off()),
        Err(failure) => return Err(failure),
    }
    let deadline = Instant::now() + SHUTDOWN;
    let mut delay = task::Delay::default();
    while Instant::now() < deadline {
        if Power::read(session, vm).await?.is_off() {
            return Ok(true);
        }
        run.progress("waiting for the guest to shut down");
        if !delay.pause(Some(run)).await {
            return Err(Failure::later(
                "stopped while the guest was shutting down",
                "the next apply sees how far it came",
            ));
        }
    }
    Ok(false)
}

/// Waits for a guest that an interrupted run asked to shut down, as long as it is at it.
///
/// # Errors
/// Any [`Failure`].
pub async fn settle(session: &Session, id: &str) -> Result<(), Failure> {
    let vm = MoRef::new("VirtualMachine", id);
    let deadline = Instant::now() + SHUTDOWN;
    let mut delay = task::Delay::default();
    while Instant::now() < deadline {
        match retrieve_one(session, &vm, &["runtime.powerState", "guest.guestState"]).await {
            Ok(row)
                if row.text("runtime.powerState") == Some("poweredOn")
                    && row.text("guest.guestState") == Some("shuttingDown") => {}
            Err(failure) if !failure.is_gone() => return Err(failure),
            _ => return Ok(()),
        }
        delay.pause(None).await;
    }
    Ok(())
}

struct Power {
    state: String,
    tools: bool,
}

impl Power {
    async fn read(session: &Session, vm: &MoRef) -> Result<Self, Failure> {
        let paths = ["runtime.powerState", "guest.toolsRunningStatus"];
        let row = retrieve_one(session, vm, &paths).await?;
        Ok(Self {
            state: row.text("runtime.powerState").unwrap_or_default().to_owned(),
            tools: row.text("guest.toolsRunningStatus") == Some("guestToolsRunning"),
        })
    }

    fn is_off(&self) -> bool {
        self.state == "poweredOff"
    }
}
