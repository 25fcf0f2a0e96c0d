//! Tasks: queued, running, done. A task's effect comes at its end, so one that a kill interrupts
//! is carried out when the world is opened again.

use serde::{Deserialize, Serialize};

use crate::xml::Element;

use super::answer::Answer;
use super::call::Call;
use super::fault::Fault;
use super::machine::CONNECTED;
use super::world::{Effect, Entity, Entry, ROOT, Ref, World};
use super::{clone, folder, ids, power, property, reconfigure, rule};

/// A task, before and after its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Task {
    pub id: String,
    /// The object it works on; the source of a clone.
    pub entity: Ref,
    pub entity_name: String,
    /// Counts towards the ids of tasks of the same kind on the same thing.
    pub born: String,
    /// Tasks with the same lock run one after the other.
    pub lock: String,
    pub operation: Operation,
    pub user: String,
    /// Milliseconds since 1970, as the two below.
    pub queued_ms: u64,
    pub start_ms: u64,
    pub due_ms: u64,
    pub state: State,
    /// The fault that it is to end in, on request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    /// Whether clients may see it: a guest's shutdown has no task object.
    pub listed: bool,
}

/// What a task does. Specs are kept as the request's own XML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Operation {
    Clone { folder: String, name: String, spec: String },
    Reconfigure { spec: String },
    Upgrade { version: u32 },
    PowerOn,
    PowerOff,
    Shutdown,
    Destroy,
    Rename { name: String },
    Move { entities: Vec<String> },
    Cluster { spec: String, modify: bool },
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum State {
    Pending,
    Success(Option<Ref>),
    Failed(Fault),
}

/// How long finished tasks can still be read.
const KEPT_MS: u64 = 3_600_000;

/// Queues a task on an entity.
///
/// # Errors
/// `TaskInProgress` when the entity is being destroyed, `HostNotConnected` and `InvalidState` for a
/// machine that vCenter cannot reach.
pub(super) fn start(call: &Call<'_>, entity: &Entity, operation: Operation) -> Result<Task, Fault> {
    reachable(entity)?;
    let lock = match &operation {
        Operation::Clone { folder, name, .. } => format!("{}/{name}", call.world.path(folder)),
        _ => entity.id.clone(),
    };
    let pending = call.world.tasks.values().filter(|task| task.state == State::Pending);
    let ahead: Vec<&Task> = pending.filter(|task| task.lock == lock).collect();
    if let Some(task) = ahead.iter().find(|task| task.operation == Operation::Destroy) {
        return Err(Fault::new(
            "TaskInProgress",
            "The operation is not allowed: another task is already in progress.",
        )
        .object("task", &Ref::new("Task", &task.id)));
    }
    let free_ms = ahead.iter().map(|task| task.due_ms).max().unwrap_or(0);
    let start_ms = call.now.max(free_ms);
    let born = format!("task {} {lock}", description(&operation));
    Ok(Task {
        id: call.world.fresh("task-", &born, |id| call.world.tasks.contains_key(id)),
        entity: entity.reference(),
        entity_name: entity.name.clone(),
        born,
        lock,
        listed: operation != Operation::Shutdown,
        operation,
        user: call.session.principal.clone(),
        queued_ms: call.now,
        start_ms,
        due_ms: start_ms.saturating_add(call.settings.task_delay_ms),
        state: State::Pending,
        error: None,
    })
}

fn reachable(entity: &Entity) -> Result<(), Fault> {
    match entity.machine().map_or(CONNECTED, |machine| machine.connection.as_str()) {
        CONNECTED => Ok(()),
        "disconnected" => Err(Fault::new(
            "HostNotConnected",
            "Unable to communicate with the remote host, since it is disconnected.",
        )),
        _ => Err(Fault::new("InvalidState", "The operation is not allowed in the current state.")),
    }
}

/// Carries out the tasks that are due and forgets old ones. Applies and returns the records.
pub(in crate::lab) fn settle(world: &mut World, now: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let Some(task) = next_due(world, now) {
        let (mut effects, state) = match carry_out(world, &task) {
            Ok((effects, result)) => (effects, State::Success(result)),
            Err(fault) => (Vec::new(), State::Failed(fault)),
        };
        effects.push(Effect::PutTask(Box::new(Task { state, ..task })));
        let entry = Entry { effects };
        world.apply(&entry);
        entries.push(entry);
    }
    let old = world.tasks.values().filter(|task| task.state != State::Pending);
    let old = old.filter(|task| task.due_ms.saturating_add(KEPT_MS) < now);
    let effects: Vec<Effect> = old.map(|task| Effect::DropTask(task.id.clone())).collect();
    if !effects.is_empty() {
        let entry = Entry { effects };
        world.apply(&entry);
        entries.push(entry);
    }
    entries
}

/// `CancelTask`: only one that has not begun can be stopped.
pub(super) fn cancel(call: &Call<'_>) -> Result<Answer, Fault> {
    let task = call.world.tasks.get(&call.this.id).filter(|task| task.listed);
    let task = task.ok_or_else(|| Fault::gone(&call.this))?;
    if let Some(root) = call.world.get(ROOT).filter(|_| task.user != call.session.principal) {
        call.require(root, "Global.CancelTask")?;
    }
    if task.state != State::Pending || task.start_ms <= call.now {
        return Err(Fault::new(
            "InvalidState",
            "The task cannot be cancelled in its current state.",
        ));
    }
    let fault = Fault::new("RequestCanceled", "The task was canceled by a user.");
    let task = Task { state: State::Failed(fault), due_ms: call.now, ..task.clone() };
    Ok(Answer::done(vec![Effect::PutTask(Box::new(task))]))
}

/// The task's `info`.
pub(super) fn info(task: &Task, now: u64, name: &str) -> Element {
    let state = match &task.state {
        State::Pending if now < task.start_ms => "queued",
        State::Pending => "running",
        State::Success(_) => "success",
        State::Failed(_) => "error",
    };
    let mut info = Element::new(name)
        .push(Element::with_text("key", &task.id))
        .push(Ref::new("Task", &task.id).element("task"))
        .push(Element::with_text("name", method(&task.operation)))
        .push(Element::with_text("descriptionId", description(&task.operation)))
        .push(task.entity.element("entity"))
        .push(Element::with_text("entityName", &task.entity_name))
        .push(Element::with_text("state", state))
        .push(Element::with_text("cancelled", "false"))
        .push(Element::with_text("cancelable", (state == "queued").to_string()));
    match &task.state {
        State::Failed(fault) => info = info.push(fault.localized("error")),
        State::Success(Some(result)) => {
            info = info.push(result.element("result").attr("xsi:type", "ManagedObjectReference"));
        }
        State::Success(None) => {}
        State::Pending if state == "running" => {
            let whole = task.due_ms.saturating_sub(task.start_ms).max(1);
            let gone = now.saturating_sub(task.start_ms).min(whole);
            info = info.push(Element::with_text("progress", (gone * 99 / whole).to_string()));
        }
        State::Pending => {}
    }
    let reason = Element::new("reason")
        .attr("xsi:type", "TaskReasonUser")
        .push(Element::with_text("userName", &task.user));
    info = info.push(reason).push(Element::with_text("queueTime", property::time(task.queued_ms)));
    if state != "queued" {
        info = info.push(Element::with_text("startTime", property::time(task.start_ms)));
    }
    if task.state != State::Pending {
        info = info.push(Element::with_text("completeTime", property::time(task.due_ms)));
    }
    let chain = ids::draw(0, &[&task.id]) % 1_000_000;
    info.push(Element::with_text("eventChainId", chain.to_string()))
}

fn next_due(world: &World, now: u64) -> Option<Task> {
    let due =
        world.tasks.values().filter(|task| task.state == State::Pending && task.due_ms <= now);
    due.min_by_key(|task| (task.due_ms, task.queued_ms, &task.id)).cloned()
}

/// What a finished operation did, and what it made.
pub(super) type Outcome = Result<(Vec<Effect>, Option<Ref>), Fault>;

fn carry_out(world: &World, task: &Task) -> Outcome {
    if let Some(fault) = &task.error {
        return Err(fault.clone());
    }
    let entity = world.get(&task.entity.id).ok_or_else(|| Fault::gone(&task.entity))?;
    match &task.operation {
        Operation::Clone { folder, name, spec } => {
            clone::finish(world, entity, folder, name, &parse(spec)?, task.due_ms)
        }
        Operation::Reconfigure { spec } => reconfigure::finish(world, entity, &parse(spec)?),
        Operation::Upgrade { version } => power::finish_upgrade(entity, *version),
        Operation::PowerOn => power::finish_on(world, entity, task.due_ms),
        Operation::PowerOff => power::finish_off(entity),
        Operation::Shutdown => power::finish_shutdown(entity),
        Operation::Destroy => folder::finish_destroy(world, entity),
        Operation::Rename { name } => folder::finish_rename(world, entity, name),
        Operation::Move { entities } => folder::finish_move(world, entity, entities),
        Operation::Cluster { spec, modify } => rule::finish(world, entity, &parse(spec)?, *modify),
    }
}

fn parse(spec: &str) -> Result<Element, Fault> {
    Element::parse(spec).map_err(|error| Fault::request(error.to_string()))
}

fn description(operation: &Operation) -> &'static str {
    match operation {
        Operation::Clone { .. } => "VirtualMachine.clone",
        Operation::Reconfigure { .. } => "VirtualMachine.reconfigure",
        Operation::Upgrade { .. } => "VirtualMachine.upgradeVirtualHardware",
        Operation::PowerOn => "VirtualMachine.powerOn",
        Operation::PowerOff => "VirtualMachine.powerOff",
        Operation::Shutdown => "VirtualMachine.shutdownGuest",
        Operation::Destroy => "ManagedEntity.destroy",
        Operation::Rename { .. } => "ManagedEntity.rename",
        Operation::Move { .. } => "Folder.moveIntoFolder",
        Operation::Cluster { .. } => "ComputeResource.reconfigureEx",
    }
}

fn method(operation: &Operation) -> &'static str {
    match operation {
        Operation::Clone { .. } => "CloneVM_Task",
        Operation::Reconfigure { .. } => "ReconfigVM_Task",
        Operation::Upgrade { .. } => "UpgradeVM_Task",
        Operation::PowerOn => "PowerOnVM_Task",
        Operation::PowerOff => "PowerOffVM_Task",
        Operation::Shutdown => "ShutdownGuest",
        Operation::Destroy => "Destroy_Task",
        Operation::Rename { .. } => "Rename_Task",
        Operation::Move { .. } => "MoveIntoFolder_Task",
        Operation::Cluster { .. } => "ReconfigureComputeResource_Task",
    }
}
