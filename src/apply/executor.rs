//! The loop that carries out what the schedule commands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::node::{Context, Message, NodeError, Runner};
use super::tally::{End, Tally};
use super::{
    Clock, Command, Event, Input, Ledger, LedgerError, Outcome, Schedule, SecretValues, SkipReason,
    Stop,
};
use crate::plan::Plan;
use crate::provider::Provider;
use crate::resource::{Address, Sealer};

/// Everything an apply works with.
pub struct Apply {
    /// What to do.
    pub plan: Arc<Plan>,
    /// Who does it, by the first part of the endpoint's name.
    pub providers: BTreeMap<String, Arc<dyn Provider>>,
    /// Where it is written down.
    pub ledger: Arc<dyn Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the digests that stand for secrets.
    pub sealer: Sealer,
    /// Resolved secrets.
    pub secrets: SecretValues,
    /// Who wants to know.
    pub events: mpsc::UnboundedSender<Event>,
    /// The switch.
    pub stop: Stop,
}

/// One change that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which resource.
    pub address: Address,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub help: String,
}

/// A rollout that ended before every project had its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// The projects that failed.
    pub failed: Vec<String>,
    /// The projects that were not begun, in the order of the waves.
    pub unreached: Vec<String>,
}

/// What came of an apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Counts.
    pub outcome: Outcome,
    /// What failed, in the order it did.
    pub failures: Vec<Failure>,
    /// The rollout that ended early. `None` where none did.
    pub halted: Option<Halted>,
    /// The journal failed, and with it everything. `None` where it did not.
    pub fatal: Option<LedgerError>,
}

/// Applies a plan.
pub async fn apply(apply: Apply) -> Report {
    let (messages, inbox) = mpsc::unbounded_channel();
    let context = Arc::new(Context {
        plan: apply.plan.clone(),
        acting: acting(&apply.plan),
        ledger: apply.ledger,
        clock: apply.clock,
        sealer: apply.sealer,
        secrets: apply.secrets,
        events: apply.events,
        stop: apply.stop,
    });
    let executor = Executor {
        schedule: Schedule::new(&apply.plan),
        context,
        providers: apply.providers,
        messages,
        tasks: JoinSet::new(),
        permissions: BTreeMap::new(),
        tally: Tally::new(&apply.plan),
        report: Report::default(),
    };
    executor.run(inbox).await
}

fn acting(plan: &Plan) -> BTreeSet<Address> {
    let changes = plan.nodes.iter().filter_map(|node| plan.changes.get(node.change));
    changes.map(|change| change.address.clone()).collect()
}

struct Executor {
    schedule: Schedule,
    context: Arc<Context>,
    providers: BTreeMap<String, Arc<dyn Provider>>,
    messages: mpsc::UnboundedSender<Message>,
    tasks: JoinSet<()>,
    permissions: BTreeMap<usize, oneshot::Sender<()>>,
    tally: Tally,
    report: Report,
}

impl Executor {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) -> Report {
        let total = self.context.plan.nodes.len();
        self.emit(Event::Began { total, projects: self.tally.totals() });
        self.input(Input::Begin);
        let stop = self.context.stop.clone();
        let mut stopping = false;
        while !self.schedule.is_over() && self.report.fatal.is_none() {
            tokio::select! {
                // What a press brought about is told as such.
                biased;
                () = stop.draining(), if !stopping => {
                    stopping = true;
                    self.report.outcome.interrupted = true;
                    self.emit(Event::Stopping { running: self.schedule.running() });
                    self.input(Input::Stop);
                }
                // The journal says what was under way; the next apply finds out what came of it.
                () = stop.now(), if stopping => break,
                message = inbox.recv() => match message {
                    Some(message) => self.message(message),
                    None => break,
                },
            }
        }
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        self.emit(Event::Ended { summary: self.report.outcome });
        self.report
    }

    fn emit(&self, event: Event) {
        let _ = self.context.events.send(event);
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Waiting(at) => self.input(Input::Waiting(at)),
            Message::Ready(at, permission) => {
                self.permissions.insert(at, permission);
                self.input(Input::Ready(at));
            }
            Message::Over(at, Ok(())) => {
                self.report.outcome.done += 1;
                self.over(at, End::Done);
                self.input(Input::Done(at));
            }
            Message::Over(at, Err(NodeError::Failed(error))) => {
                self.failed(at, error.to_string(), error.help);
                self.input(Input::Failed(at));
            }
            Message::Over(_, Err(NodeError::Ledger(error))) => self.report.fatal = Some(error),
        }
    }

    fn failed(&mut self, at: usize, message: String, help: String) {
        let address = self.address(at);
        self.report.outcome.failed += 1;
        self.emit(Event::Failed {
            address: address.clone(),
            message: message.clone(),
            help: help.clone(),
        });
        self.report.failures.push(Failure { address, message, help });
        self.over(at, End::Failed);
    }

    /// Says so where that was the last of a project.
    fn over(&mut self, at: usize, end: End) {
        let now = self.context.clock.now();
        if let Some(event) = self.tally.over(&self.address(at), end, now) {
            self.emit(event);
        }
    }

    fn input(&mut self, input: Input) {
        for command in self.schedule.next(input) {
            match command {
                Command::Call(at) => self.call(at),
                Command::Skip(at, reason) => {
                    self.report.outcome.skipped += 1;
                    self.emit(Event::Skipped { address: self.address(at), reason: words(&reason) });
                    self.over(at, End::Skipped);
                }
                Command::Wave(wave) => self.wave(wave),
                Command::Halt { failed, unreached } => {
                    self.report.halted =
                        Some(Halted { failed: failed.clone(), unreached: unreached.clone() });
                    self.emit(Event::Halted { failed, unreached });
                }
            }
        }
    }

    fn wave(&self, at: usize) {
        let Some(rollout) = &self.context.plan.rollout else { return };
        let (wave, of) = (&rollout.waves[at], rollout.waves.len());
        let (canary, projects) = (wave.canary, wave.names());
        self.emit(Event::Wave { number: at + 1, of, canary, projects });
    }

    /// Lets a node begin, or make its next call.
    fn call(&mut self, at: usize) {
        if let Some(permission) = self.permissions.remove(&at) {
            let _ = permission.send(());
            return;
        }
        self.tally.begun(&self.address(at), self.context.clock.now());
        let endpoint = &self.context.plan.changes[self.context.plan.nodes[at].change].endpoint;
        let Some(provider) = self.providers.get(endpoint.provider()).cloned() else {
            let message = format!("nothing here speaks to {endpoint}");
            let _ = self.messages.send(Message::Over(at, Err(NodeError::Failed(unknown(message)))));
            return;
        };
        let runner = Runner {
            context: self.context.clone(),
            provider,
            messages: self.messages.clone(),
            at,
            broken: OnceLock::new(),
        };
        self.tasks.spawn(runner.run());
    }

    fn address(&self, at: usize) -> Address {
        self.context.plan.changes[self.context.plan.nodes[at].change].address.clone()
    }
}

fn unknown(message: String) -> crate::provider::ProviderError {
    crate::provider::ProviderError {
        operation: "find a provider".into(),
        message,
        help: "the plan was made by another version of boma: plan again".into(),
        retry: crate::provider::Retry::Never,
    }
}

fn words(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Needs(address) => format!("{address} was not done"),
        SkipReason::Window(machine) => format!("the window of {machine} failed"),
        SkipReason::Halted => "the rollout ended before its turn".into(),
        SkipReason::Stopped => "interrupted".into(),
    }
}
