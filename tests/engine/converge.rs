//! Apply makes live what is desired, whatever stood before and whatever goes wrong on the way.

use std::collections::BTreeSet;
use std::sync::Arc;

use boma::apply::Stop;
use boma::plan::{Action, BlockCause, Plan};
use boma::resource::{Address, Edge, EdgeKind};
use boma::twin::{Fault, Faults, How, Twin, VirtualClock, When};

use crate::engine::random::{meddle, occupy, wave};
use crate::engine::system::System;
use crate::seeds::{Dice, each};

const WAVES: usize = 6;

/// An installation at some wave of its life.
fn begin(seed: u64) -> System {
    System::new(wave(seed, 0), seed)
}

fn next(system: &mut System, seed: u64, number: usize) {
    system.desired = wave(seed, number);
    system.world.learn(system.desired.resources.values());
}

#[test]
fn edits_of_spec_and_world_converge() {
    each("engine::converge::edits_of_spec_and_world_converge", "BOMA_SEEDS", 3, |seed| {
        let mut system = begin(seed);
        system.converge();
        for number in 1..WAVES {
            let mut dice = Dice::new(seed, &format!("meddle {number}"));
            let done = meddle(&system.world, &mut dice);
            next(&mut system, seed, number);
            let standing: Vec<Address> =
                system.desired.resources.keys().filter(|_| dice.chance(10)).cloned().collect();
            system.options.replace.extend(standing);
            let plan = System::reread(&system.plan());
            let run = system.apply_plan(plan);
            system.options.replace.clear();
            assert_eq!(run.report.failures, [], "wave {number} after {done:?}");
            system.expect_converged();
        }
        system.desired.resources.clear();
        system.options.destroy = true;
        system.converge();
        assert_eq!(system.outcome(), []);
    });
}

#[test]
fn foreign_objects_are_adopted_or_left_alone() {
    each("engine::converge::foreign_objects_are_adopted_or_left_alone", "BOMA_SEEDS", 3, |seed| {
        let mut system = begin(seed);
        let mut dice = Dice::new(seed, "occupy");
        let occupied = occupy(&system.world, &mut system.desired, &mut dice);
        let before = system.outcome();
        let plan = System::reread(&system.plan());
        for address in &occupied {
            assert!(plan.changes.iter().all(|change| change.address != *address));
        }
        let ids: BTreeSet<String> = system.world.standing().into_iter().map(|one| one.id).collect();
        let run = system.apply_plan(plan.clone());
        assert_eq!(run.report.failures, []);
        let now: BTreeSet<String> = system.world.standing().into_iter().map(|one| one.id).collect();
        assert!(now.is_superset(&ids), "a foreign object went away: {before:?}");
        let again = system.plan();
        assert!(again.is_empty(), "{:#?}", again.changes);
        assert_eq!(again.blocked.len(), plan.blocked.len());
    });
}

#[test]
fn what_is_unread_is_left_alone_and_blocks_what_needs_it() {
    each(
        "engine::converge::what_is_unread_is_left_alone_and_blocks_what_needs_it",
        "BOMA_SEEDS",
        3,
        |seed| {
            let mut system = begin(seed);
            system.converge();
            let mut dice = Dice::new(seed, "unread");
            meddle(&system.world, &mut dice);
            next(&mut system, seed, 1);
            let all: Vec<Address> =
                system.desired.resources.keys().chain(system.state.addresses()).cloned().collect();
            let hidden: BTreeSet<Address> = all.into_iter().filter(|_| dice.chance(30)).collect();
            hidden.iter().for_each(|address| system.world.hide(address, "timeout"));
            let plan = System::reread(&system.plan());
            expect_left_alone(&system, &plan, &hidden);
            let run = system.apply_plan(plan);
            assert_eq!(run.report.failures, []);
            system.world.reveal();
            system.converge();
        },
    );
}

fn expect_left_alone(system: &System, plan: &Plan, hidden: &BTreeSet<Address>) {
    let blocked: BTreeSet<&Address> = plan.blocked.iter().map(|blocked| &blocked.address).collect();
    for change in &plan.changes {
        assert!(!blocked.contains(&change.address));
        let needs =
            system.desired.resources.get(&change.address).map(|resource| resource.edges.as_slice());
        // Order alone does not hold back what stands already.
        let binds = |edge: &&Edge| edge.kind != EdgeKind::After || change.live.is_none();
        assert!(
            needs.unwrap_or_default().iter().filter(binds).all(|edge| !blocked.contains(&edge.to)),
            "{}",
            change.address
        );
        // What lives in a container that is made anew is gone with the old one, read or not.
        let follows =
            change.action == Action::Create && system.state.resources.contains_key(&change.address);
        assert!(
            !hidden.contains(&change.address) || follows,
            "{} is {:?}",
            change.address,
            change.action
        );
    }
    for one in &plan.blocked {
        assert!(matches!(one.cause, BlockCause::Unread(_) | BlockCause::Dependency(_)), "{one:?}");
    }
}

#[test]
fn faults_only_delay() {
    each("engine::converge::faults_only_delay", "BOMA_SEEDS", 3, |seed| {
        let mut system = begin(seed);
        for number in 0..3 {
            next(&mut system, seed, number);
            let mut undisturbed = System::new(wave(seed, number), seed);
            undisturbed.converge();
            let rounds =
                (0..60).find(|&round| apply_with_faults(&mut system, seed, number * 100 + round));
            assert!(rounds.is_some(), "60 applies were not enough");
            system.expect_converged();
            assert_eq!(names(&system), names(&undisturbed), "wave {number}");
        }
    });
}

/// What stands, by kind and place.
fn names(system: &System) -> Vec<(String, String)> {
    system.outcome().into_iter().map(|(kind, place, _, _)| (kind, place)).collect()
}

/// Applies once with faults at a fifth of the calls; true where there was nothing left to do.
fn apply_with_faults(system: &mut System, seed: u64, round: usize) -> bool {
    let plan = System::reread(&system.plan());
    assert_eq!(plan.blocked, []);
    if plan.is_empty() {
        return true;
    }
    let rule = |how| Fault { when: When::PerMille(80), how };
    let rules = [How::LostBefore, How::LostAfter, How::Refused].map(rule).to_vec();
    let faults = Faults { seed: seed.wrapping_mul(1009).wrapping_add(round as u64), rules };
    let clock = Arc::new(VirtualClock::default());
    let twin = Twin::new(system.world.clone(), clock.clone()).with_faults(faults);
    let ledger = Arc::new(system.ledger(&plan));
    let run = system.run(plan, Arc::new(twin), ledger.clone(), clock, Stop::default());
    assert_eq!(run.report.fatal, None);
    system.state = ledger.state();
    false
}
