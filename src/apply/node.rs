//! One node of the order: the steps of a change, or of one half of a replace.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot};

use super::wait::{FIRST_PAUSE, Waiting, longer, read_one};
use super::{Clock, Event, Ledger, LedgerError, SecretValues, Stop, record};
use crate::plan::{
    Action, After, Change, Half, Node, Operation, Plan, Step, equal, holds, to_write,
};
use crate::provider::{Inputs, Provider, ProviderError, Retry, Run, Wanted};
use crate::resource::{
    Address, Attributes, Condition, Kind, Layer, Lifecycle, Mode, Object, Reading, Sealer,
    SecretSource, Unmet, generated, pointer_key, references, resolve,
};
use crate::state::{Entry, Open};

/// How often a call that failed in passing is tried in all, where repeating it is harmless.
const TRIES: u32 = 3;

/// Why a node did not get done.
#[derive(Clone, Debug)]
pub enum NodeError {
    /// The remote side; other nodes go on.
    Failed(ProviderError),
    /// The journal; everything stops.
    Ledger(LedgerError),
}

impl From<ProviderError> for NodeError {
    fn from(error: ProviderError) -> Self {
        Self::Failed(error)
    }
}

impl From<LedgerError> for NodeError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// What a node says to the loop.
pub enum Message {
    /// It waits and occupies nothing.
    Waiting(usize),
    /// It wants to make another call, and listens for the permission.
    Ready(usize, oneshot::Sender<()>),
    /// It is over.
    Over(usize, Result<(), NodeError>),
}

/// Everything a node needs, shared by all.
pub struct Context {
    pub plan: Arc<Plan>,
    /// Addresses with a node of their own.
    pub acting: BTreeSet<Address>,
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    pub sealer: Sealer,
    pub secrets: SecretValues,
    pub events: mpsc::UnboundedSender<Event>,
    pub stop: Stop,
}

/// A node under way.
pub struct Runner {
    pub context: Arc<Context>,
    pub provider: Arc<dyn Provider>,
    pub messages: mpsc::UnboundedSender<Message>,
    pub at: usize,
    /// What the journal said when a note could not be written.
    pub broken: OnceLock<LedgerError>,
}

impl Runner {
    /// Runs the node to its end and says so.
    pub async fn run(self) {
        let result = self.steps().await;
        let _ = self.messages.send(Message::Over(self.at, result));
    }

    fn node(&self) -> &Node {
        &self.context.plan.nodes[self.at]
    }

    fn change(&self) -> &Change {
        &self.context.plan.changes[self.node().change]
    }

    fn emit(&self, event: Event) {
        let _ = self.context.events.send(event);
    }

    async fn steps(&self) -> Result<(), NodeError> {
        let (change, half) = (self.change(), self.node().half);
        let address = change.address.clone();
        let begun = self.context.clock.now();
        self.emit(Event::Started { address: address.clone(), action: change.action, half });
        let mut reading = self.first_reading().await;
        self.before_steps(&reading)?;
        for (index, step) in self.context.plan.steps(self.node()).iter().enumerate() {
            if index > 0 {
                self.permission().await;
            }
            reading = self.step(step, reading).await?;
        }
        if change.action == Action::Forget {
            self.context.ledger.append(Entry::Remove { address: address.clone() })?;
        }
        let elapsed_s = self.context.clock.now().saturating_sub(begun).as_secs();
        self.emit(Event::Finished { address, action: change.action, half, elapsed_s });
        Ok(())
    }

    /// What stands when the node begins: as planned, or nothing once the delete half is done. A
    /// window that closes finds what was done in it.
    async fn first_reading(&self) -> Reading {
        let change = self.change();
        if self.node().half == Half::Close {
            let (address, kind, locator) =
                (change.address.clone(), change.kind, change.locator.clone());
            let wanted = Wanted { address, kind, locator };
            return self.seal(kind, read_one(&*self.provider, &wanted).await);
        }
        match (&change.live, &change.locator.id) {
            (Some(live), Some(id)) if self.node().half != Half::Create => {
                Reading::Present(Object { id: id.clone(), attributes: live.clone(), mark: None })
            }
            _ => Reading::Absent,
        }
    }

    /// What is recorded without any call: an adoption. Not where it has yet to be seen how a write
    /// of an interrupted run ended: that stays open until then.
    fn before_steps(&self, reading: &Reading) -> Result<(), NodeError> {
        let change = self.change();
        match (change.action, reading.object()) {
            _ if self.node().half.is_around() => {}
            _ if !change.locator.notes.is_empty() && !change.steps.is_empty() => {}
            (Action::Adopt, Some(object)) => self.put(object)?,
            _ => {}
        }
        Ok(())
    }

    /// Asks for the endpoint again.
    async fn permission(&self) {
        let (sender, receiver) = oneshot::channel();
        let _ = self.messages.send(Message::Ready(self.at, sender));
        let _ = receiver.await;
    }

    async fn step(&self, step: &Step, reading: Reading) -> Result<Reading, NodeError> {
        let change = self.change();
        let inputs = self.inputs(step, &reading)?;
        let (kind, sealer) = (step.kind, self.context.sealer.clone());
        // What was made up gives way to what stands, so it is nothing to look for.
        let sent = sealer.seal_tree(kind, without(&inputs.attributes, &inputs.generated));
        let removed = removed(change, step);
        let written = move |live: &Json| {
            let gone = removed.iter().all(|path| !holds(kind, live, path));
            gone && equal(kind, &sent, &sealer.seal_tree(kind, live.clone()))
        };
        let is_done = step.operation != Operation::Create
            && step.done.shows()
            && step.done.check(&reading, &written).is_ok();
        if is_done {
            return Ok(reading);
        }
        let reading = self.guarded(step, reading, &inputs).await?;
        self.intent(step)?;
        self.emit(Event::Step { address: change.address.clone(), operation: step.operation });
        let inputs = Inputs { object: reading.object().cloned(), ..inputs };
        let acted = match step.operation {
            Operation::Wait => Ok(reading),
            _ => self.act(step, &inputs, &written).await,
        };
        if let Some(error) = self.broken.get() {
            return Err(error.clone().into());
        }
        let reading = match acted {
            Ok(reading) => self.settle(step, &inputs, reading, &written).await,
            Err(NodeError::Failed(error)) => Err(error),
            Err(error) => return Err(error),
        };
        self.outcome(step, reading)
    }

    /// Checks the guard on a fresh reading; a guard may only stop.
    async fn guarded(
        &self,
        step: &Step,
        reading: Reading,
        inputs: &Inputs,
    ) -> Result<Reading, NodeError> {
        let Some(guard) = &step.guard else { return Ok(reading) };
        let planned = reading.object().map(|object| object.id.clone());
        let reading = self.read_again(step, inputs).await;
        if reading == Reading::Absent && step.operation.removes() {
            return Ok(reading);
        }
        let stopped = |message: String, help: &str| ProviderError {
            operation: format!("{} {}", step.operation.words(), step.address),
            message: format!("stopped before it began: {message}"),
            help: help.into(),
            retry: Retry::Never,
        };
        // Whoever is gone may have a successor at the same place, which is not the plan's to touch.
        // A window that opens touches nothing of what it looks at.
        let around = self.node().half.is_around();
        let other = |object: &&Object| !around && planned.as_ref() != Some(&object.id);
        if let Some(other) = reading.object().filter(other) {
            let message = format!("another object stands in its place, id {}", other.id);
            return Err(stopped(message, "plan again").into());
        }
        let help = "make that true, or keep the resource in the spec";
        let reading = match guard.check(&reading, &|_| true) {
            Err(_) if step.guard_s > 0 => self.until_it_holds(step, guard, inputs, reading).await,
            Err(unmet) => Err(unmet),
            Ok(()) => Ok(reading),
        };
        Ok(reading.map_err(|unmet| stopped(unmet.0, help))?)
    }

    /// Reads until a guard holds, and says why it waits. Nothing was begun yet, so that the first
    /// request to stop ends it.
    async fn until_it_holds(
        &self,
        step: &Step,
        guard: &Condition,
        inputs: &Inputs,
        first: Reading,
    ) -> Result<Reading, Unmet> {
        let (clock, stop) = (&self.context.clock, &self.context.stop);
        let end = clock.now() + Duration::from_secs(step.guard_s);
        let (mut reading, mut pause, mut told) = (first, FIRST_PAUSE, String::new());
        let _ = self.messages.send(Message::Waiting(self.at));
        while let Err(unmet) = guard.check(&reading, &|_| true) {
            if stop.is_draining() {
                return Err(unmet);
            }
            if clock.now() >= end {
                return Err(Unmet(format!("{unmet}, after {} s", step.guard_s)));
            }
            if told != unmet.0 {
                self.progress(&format!("waits: {unmet}"));
                told = unmet.0;
            }
            tokio::select! {
                () = clock.sleep(pause) => {}
                () = stop.draining() => {}
            }
            pause = longer(pause);
            reading = self.read_again(step, inputs).await;
        }
        self.permission().await;
        let reading = self.read_again(step, inputs).await;
        guard.check(&reading, &|_| true).map(|()| reading)
    }

    async fn read_again(&self, step: &Step, inputs: &Inputs) -> Reading {
        self.seal(step.kind, read_one(&*self.provider, &self.wanted(inputs)).await)
    }

    fn intent(&self, step: &Step) -> Result<(), LedgerError> {
        let change = self.change();
        self.context.ledger.append(Entry::Intent {
            address: change.address.clone(),
            operation: step.operation.words().into(),
            open: Open {
                kind: change.kind,
                endpoint: change.endpoint.clone(),
                place: change.locator.place.clone(),
                removing: step.operation.removes(),
                notes: Vec::new(),
            },
        })
    }

    /// Makes the call; one that failed in passing is looked at again before anything is repeated.
    async fn act(
        &self,
        step: &Step,
        inputs: &Inputs,
        written: &(dyn Fn(&Json) -> bool + Sync),
    ) -> Result<Reading, NodeError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.provider.act(step, inputs, self).await {
                Ok(reading) => return Ok(self.seal(step.kind, reading)),
                Err(error) => error,
            };
            let harmless = step.operation != Operation::Create;
            let broken = self.broken.get().is_some();
            let again = error.retry == Retry::Later && tried < TRIES;
            if !again || broken || self.context.stop.is_now() {
                return Err(error.into());
            }
            self.context.clock.sleep(Duration::from_secs(u64::from(tried))).await;
            let reading = self.read_again(step, inputs).await;
            let made = reading
                .object()
                .is_some_and(|object| object.mark.is_some() && object.mark == inputs.mark);
            match step.operation {
                Operation::Create if made => return Ok(reading),
                _ if harmless && step.done.check(&reading, written).is_ok() => return Ok(reading),
                _ if harmless => self.intent(step)?,
                _ => return Err(error.into()),
            }
        }
    }

    /// Waits until the step's done condition holds.
    async fn settle(
        &self,
        step: &Step,
        inputs: &Inputs,
        reading: Reading,
        written: &(dyn Fn(&Json) -> bool + Sync),
    ) -> Result<Reading, ProviderError> {
        if step.done.check(&reading, written).is_ok() {
            return Ok(reading);
        }
        let _ = self.messages.send(Message::Waiting(self.at));
        let mut wanted = self.wanted(inputs);
        wanted.locator.id = reading.object().map(|object| object.id.clone()).or(wanted.locator.id);
        let tell = |text: &str, waited_s: u64| {
            let address = self.change().address.clone();
            self.emit(Event::Waiting { address, text: text.to_owned(), waited_s });
        };
        let waiting = Waiting {
            wanted: &wanted,
            condition: &step.done,
            written,
            deadline_s: step.deadline_s,
            tell: &tell,
        };
        let reading = waiting
            .wait(reading, &*self.provider, &*self.context.clock, &self.context.stop)
            .await?;
        Ok(self.seal(step.kind, reading))
    }

    /// Writes down what came of the step.
    fn outcome(
        &self,
        step: &Step,
        result: Result<Reading, ProviderError>,
    ) -> Result<Reading, NodeError> {
        let address = step.address.clone();
        match result {
            // On the way to being deleted, and while a window opens, what was recorded stays the
            // best description of it.
            Ok(reading) if self.keeps_record(&reading) => {
                self.context.ledger.append(Entry::Closed { address })?;
                Ok(reading)
            }
            Ok(Reading::Present(object)) => {
                self.put(&object)?;
                Ok(Reading::Present(object))
            }
            Ok(reading) => {
                self.context.ledger.append(Entry::Remove { address })?;
                Ok(reading)
            }
            Err(error) if error.retry == Retry::Never => {
                self.context.ledger.append(Entry::Closed { address })?;
                Err(error.into())
            }
            Err(error) => {
                self.context
                    .ledger
                    .append(Entry::Failed { address, message: error.to_string() })?;
                Err(error.into())
            }
        }
    }

    fn keeps_record(&self, reading: &Reading) -> bool {
        let going = self.change().action == Action::Delete && reading.object().is_some();
        let rebuilding = self.node().half != Half::Delete
            && *reading == Reading::Absent
            && matches!(self.change().action, Action::Create | Action::Replace);
        let forgotten = self.change().action == Action::Forget;
        going || rebuilding || forgotten || self.node().half == Half::Open
    }

    fn put(&self, object: &Object) -> Result<(), LedgerError> {
        let change = self.change();
        let sealed = |source: &SecretSource| {
            (self.context.secrets)(source).map(|secret| self.context.sealer.seal(&secret))
        };
        let known = |reference: &_| self.context.ledger.value(reference);
        let desired = resolve(&change.desired.tree(), &known, &sealed);
        let record = record(change, &desired, object);
        self.context.ledger.append(Entry::Put { address: change.address.clone(), record })
    }

    /// Resolves what the step works with.
    fn inputs(&self, step: &Step, reading: &Reading) -> Result<Inputs, NodeError> {
        let change = self.change();
        self.check_assumptions()?;
        let known = |reference: &_| self.context.ledger.value(reference);
        let secret = |source: &SecretSource| (self.context.secrets)(source);
        let attributes = match step.operation {
            Operation::Create
            | Operation::InitCluster
            | Operation::Join
            | Operation::Start
            | Operation::Restart
            | Operation::Drain
            | Operation::Uncordon
            | Operation::EtcdSnapshot
            | Operation::Expel
            | Operation::RotateToken => resolve(&change.desired.tree(), &known, &secret),
            Operation::Update if step.kind.lifecycle == Lifecycle::Applied => {
                resolve(&change.desired.tree(), &known, &secret)
            }
            Operation::Update | Operation::UpgradeHardware => {
                // A host needs to know where releases come from, whatever is written.
                let given = |key: &str| {
                    step.kind.layer == Layer::Hosts && step.kind.field(key).mode == Mode::Initial
                };
                let mut tree = change.desired.tree();
                if let Some(map) = tree.as_object_mut() {
                    map.retain(|key, _| step.fields.contains(key) || given(key));
                }
                resolve(&tree, &known, &secret)
            }
            Operation::Delete
            | Operation::Abandon
            | Operation::PowerOff
            | Operation::PowerOn
            | Operation::Wait => Json::Object(serde_json::Map::new()),
        };
        if let Some(missing) = references(&attributes).first() {
            return Err(NodeError::Failed(ProviderError {
                operation: format!("{} {}", step.operation.words(), step.address),
                message: format!("{}.{} is not known", missing.address, missing.path),
                help: "plan and apply again".into(),
                retry: Retry::Never,
            }));
        }
        let attributes = match reading.object() {
            Some(object) if step.kind.lifecycle == Lifecycle::Applied => {
                to_write(step.kind, &attributes, &object.attributes.tree())
            }
            _ => attributes,
        };
        let mut locator = change.locator.clone();
        locator.id = reading.object().map(|object| object.id.clone());
        Ok(Inputs {
            attributes,
            generated: generated(&change.desired.tree()),
            object: reading.object().cloned(),
            mark: locator.mark.clone(),
            locator,
        })
    }

    /// A value that the plan printed must still be what its owner says.
    fn check_assumptions(&self) -> Result<(), ProviderError> {
        let change = self.change();
        for assumed in &change.assumed {
            // What nobody changes in this apply is as it was read, whatever an older record says.
            if !self.context.acting.contains(&assumed.reference.address) {
                continue;
            }
            let now = self.context.ledger.value(&assumed.reference);
            if now.as_ref().is_some_and(|now| *now != assumed.value) {
                let reference = &assumed.reference;
                return Err(ProviderError {
                    operation: format!("change {}", change.address),
                    message: format!(
                        "{}.{} is no longer what the plan says",
                        reference.address, reference.path
                    ),
                    help: "plan again".into(),
                    retry: Retry::Never,
                });
            }
        }
        Ok(())
    }

    fn wanted(&self, inputs: &Inputs) -> Wanted {
        let change = self.change();
        Wanted {
            address: change.address.clone(),
            kind: change.kind,
            locator: inputs.locator.clone(),
        }
    }

    fn seal(&self, kind: Kind, reading: Reading) -> Reading {
        match reading {
            Reading::Present(object) if kind.fields.iter().any(|field| field.sensitive) => {
                let tree = self.context.sealer.seal_tree(kind, object.attributes.tree());
                Reading::Present(Object { attributes: Attributes::new(&tree), ..object })
            }
            reading => reading,
        }
    }
}

impl Run for Runner {
    fn note(&self, data: Json) -> Result<(), ProviderError> {
        let address = self.change().address.clone();
        self.context.ledger.append(Entry::Note { address, data }).map_err(|error| {
            let message = error.to_string();
            let _ = self.broken.set(error);
            ProviderError {
                operation: "write to the journal".into(),
                message,
                help: "make room or mend the disk, then apply again".into(),
                retry: Retry::Never,
            }
        })
    }

    fn progress(&self, text: &str) {
        self.emit(Event::Progress {
            address: self.change().address.clone(),
            text: text.to_owned(),
        });
    }

    fn stopping(&self) -> bool {
        self.context.stop.is_now()
    }
}

/// A tree without what JSON pointers point at.
fn without(tree: &Json, pointers: &[String]) -> Json {
    let mut tree = tree.clone();
    for (parent, key) in pointers.iter().filter_map(|pointer| pointer.rsplit_once('/')) {
        if let Some(Json::Object(map)) = tree.pointer_mut(parent) {
            map.remove(&pointer_key(key));
        }
    }
    tree
}

/// The paths that a step takes away.
fn removed(change: &Change, step: &Step) -> Vec<String> {
    let of_step = |path: &str| {
        step.fields.iter().any(|field| field == path || path.split('.').next() == Some(field))
    };
    let gone = change.attributes.iter().filter(|one| one.after == After::Removed);
    gone.map(|one| one.path.clone()).filter(|path| of_step(path)).collect()
}
