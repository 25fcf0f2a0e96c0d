//! Crash at every record and after every call; the next apply finishes the work.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use boma::apply::Stop;
use boma::state::{State, fold, parse_journal};
use boma::twin::{Faults, How, Twin, VirtualClock, When};

use crate::kill::{Death, DyingLedger, DyingProvider, Life};
use crate::scenario::{eventful, small};
use crate::system::System;

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
fn check(make: fn() -> System, death: Option<Death>, faults: Faults) {
    let system = make();
    let wreck = run_until(&system, death, faults.clone());
    let bytes = wreck.journal.clone();
    // A replace that had not begun when the process died is asked for again.
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let resumed = resume(system, &wreck, &bytes);
        let mut undisturbed = make();
        undisturbed.converge_without_replace();
        assert_eq!(resumed.outcome(), undisturbed.outcome());
    }));
    if let Err(panic) = outcome {
        eprintln!("cut short by {death:?}, {faults:?}");
        std::panic::resume_unwind(panic);
    }
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
        let (appends, _) = size(make);
        assert!(appends > 10, "{appends}");
        for number in 0..appends {
            check(make, Some(Death::BeforeAppend(number)), Faults::default());
            check(make, Some(Death::AfterAppend(number + 1)), Faults::default());
        }
    }
}

#[test]
fn a_kill_after_any_call_loses_nothing() {
    for make in [fresh, eventful] {
        let (_, calls) = size(make);
        assert!(calls > 5, "{calls}");
        for number in 1..=calls {
            check(make, Some(Death::AfterCall(number)), Faults::default());
        }
    }
}

#[test]
fn a_fault_at_any_call_loses_nothing() {
    for make in [fresh, eventful] {
        let (_, calls) = size(make);
        for number in 1..=calls as u64 {
            for how in [How::LostBefore, How::LostAfter, How::Refused] {
                check(make, None, Faults::one(When::Call(number), how));
                check(make, None, Faults::one(When::From(number), how));
            }
        }
    }
}

#[test]
fn a_tail_torn_at_any_byte_loses_at_most_the_record() {
    let (appends, _) = size(fresh);
    for number in 1..=appends {
        let death = Some(Death::AfterAppend(number));
        let system = fresh();
        let wreck = run_until(&system, death, Faults::default());
        let start = wreck.journal[..wreck.journal.len() - 1]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        // What stands at the death does not depend on the cut, and a converged world is not used again.
        let cuts: Vec<usize> = if number == appends / 2 {
            (start..wreck.journal.len()).collect()
        } else {
            vec![start + 9]
        };
        for cut in cuts {
            let system = fresh();
            let wreck = run_until(&system, death, Faults::default());
            let journal = parse_journal(&wreck.journal[..cut]).unwrap();
            assert_eq!((journal.valid_len, journal.torn), (start, cut > start));
            let bytes = wreck.journal[..cut].to_vec();
            let resumed = resume(system, &wreck, &bytes);
            assert_eq!(
                resumed.world.standing().len(),
                resumed.desired.resources.len(),
                "{number} cut at {cut}"
            );
        }
    }
}
