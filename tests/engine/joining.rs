//! A node of CouchDB is ready before it is a member of its cluster: a kill between the two is made
//! up for by the next apply.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use boma::apply::Stop;
use boma::plan::{Live, Operation, Plan, Step};
use boma::provider::{Act, BoxFuture, Inputs, Provider, Run, Wanted};
use boma::resource::{Address, Attributes, Locator, Object, Reading};
use boma::state::{Entry, fold, parse_journal};
use boma::twin::{Faults, Twin, VirtualClock};
use serde_json::json;

use crate::engine::data::{lowered, wish, with_projects};
use crate::engine::kill::{Death, DyingLedger, DyingProvider, Life};
use crate::engine::system::System;

const NODE: &str = "project/acacia/Deployment/cht-couchdb-2";

/// A node that joins on the third question after it was written, as long as somebody asks.
struct Joining {
    inner: DyingProvider,
    questions: Arc<AtomicUsize>,
    /// Which call wrote it, counted from 1.
    written: Arc<AtomicUsize>,
}

const ENOUGH: usize = 3;

fn is_noted(locator: &Locator) -> bool {
    locator.notes.iter().any(|note| note["joins"] == NODE)
}

fn outside(reading: Reading) -> Reading {
    let Reading::Present(object) = reading else { return reading };
    let mut tree = object.attributes.tree();
    tree["ready"] = json!(false);
    tree["waiting"] = json!("it is not in the cluster yet");
    Reading::Present(Object { attributes: Attributes::new(&tree), ..object })
}

impl Provider for Joining {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        Box::pin(async move {
            let noted = wanted.iter().any(|one| is_noted(&one.locator));
            let written = self.inner.life.calls() > 0 && wanted.len() == 1;
            let readings = self.inner.read(wanted).await.into_iter();
            readings
                .map(|(address, reading)| match address.as_str() == NODE && (noted || written) {
                    true if self.questions.fetch_add(1, Ordering::SeqCst) + 1 < ENOUGH => {
                        (address, outside(reading))
                    }
                    _ => (address, reading),
                })
                .collect()
        })
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            if step.address.as_str() != NODE {
                return self.inner.act(step, inputs, run).await;
            }
            run.note(json!({"joins": NODE}))?;
            self.written.store(self.inner.life.calls() + 1, Ordering::SeqCst);
            // What is answered shows a Deployment that has not begun.
            self.inner.act(step, inputs, run).await.map(outside)
        })
    }
}

/// One process: what it was killed with is what the next one finds. The questions go on.
fn run_until(system: &mut System, plan: Plan, death: Option<Death>, questions: &Arc<AtomicUsize>) {
    let life = Life::until(death);
    let ledger = system.ledger(&plan);
    let before = ledger.state();
    let ledger = Arc::new(DyingLedger { ledger, life: life.clone() });
    let clock = Arc::new(VirtualClock::default());
    let twin = Twin::new(system.world.clone(), clock.clone()).with_faults(Faults::default());
    let inner = DyingProvider { twin, life };
    let (questions, written) = (questions.clone(), Arc::default());
    let provider = Arc::new(Joining { inner, questions, written });
    system.run(plan, provider, ledger.clone(), clock, Stop::default());
    system.state = fold(before, &parse_journal(&ledger.ledger.journal()).unwrap()).unwrap();
}

/// What a refresh finds: a noted node is asked.
fn read(system: &System, questions: &AtomicUsize) -> Live {
    let mut live = system.read();
    let noted = system.state.locator(&NODE.into()).is_some_and(|locator| is_noted(&locator));
    if noted && questions.load(Ordering::SeqCst) < ENOUGH {
        let reading = live.remove(&Address::from(NODE)).unwrap();
        live.insert(NODE.into(), outside(reading));
    }
    live
}

fn stands(system: &System) -> bool {
    matches!(system.read().get(&Address::from(NODE)), Some(Reading::Present(_)))
}

/// A cluster in which a project of three nodes is to be made.
fn begun() -> System {
    let mut system = System::new(lowered(&with_projects("")), 1);
    system.converge();
    let project = "[projects]\nnames = [\"acacia\"]\ndomain = \"cht.example.org\"\n\
        [projects.defaults]\ncht = \"5.2.0\"\ncouchdb = { nodes = 3 }\n";
    wish(&mut system, &with_projects(project));
    system
}

fn check(death: Death, next: Option<Death>) {
    let mut system = begun();
    let questions = Arc::new(AtomicUsize::new(0));
    let plan = system.plan();
    run_until(&mut system, plan, Some(death), &questions);
    let outsider = stands(&system) && questions.load(Ordering::SeqCst) < ENOUGH;
    for death in next.into_iter().map(Some).chain([None]) {
        let plan = system.plan_from(&read(&system, &questions));
        let change = plan.changes.iter().find(|change| change.address.as_str() == NODE);
        let waits = change.is_some_and(|change| {
            change.steps.iter().any(|step| step.operation != Operation::Delete)
        });
        let asked = questions.load(Ordering::SeqCst) >= ENOUGH;
        assert!(!outsider || waits || asked, "{death:?}: nobody waits: {change:#?}");
        run_until(&mut system, plan, death, &questions);
    }
    let asked = questions.load(Ordering::SeqCst);
    assert!(asked >= ENOUGH, "{death:?}, {next:?}: it was asked {asked} times only");
    system.expect_converged();
}

/// When to die: after each entry of the node's, and after the call that writes it, which is the
/// last.
fn moments() -> Vec<Death> {
    let mut system = begun();
    let plan = system.plan();
    let ledger = Arc::new(system.ledger(&plan));
    let clock = Arc::new(VirtualClock::default());
    let twin = Twin::new(system.world.clone(), clock.clone());
    let inner = DyingProvider { twin, life: Life::until(None) };
    let written: Arc<AtomicUsize> = Arc::default();
    let provider = Joining { inner, questions: Arc::default(), written: written.clone() };
    let provider = Arc::new(provider);
    system.run(plan, provider, ledger.clone(), clock, Stop::default());
    system.state = ledger.state();
    system.expect_converged();
    let entries = parse_journal(&ledger.journal()).unwrap().entries;
    let own = |entry: &Entry| match entry {
        Entry::Intent { address, .. } | Entry::Note { address, .. } => address.as_str() == NODE,
        Entry::Put { address, .. } => address.as_str() == NODE,
        _ => false,
    };
    let first = entries.iter().position(own).unwrap();
    let last = entries.iter().rposition(own).unwrap();
    assert!(last >= first + 2, "an intent, a note and an outcome: {first} {last}");
    let entries = (first + 1..=last + 1).map(Death::AfterAppend);
    entries.chain([Death::AfterCall(written.load(Ordering::SeqCst))]).collect()
}

#[test]
fn a_kill_between_the_write_of_a_node_and_its_joining_is_made_up_for() {
    for death in moments() {
        check(death, None);
    }
}

#[test]
fn so_is_a_second_kill_while_the_first_is_made_up_for() {
    let written = moments().pop().unwrap();
    for next in 1..=4 {
        check(written, Some(Death::AfterAppend(next)));
    }
}
