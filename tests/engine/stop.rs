//! Ctrl-C in two steps, and a journal that fails in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use boma::apply::{Event, Ledger, LedgerError, Report, Stop};
use boma::plan::Step;
use boma::provider::{Act, BoxFuture, Inputs, Provider, Run, Wanted};
use boma::resource::{Address, Endpoint, Reading, Reference};
use boma::state::Entry;
use boma::twin::{MemoryLedger, Twin, VirtualClock};
use serde_json::Value as Json;

use crate::engine::scenario::small;
use crate::engine::system::System;

/// Presses Ctrl-C during a call; the second press comes while the call hangs.
struct Pressed {
    twin: Twin,
    stop: Stop,
    at: u64,
    presses: usize,
    calls: AtomicU64,
}

impl Provider for Pressed {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        self.twin.read(wanted)
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
                (0..self.presses).for_each(|_| self.stop.press());
                if self.presses > 1 {
                    let _ = self.twin.act(step, inputs, run).await;
                    std::future::pending::<()>().await;
                }
            }
            self.twin.act(step, inputs, run).await
        })
    }
}

/// Applies a fresh installation over one slot, pressed during a call; returns it as it was left.
fn pressed(at: u64, presses: usize) -> (System, Report, Vec<Event>) {
    let mut system = System::new(small(&[("a", 4), ("b", 4)]), 1);
    if let Some(facts) = system.desired.endpoints.get_mut(&Endpoint::vcenter()) {
        facts.limit = 1;
    }
    let plan = System::reread(&system.plan());
    let (stop, clock) = (Stop::default(), Arc::new(VirtualClock::default()));
    let ledger = Arc::new(system.ledger(&plan));
    let twin = Twin::new(system.world.clone(), clock.clone());
    let provider = Pressed { twin, stop: stop.clone(), at, presses, calls: AtomicU64::new(0) };
    let run = system.run(plan, Arc::new(provider), ledger.clone(), clock, stop);
    system.state = ledger.state();
    (system, run.report, run.events)
}

/// A disk that is full for one moment: while the provider notes what it does.
struct FullForNotes(MemoryLedger);

impl Ledger for FullForNotes {
    fn append(&self, entry: Entry) -> Result<(), LedgerError> {
        match entry {
            Entry::Note { .. } => Err(LedgerError("the disk is full".into())),
            entry => self.0.append(entry),
        }
    }

    fn value(&self, reference: &Reference) -> Option<Json> {
        self.0.value(reference)
    }
}

#[test]
fn a_note_that_cannot_be_written_stops_everything_and_keeps_the_intent() {
    let mut system = System::new(small(&[("a", 4)]), 1);
    let plan = System::reread(&system.plan());
    let clock = Arc::new(VirtualClock::default());
    let ledger = Arc::new(FullForNotes(system.ledger(&plan)));
    let twin = Twin::new(system.world.clone(), clock.clone());
    let run = system.run(plan, Arc::new(twin), ledger.clone(), clock, Stop::default());
    assert_eq!(run.report.fatal, Some(LedgerError("the disk is full".into())));
    assert!(system.world.standing().is_empty());
    system.state = ledger.0.state();
    assert!(!system.state.open.is_empty(), "nobody knows what came of the call");
    system.converge();
}

#[test]
fn the_first_press_finishes_what_runs_and_begins_nothing() {
    let mut calls_seen = 0;
    for at in 1..=10 {
        let (mut system, report, events) = pressed(at, 1);
        let started = events.iter().filter(|event| matches!(event, Event::Started { .. })).count();
        let finished =
            events.iter().filter(|event| matches!(event, Event::Finished { .. })).count();
        assert_eq!((started, report.outcome.failed), (finished, 0), "{events:?}");
        assert_eq!(report.outcome.done + report.outcome.skipped, 6);
        assert!(system.state.open.is_empty());
        calls_seen += usize::from(report.outcome.interrupted);
        system.converge();
    }
    assert!(calls_seen > 5, "{calls_seen}");
}

#[test]
fn the_second_press_leaves_the_intent_in_the_journal() {
    for at in 1..=6 {
        let (mut system, report, _) = pressed(at, 2);
        assert!(report.outcome.interrupted);
        assert_eq!(system.state.open.len(), 1, "call {at}");
        system.converge();
        assert_eq!(system.world.standing().len(), 6);
    }
}
