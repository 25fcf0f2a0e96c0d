//! Waiting for vCenter's tasks.

use std::time::{Duration, Instant};

use serde_json::json;

use super::collect::retrieve_one;
use super::failure::Failure;
use super::fault::Fault;
use super::moref::MoRef;
use super::session::Session;
use crate::provider::Run;
use crate::xml::Element;

/// How a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Queued or running, with its per cent where it tells.
    Running(Option<u64>),
    /// Done; the object it made, where it made one.
    Done(Option<MoRef>),
    /// Ended with a fault.
    Failed(Fault),
    /// vCenter has forgotten it: tasks are kept for some minutes after their end.
    Forgotten,
}

/// Starts a task, puts its id into the journal, and waits for its end.
///
/// # Errors
/// Any [`Failure`]: the call's, the task's own, or `Refused` where boma is asked to stop.
pub async fn run(
    session: &Session,
    run: &dyn Run,
    what: &str,
    call: Element,
) -> Result<Option<MoRef>, Failure> {
    let method = call.name.clone();
    // A kill before the task's id is noted would leave a task that nobody waits for.
    if let Some(object) = MoRef::child(&call, "_this") {
        run.note(json!({ "busy": { "type": object.kind, "id": object.value } }))?;
    }
    let answer = session.call(call).await?;
    let task =
        MoRef::child(&answer, "returnval").ok_or_else(|| Failure::missing(&method, "task"))?;
    run.note(json!({ "task": task.value }))?;
    wait(session, run, what, &task).await
}

/// Waits for a task's end; the change's deadline is the executor's to keep.
async fn wait(
    session: &Session,
    run: &dyn Run,
    what: &str,
    task: &MoRef,
) -> Result<Option<MoRef>, Failure> {
    let mut delay = Delay::default();
    loop {
        match state(session, task).await? {
            State::Done(made) => return Ok(made),
            State::Failed(fault) => return Err(fault.into()),
            State::Forgotten => {
                return Err(Failure::later(
                    format!("vCenter does not know the task {} any more", task.value),
                    "whether it was done is not known: the next read shows it",
                ));
            }
            State::Running(percent) => {
                let percent = percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
                run.progress(&format!("{what}{percent}"));
            }
        }
        if !delay.pause(Some(run)).await {
            return Err(Failure::later(
                format!("stopped while {} was running", task.value),
                "the next apply waits for it and goes on from there",
            ));
        }
    }
}

/// Waits for the end of a task that an interrupted run noted, whatever that end is. `false` where
/// it still runs at the deadline.
///
/// # Errors
/// Any [`Failure`].
pub async fn settle(session: &Session, id: &str, deadline: Instant) -> Result<bool, Failure> {
    let task = MoRef::new("Task", id);
    let mut delay = Delay::default();
    while let State::Running(_) = state(session, &task).await? {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        delay.pause(None).await;
    }
    Ok(true)
}

/// Waits for the end of all tasks of an object that an interrupted run was about to give one.
/// `false` where one still runs at the deadline.
///
/// # Errors
/// Any [`Failure`].
pub async fn settle_all(
    session: &Session,
    object: &MoRef,
    deadline: Instant,
) -> Result<bool, Failure> {
    let row = match retrieve_one(session, object, &["recentTask"]).await {
        Err(failure) if failure.is_gone() => return Ok(true),
        outcome => outcome?,
    };
    for task in row.morefs("recentTask") {
        if !settle(session, &task.value, deadline).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Waits that grow from 50 ms to 2 s: short tasks are seen at once, long ones cost little.
pub struct Delay(Duration);

impl Default for Delay {
    fn default() -> Self {
        Self(Duration::from_millis(50))
    }
}

impl Delay {
    /// Waits once. `false`, and at once, where boma is asked to stop.
    pub async fn pause(&mut self, run: Option<&dyn Run>) -> bool {
        const SLICE: Duration = Duration::from_millis(200);
        let mut left = self.0;
        self.0 = (self.0 * 3 / 2).min(Duration::from_secs(2));
        while !left.is_zero() {
            if run.is_some_and(Run::stopping) {
                return false;
            }
            let slice = left.min(SLICE);
            tokio::time::sleep(slice).await;
            left = left.saturating_sub(slice);
        }
        !run.is_some_and(Run::stopping)
    }
}

async fn state(session: &Session, task: &MoRef) -> Result<State, Failure> {
    match retrieve_one(session, task, &["info"]).await {
        Ok(row) => {
            let info =
                row.get("info").ok_or_else(|| Failure::missing("RetrievePropertiesEx", "info"))?;
            Ok(of_info(info))
        }
        Err(failure) if failure.is_gone() => Ok(State::Forgotten),
        Err(failure) => Err(failure),
    }
}

fn of_info(info: &Element) -> State {
    match info.child_text("state").map(str::trim) {
        Some("success") => State::Done(MoRef::child(info, "result")),
        Some("error") => State::Failed(info.child("error").map_or_else(
            || Fault::Other { name: "MethodFault".into(), message: "the task failed".into() },
            Fault::of_localized,
        )),
        _ => State::Running(info.child_text("progress").and_then(|text| text.trim().parse().ok())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(content: &str, expected: State) {
        let text = format!(
            r#"<val xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="TaskInfo"><key>task-7</key>{content}</val>"#
        );
        assert_eq!(of_info(&Element::parse(&text).unwrap()), expected);
    }

    #[test]
    fn states_of_a_task() {
        check("<state>queued</state>", State::Running(None));
        check("<state>running</state><progress>42</progress>", State::Running(Some(42)));
        check(
            r#"<state>success</state><result type="VirtualMachine" xsi:type="ManagedObjectReference">vm-9</result>"#,
            State::Done(Some(MoRef::new("VirtualMachine", "vm-9"))),
        );
        check("<state>success</state>", State::Done(None));
        check(
            r#"<state>error</state><error><fault xsi:type="DuplicateName"><name>server-1</name><object type="VirtualMachine">vm-9</object></fault><localizedMessage>x</localizedMessage></error>"#,
            State::Failed(Fault::DuplicateName { name: "server-1".into() }),
        );
    }
}
