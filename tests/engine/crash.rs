//! Crash at every record and after every call; the next apply finishes the work.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use boma::apply::Stop;
use boma::state::{State, fold, parse_journal};
use boma::twin::{Faults, How, Twin, VirtualClock, When};

use crate::engine::kill::{Death, DyingLedger, DyingProvider, Life};
use crate::engine::scenario::{eventful, small};
use crate::engine::system::{Outcome, System};

/// What the next process finds: the state before, and the bytes of the journal.
struct Wreck {
    before: State,
    journal: Vec<u8>,
    life: Arc<Life>,
}

/// Runs one apply up to a death, or to its end.
fn run_until(system: &System, death: Option<Death>, faults: Faults) -> Wreck {
    let plan = System::reread(&system.plan());
    let life = Life::until(death);
    let ledger = system.ledger(&plan);
    let before = ledger.state();
    let ledger = Arc::new(DyingLedger { ledger, life: life.clone() });
    let clock = Arc::new(VirtualClock::default());
    let twin = Twin::new(system.world.clone(), clock.clone()).with_faults(faults);
    let provider = Arc::new(DyingProvider { twin, life: life.clone() });
    let run = system.run(plan, provider, ledger.clone(), clock, Stop::default());
    assert_eq!(run.report.fatal.is_some(), life.is_dead(), "{death:?}: {:?}", run.report);
    assert_eq!(
        life.late_calls.load(Ordering::SeqCst),
        0,
        "{death:?}: a call after the journal failed"
    );
    Wreck { before, journal: ledger.ledger.journal(), life }
}

/// The next process: loads, plans, applies, and is done.
fn resume(mut system: System, wreck: &Wreck, bytes: &[u8]) -> System {
    system.state = fold(wreck.before.clone(), &parse_journal(bytes).unwrap()).unwrap();
    system.options.replace.clear();
    system.converge();
    system
}

/// One apply is cut short in a way; after the next one the world is as if it had not been.
fn check(make: fn() -> System, expected: &Outcome, death: Option<Death>, faults: Faults) {
    let system = make();
    let wreck = run_until(&system, death, faults.clone());
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert_eq!(resume(system, &wreck, &wreck.journal).outcome(), *expected);
    }));
    if let Err(panic) = outcome {
        eprintln!("cut short by {death:?}, {faults:?}");
        std::panic::resume_unwind(panic);
    }
}

/// What an undisturbed apply leaves. A replace that was asked for changes nothing about it but ids.
fn undisturbed(make: fn() -> System) -> Outcome {
    let mut system = make();
    system.options.replace.clear();
    system.converge();
    system.outcome()
}

/// How many entries and calls an undisturbed apply makes.
fn size(make: fn() -> System) -> (usize, usize) {
    let wreck = run_until(&make(), None, Faults::default());
    (wreck.life.appends(), wreck.life.calls())
}

fn fresh() -> System {
    System::new(small(&[("a", 4), ("b", 4)]), 1)
}

#[test]
fn a_kill_at_any_record_loses_nothing() {
    for make in [fresh, eventful] {
        let ((appends, _), expected) = (size(make), undisturbed(make));
        assert!(appends > 10, "{appends}");
        for number in 0..appends {
            check(make, &expected, Some(Death::BeforeAppend(number)), Faults::default());
            check(make, &expected, Some(Death::AfterAppend(number + 1)), Faults::default());
        }
    }
}

#[test]
fn a_kill_after_any_call_loses_nothing() {
    for make in [fresh, eventful] {
        let ((_, calls), expected) = (size(make), undisturbed(make));
        assert!(calls > 5, "{calls}");
        for number in 1..=calls {
            check(make, &expected, Some(Death::AfterCall(number)), Faults::default());
        }
    }
}

#[test]
fn a_fault_at_any_call_loses_nothing() {
    for make in [fresh, eventful] {
        let ((_, calls), expected) = (size(make), undisturbed(make));
        for number in 1..=calls as u64 {
            for how in [How::LostBefore, How::LostAfter, How::Refused] {
                check(make, &expected, None, Faults::one(When::Call(number), how));
            }
            check(make, &expected, None, Faults::one(When::From(number), How::LostBefore));
        }
    }
}

#[test]
fn a_tail_torn_at_any_byte_loses_at_most_the_record() {
    let (appends, _) = size(fresh);
    for number in 1..=appends {
        let whole =
            run_until(&fresh(), Some(Death::AfterAppend(number)), Faults::default()).journal;
        let lines = &whole[..whole.len() - 1];
        let start = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        // One record is cut at every byte, the others in the middle of their checksum.
        let cuts = if number == appends / 2 { start..whole.len() } else { start + 12..start + 13 };
        cuts.for_each(|cut| torn(number, start, cut));
    }
}

fn torn(number: usize, start: usize, cut: usize) {
    let system = fresh();
    let wreck = run_until(&system, Some(Death::AfterAppend(number)), Faults::default());
    let bytes = &wreck.journal[..cut];
    let journal = parse_journal(bytes).unwrap();
    assert_eq!((journal.valid_len, journal.torn), (start, cut > start));
    let resumed = resume(system, &wreck, bytes);
    let standing = resumed.world.standing().len();
    assert_eq!(standing, resumed.desired.resources.len(), "{number} cut at {cut}");
}
