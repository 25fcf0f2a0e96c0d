//! Questions that a machine asks while it is powered on, and waits for.

use serde::{Deserialize, Serialize};

use crate::xml::Element;

use super::answer::Answer;
use super::call::Call;
use super::fault::Fault;
use super::machine::Machine;
use super::property::texts;
use super::task::{State, Task};
use super::world::{Effect, World};

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub id: String,
    pub text: String,
}

/// The text of the only question: what ESXi asks of a machine whose files were copied by hand.
const TEXT: &str = "msg.uuid.altered:This virtual machine might have been moved or copied. \
    In order to configure certain management and networking features, VMware ESX needs to know \
    if this virtual machine was moved or copied. If you don't know, answer \"I Copied It\".";

/// The answers, by key.
const CHOICES: &[(&str, &str)] = &[
    ("0", "button.uuid.cancel:Cancel"),
    ("1", "button.uuid.movedTheVM:I Moved It"),
    ("2", "button.uuid.copiedTheVM:I Copied It"),
];

/// Holds a task that was just started until its machine's question is answered.
pub(super) fn hold(world: &World, effects: &mut Vec<Effect>) {
    let held = effects.iter_mut().find_map(|effect| match effect {
        Effect::PutTask(task) => Some(task),
        _ => None,
    });
    let Some(task) = held else { return };
    let Some(entity) = world.get(&task.entity.id) else { return };
    let Some(machine) = entity.machine() else { return };
    task.due_ms = u64::MAX;
    let question = Question { id: task.id.clone(), text: TEXT.to_owned() };
    effects.push(entity.with(Machine { question: Some(question), ..machine.clone() }));
}

/// `AnswerVM`: the task that waited goes on, and what is queued behind it.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = call.entity()?;
    call.require(entity, "VirtualMachine.Interact.AnswerQuestion")?;
    let machine = entity.machine().ok_or_else(|| Fault::gone(&call.this))?;
    let asked = machine.question.as_ref().filter(|asked| asked.id == call.text("questionId"));
    let asked = asked.ok_or_else(|| Fault::argument("questionId"))?;
    let choice = call.text("answerChoice");
    if !CHOICES.iter().any(|(key, _)| *key == choice) {
        return Err(Fault::argument("answerChoice"));
    }
    let mut effects = vec![entity.with(Machine { question: None, ..machine.clone() })];
    let waiting = call.world.tasks.values().filter(|task| {
        task.state == State::Pending && task.lock == entity.id && task.due_ms == u64::MAX
    });
    for task in waiting {
        let mut task: Task = task.clone();
        (task.start_ms, task.due_ms) = (task.start_ms.min(call.now), call.now);
        if task.id == asked.id && choice == "0" {
            task.error =
                Some(Fault::new("RequestCanceled", "The question was answered with Cancel."));
        }
        effects.push(Effect::PutTask(Box::new(task)));
    }
    Ok(Answer::done(effects))
}

/// `runtime.question`.
pub(super) fn element(question: &Question) -> Element {
    let choices = CHOICES.iter().map(|(key, text)| {
        let fields = [("label", *key), ("summary", *text), ("key", *key)];
        texts("choiceInfo", fields.map(|(name, text)| (name, text.to_owned())))
            .attr("xsi:type", "ElementDescription")
    });
    let choice =
        Element::new("choice").extend(choices).push(Element::with_text("defaultIndex", "2"));
    texts("question", [("id", question.id.clone()), ("text", question.text.clone())]).push(choice)
}
