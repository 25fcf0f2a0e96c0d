//! Rollouts: counties are changed canary first, then wave after wave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use boma::apply::{Command, Event, Input, Report, Schedule, SkipReason, Stop};
use boma::plan::{
    Action, Change, Desired, Plan, Rolled, Rollout, Spread, Step, Wave, check as note,
};
use boma::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Retry, Run, Wanted};
use boma::resource::{Address, Attributes, Glob, Reading, Resource, Value};
use boma::twin::{Faults, Twin, VirtualClock};
use serde_json::json;

use crate::engine::kill::{Death, DyingLedger, DyingProvider, Life};
use crate::engine::scenario::{desired, kind, resource};
use crate::engine::schedule::plan;
use crate::engine::system::System;
use crate::seeds::{Dice, each};

/// A plan of one node per county, then one of none; counties are numbered as their nodes.
fn waves(counties: usize, failures_max: usize, waves: &[(bool, &[usize])]) -> Plan {
    let mut plan = plan(99, &vec![("x", &[][..], 1); counties + 1], &[]);
    for (at, change) in plan.changes.iter_mut().enumerate() {
        let county = format!("project/c{at}/Deployment/api");
        change.address = if at < counties { county.into() } else { "cluster/x".into() };
    }
    let rolled = |&at: &usize| Rolled { name: format!("c{at}"), nodes: vec![at] };
    let wave = |&(canary, nodes): &(bool, &[usize])| Wave {
        canary,
        projects: nodes.iter().map(rolled).collect(),
    };
    plan.rollout = Some(Rollout { failures_max, waves: waves.iter().map(wave).collect() });
    plan
}

/// Feeds inputs from the beginning; each is compared with what it commands.
fn check(plan: &Plan, steps: &[(Input, Vec<Command>)]) {
    let mut schedule = Schedule::new(plan);
    for (input, commands) in steps {
        assert_eq!(schedule.next(*input), *commands, "{input:?}");
    }
    assert!(schedule.is_over());
}

use Command::{Call, Halt, Skip};
use Input::{Begin, Done, Failed};

fn halt(failed: &[&str], unreached: &[&str]) -> Command {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Halt { failed: names(failed), unreached: names(unreached) }
}

#[test]
fn the_canary_is_over_before_others_begin_and_what_is_in_no_wave_waits_for_nobody() {
    check(
        &waves(4, 0, &[(true, &[3]), (false, &[0, 1]), (false, &[2])]),
        &[
            (Begin, vec![Command::Wave(0), Call(3), Call(4)]),
            (Done(4), vec![]),
            (Done(3), vec![Command::Wave(1), Call(0), Call(1)]),
            (Done(1), vec![]),
            (Done(0), vec![Command::Wave(2), Call(2)]),
            (Done(2), vec![]),
        ],
    );
}

#[test]
fn a_failed_canary_ends_it_whatever_the_limit() {
    check(
        &waves(3, 9, &[(true, &[0]), (false, &[1, 2])]),
        &[
            (Begin, vec![Command::Wave(0), Call(0), Call(3)]),
            (Done(3), vec![]),
            (
                Failed(0),
                vec![
                    halt(&["c0"], &["c1", "c2"]),
                    Skip(1, SkipReason::Halted),
                    Skip(2, SkipReason::Halted),
                ],
            ),
        ],
    );
}

#[test]
fn a_failure_within_the_limit_stops_neither_its_wave_nor_the_next() {
    check(
        &waves(4, 1, &[(false, &[0, 1]), (false, &[2]), (false, &[3])]),
        &[
            (Begin, vec![Command::Wave(0), Call(0), Call(1), Call(4)]),
            (Done(4), vec![]),
            (Failed(0), vec![]),
            (Done(1), vec![Command::Wave(1), Call(2)]),
            (Failed(2), vec![halt(&["c0", "c2"], &["c3"]), Skip(3, SkipReason::Halted)]),
        ],
    );
}

#[test]
fn a_canary_that_cannot_begin_proves_nothing() {
    let mut plan = waves(2, 9, &[(true, &[0]), (false, &[1])]);
    plan.nodes[0].after = vec![2];
    let needs = Skip(0, SkipReason::Needs("cluster/x".into()));
    let halted = vec![needs, halt(&["c0"], &["c1"]), Skip(1, SkipReason::Halted)];
    check(&plan, &[(Begin, vec![Command::Wave(0), Call(2)]), (Failed(2), halted)]);
}

#[test]
fn work_that_a_wave_needs_of_a_later_one_is_not_waited_for_for_ever() {
    let mut plan = waves(2, 0, &[(false, &[0]), (false, &[1])]);
    plan.nodes[0].after = vec![1];
    check(
        &plan,
        &[
            (Begin, vec![Command::Wave(0), Call(2)]),
            (Done(2), vec![Command::Wave(1), Call(1)]),
            (Done(1), vec![Call(0)]),
            (Done(0), vec![]),
        ],
    );
}

#[test]
fn after_a_stop_no_wave_begins() {
    let stopped = vec![Skip(1, SkipReason::Stopped)];
    check(
        &waves(2, 0, &[(false, &[0]), (false, &[1])]),
        &[
            (Begin, vec![Command::Wave(0), Call(0), Call(2)]),
            (Input::Stop, stopped),
            (Done(0), vec![]),
            (Done(2), vec![]),
        ],
    );
}

#[test]
fn no_wave_begins_before_its_turn() {
    each("engine::waves::no_wave_begins_before_its_turn", "BOMA_SEEDS", 3, |seed| {
        for round in 0..50 {
            random_run(&mut Dice::new(seed, &format!("waves {round}")));
        }
    });
}

fn random_run(dice: &mut Dice) {
    let (counties, nodes_each) = (2 + dice.below(8), 1 + dice.below(3));
    let count = counties * nodes_each;
    let mut plan = plan(1 + dice.below(4), &vec![("x", &[][..], 1); count], &[]);
    let of = |node: usize| node / nodes_each;
    for node in 0..count {
        plan.changes[node].address = format!("project/c{}/any/{node}", of(node)).into();
        let own = (of(node) * nodes_each)..node;
        plan.nodes[node].after = own.filter(|_| dice.chance(60)).collect();
    }
    let rolled = |county: usize| Rolled {
        name: format!("c{county}"),
        nodes: (0..count).filter(|&node| of(node) == county).collect(),
    };
    let size = 1 + dice.below(3);
    let all: Vec<usize> = (0..counties).collect();
    let has_canary = dice.chance(50);
    let mut waves: Vec<Wave> = all
        .chunks(size)
        .map(|chunk| Wave { canary: false, projects: chunk.iter().map(|&at| rolled(at)).collect() })
        .collect();
    waves[0].canary = has_canary;
    let wave_of = |node: usize| of(node) / size;
    let failures_max = dice.below(3);
    plan.rollout = Some(Rollout { failures_max, waves });
    let (mut schedule, mut over) = (Schedule::new(&plan), BTreeSet::new());
    let (mut begun, mut failed) = (BTreeSet::new(), BTreeSet::new());
    let mut commands = schedule.next(Input::Begin);
    loop {
        for command in &commands {
            match command {
                Call(at) => {
                    let earlier = (0..count).filter(|&other| wave_of(other) < wave_of(*at));
                    assert!(earlier.clone().all(|other| over.contains(&other)), "{plan:#?}");
                    let before: BTreeSet<usize> = failed
                        .iter()
                        .copied()
                        .filter(|&node| wave_of(node) < wave_of(*at))
                        .collect();
                    let failures: BTreeSet<usize> = before.iter().map(|&node| of(node)).collect();
                    assert!(failures.len() <= failures_max, "{plan:#?}");
                    assert!(!has_canary || before.iter().all(|&node| wave_of(node) > 0));
                    begun.insert(*at);
                }
                Skip(at, _) => assert!(over.insert(*at)),
                Command::Wave(_) | Halt { .. } => {}
            }
        }
        let running: Vec<usize> = begun.difference(&over).copied().collect();
        if running.is_empty() {
            break;
        }
        let at = dice.pick(&running);
        over.insert(at);
        let fails = dice.chance(10);
        failed.extend(fails.then_some(at));
        commands = schedule.next(if fails { Failed(at) } else { Done(at) });
    }
    assert!(schedule.is_over() && over.len() == count);
}

/// Two objects of each of seven counties, whose text is given for each.
fn counties(text: impl Fn(usize) -> String) -> Desired {
    let object = |county: usize, name: &str| -> Resource {
        let unique = format!("c{county}-{name}");
        let attributes = Value::map([
            ("name", unique.as_str().into()),
            ("privileges", json!(["A.B"]).into()),
            ("description", text(county).as_str().into()),
        ]);
        let mut object =
            resource(kind("vsphere/role"), &unique, attributes, json!({"name": unique}), &[]);
        object.address = address(county, name);
        object
    };
    let all = (1..=COUNTIES).flat_map(|county| ["api", "couchdb"].map(|name| object(county, name)));
    let mut desired = desired(all);
    desired.spread = Spread {
        canary: vec!["c5".into()],
        wave: 2,
        failures_max: 1,
        projects: (1..=COUNTIES).map(|at| (format!("c{at}"), address(at, "api"))).collect(),
    };
    desired
}

const COUNTIES: usize = 7;

fn address(county: usize, name: &str) -> Address {
    format!("project/c{county}/Deployment/{name}").into()
}

/// Counties that stand, all of which are to be changed.
fn to_be_changed() -> System {
    let mut system = System::new(counties(|_| "old".into()), 1);
    system.converge();
    system.desired = counties(|_| "new".into());
    system
}

fn names(plan: &Plan) -> Vec<Vec<String>> {
    plan.rollout.iter().flat_map(|rollout| &rollout.waves).map(Wave::names).collect()
}

#[test]
fn a_plan_says_who_is_changed_when() {
    let expected = [vec!["c5"], vec!["c1", "c2"], vec!["c3", "c4"], vec!["c6", "c7"]];
    let system = to_be_changed();
    let plan = System::reread(&system.plan());
    assert_eq!(names(&plan), expected);
    assert!(plan.rollout.as_ref().unwrap().waves[0].canary);
}

#[test]
fn what_does_not_run_yet_is_held_back_by_nobody() {
    let mut system = System::new(counties(|_| "old".into()), 1);
    assert_eq!(system.plan().rollout, None, "nothing runs");
    system.desired.spread = Spread::default();
    system.converge();
    assert_eq!(system.plan().rollout, None, "nothing changes");
    system.desired = counties(|county| if county == 4 { "new" } else { "old" }.into());
    assert_eq!(system.plan().rollout, None, "one county is no rollout");
    system.desired = counties(|county| if county > 4 { "new" } else { "old" }.into());
    assert_eq!(names(&system.plan()), [vec!["c5"], vec!["c6", "c7"]]);
    let place = Attributes::new(&json!({"name": "c6-api"}));
    system.world.remove(kind("vsphere/role"), &place);
    assert_eq!(names(&system.plan()), [["c5"], ["c7"]], "c6 is down: nobody waits to mend it");
    system.desired = counties(|_| "new".into());
    system.options.target = ["project/c1/**", "project/c2/**"].map(Glob::new).into();
    assert_eq!(names(&system.plan()), [["c1", "c2"]]);
}

#[test]
fn a_plan_whose_waves_were_tampered_with_is_refused() {
    let plan = to_be_changed().plan();
    let broken = |edit: fn(&mut Rollout)| {
        let mut plan = plan.clone();
        edit(plan.rollout.as_mut().unwrap());
        assert_ne!(note(&plan), []);
    };
    broken(|rollout| rollout.waves[1].projects[0].nodes[0] = 999);
    broken(|rollout| rollout.waves[1].projects[0].nodes.clear());
    broken(|rollout| rollout.waves[1].projects[0].name = "c7".into());
    broken(|rollout| {
        let twice = rollout.waves[0].clone();
        rollout.waves.push(twice);
    });
}

/// Refuses whatever is asked of some counties, and takes down what was asked.
struct Picky {
    twin: Twin,
    refuses: Vec<&'static str>,
    asked: Arc<Mutex<Vec<Address>>>,
}

impl Provider for Picky {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        self.twin.read(wanted)
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        self.asked.lock().unwrap().push(step.address.clone());
        if self.refuses.contains(&step.address.project().unwrap()) {
            let error = ProviderError {
                operation: "write".into(),
                message: "no".into(),
                help: "say yes".into(),
                retry: Retry::Never,
            };
            return Box::pin(async move { Err(error) });
        }
        self.twin.act(step, inputs, run)
    }
}

/// Applies while some counties refuse; the counties in the order of their first calls.
fn refused(system: &mut System, refuses: &[&'static str]) -> (Vec<String>, Report, Vec<Event>) {
    let plan = System::reread(&system.plan());
    let (ledger, clock) = (Arc::new(system.ledger(&plan)), Arc::new(VirtualClock::default()));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let twin = Twin::new(system.world.clone(), clock.clone());
    let provider = Picky { twin, refuses: refuses.to_vec(), asked: asked.clone() };
    let run = system.run(plan, Arc::new(provider), ledger.clone(), clock, Stop::default());
    system.state = ledger.state();
    let mut order: Vec<String> = Vec::new();
    for address in asked.lock().unwrap().iter() {
        let county = address.project().unwrap().to_owned();
        order.extend((!order.contains(&county)).then_some(county));
    }
    (order, run.report, run.events)
}

#[test]
fn counties_that_are_not_reached_are_reported_and_the_next_apply_goes_on() {
    let mut system = to_be_changed();
    let (order, report, events) = refused(&mut system, &["c1", "c3"]);
    assert_eq!(order[0], "c5");
    assert_eq!(order.len(), 5, "{order:?}");
    let halted = report.halted.unwrap();
    assert_eq!(
        (halted.failed.join(" "), halted.unreached.join(" ")),
        ("c1 c3".into(), "c6 c7".into())
    );
    let ended = |name: &str| {
        events.iter().find_map(|event| match event {
            Event::Project { name: other, done, failed, skipped, .. } if other == name => {
                Some((*done, *failed, *skipped))
            }
            _ => None,
        })
    };
    let counts = ["c2", "c1", "c7"].map(|name| ended(name).unwrap());
    assert_eq!(counts, [(2, 0, 0), (0, 2, 0), (0, 0, 2)]);
    let numbers = events.iter().filter_map(|event| match event {
        Event::Wave { number, of, .. } => Some((*number, *of)),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [(1, 4), (2, 4), (3, 4)]);
    assert_eq!(names(&system.plan()), [["c1", "c3"], ["c6", "c7"]]);
    system.converge();
}

#[test]
fn a_canary_that_failed_goes_first_again() {
    let mut system = to_be_changed();
    for _ in 0..2 {
        let (order, report, _) = refused(&mut system, &["c5"]);
        assert_eq!(order, ["c5"]);
        assert_eq!(report.halted.unwrap().unreached.len(), 6);
    }
    system.converge();
}

#[test]
fn a_kill_at_any_call_leaves_at_most_one_wave_half_done() {
    for number in 1..=2 * COUNTIES {
        let mut system = to_be_changed();
        let life = Life::until(Some(Death::AfterCall(number)));
        let plan = System::reread(&system.plan());
        let clock = Arc::new(VirtualClock::default());
        let ledger = Arc::new(DyingLedger { ledger: system.ledger(&plan), life: life.clone() });
        let twin = Twin::new(system.world.clone(), clock.clone()).with_faults(Faults::default());
        let provider = DyingProvider { twin, life };
        system.run(plan, Arc::new(provider), ledger.clone(), clock, Stop::default());
        system.state = ledger.ledger.state();
        let changed = changed(&system);
        let count = |name: &&str| changed.get(*name).copied().unwrap_or(0);
        let waves: [&[&str]; 4] = [&["c5"], &["c1", "c2"], &["c3", "c4"], &["c6", "c7"]];
        for turn in waves.windows(2) {
            let begun = turn[1].iter().any(|name| count(name) > 0);
            let over = turn[0].iter().all(|name| count(name) == 2);
            assert!(over || !begun, "{changed:?}");
        }
        let left = system.plan();
        let acts = |change: &&Change| {
            change.action != Action::NoOp && change.address.project() == Some("c5")
        };
        if left.changes.iter().any(|change| acts(&change) && !change.steps.is_empty()) {
            assert_eq!(names(&left).first(), Some(&vec!["c5".to_owned()]));
        }
        system.converge();
    }
}

/// How many objects of each county have the new text.
fn changed(system: &System) -> BTreeMap<String, usize> {
    let mut changed = BTreeMap::new();
    for (address, reading) in system.read() {
        let tree = reading.object().unwrap().attributes.tree();
        if tree["description"] == "new" {
            *changed.entry(address.project().unwrap().to_owned()).or_default() += 1;
        }
    }
    changed
}
