//! The schedule by itself: what may begin when.

use std::collections::{BTreeMap, BTreeSet};

use boma::apply::{Command, Input, Schedule, SkipReason};
use boma::plan::{Action, Basis, Change, FORMAT, Half, Lane, Node, Plan, Reason, Window};
use boma::resource::{Address, Attributes, Edge, EdgeKind, Endpoint, EndpointFacts, Locator};

use crate::engine::scenario::kind;
use crate::seeds::{Dice, each};

/// One node: name, what it needs, seconds.
pub type Row = (&'static str, &'static [usize], u64);

/// A plan of one node per row, all on one endpoint.
pub fn plan(limit: usize, rows: &[Row], windows: &[(&str, &str, &[usize])]) -> Plan {
    let basis = Basis {
        name: "s".into(),
        spec: "s.toml".into(),
        spec_digest: String::new(),
        lineage: "l".into(),
        serial: 0,
        lab: false,
        offline: false,
        destroy: false,
    };
    let node = |(at, row): (usize, &Row)| Node {
        change: at,
        half: Half::Whole,
        after: row.1.to_vec(),
        weight_s: row.2,
    };
    let window = |&(machine, group, nodes): &(&str, &str, &[usize])| Window {
        machine: machine.into(),
        group: group.into(),
        nodes: nodes.to_vec(),
        disrupts: true,
    };
    Plan {
        format: FORMAT,
        basis,
        changes: rows.iter().map(|row| change(row.0)).collect(),
        blocked: Vec::new(),
        nodes: rows.iter().enumerate().map(node).collect(),
        windows: windows.iter().map(window).collect(),
        lanes: Vec::new(),
        rollout: None,
        endpoints: BTreeMap::from([(
            Endpoint::vcenter(),
            EndpointFacts { limit, opened_by: Vec::new() },
        )]),
        unplanned: Vec::new(),
    }
}

fn change(name: &str) -> Change {
    Change {
        address: Address::from(name),
        kind: kind("vsphere/role"),
        endpoint: Endpoint::vcenter(),
        action: Action::Create,
        reasons: vec![Reason::New],
        attributes: Vec::new(),
        steps: Vec::new(),
        opening: Vec::new(),
        closing: Vec::new(),
        window: None,
        origin: None,
        desired: Attributes::default(),
        assumed: Vec::new(),
        locator: Locator::default(),
        live: None,
        edges: Vec::new(),
        protected: false,
    }
}

/// Feeds inputs after the beginning; each is compared with what it commands.
fn check(plan: &Plan, begin: &[usize], then: &[(Input, Vec<Command>)]) {
    let mut schedule = Schedule::new(plan);
    let calls: Vec<Command> = begin.iter().map(|&at| Command::Call(at)).collect();
    assert_eq!(schedule.next(Input::Begin), calls);
    for (input, commands) in then {
        assert_eq!(schedule.next(*input), *commands, "{input:?}");
    }
    assert!(schedule.is_over());
}

fn call(at: usize) -> Vec<Command> {
    vec![Command::Call(at)]
}

fn needs(at: usize, address: &str) -> Command {
    Command::Skip(at, SkipReason::Needs(address.into()))
}

fn window_of(at: usize, machine: &str) -> Command {
    Command::Skip(at, SkipReason::Window(machine.into()))
}

#[test]
fn the_longest_remaining_path_starts_first_within_the_limit() {
    let plan = plan(1, &[("a", &[], 5), ("b", &[], 1), ("c", &[1], 9)], &[]);
    check(
        &plan,
        &[1],
        &[(Input::Done(1), call(2)), (Input::Done(2), call(0)), (Input::Done(0), vec![])],
    );
}

#[test]
fn waiting_frees_the_endpoint_and_the_next_call_asks_again() {
    let plan = plan(1, &[("a", &[], 2), ("b", &[], 1)], &[]);
    check(
        &plan,
        &[0],
        &[
            (Input::Waiting(0), call(1)),
            (Input::Ready(0), vec![]),
            (Input::Done(1), call(0)),
            (Input::Done(0), vec![]),
        ],
    );
}

#[test]
fn a_lane_lets_so_many_in_and_the_next_when_one_is_over() {
    let mut plan = plan(9, &[("a", &[], 4), ("b", &[], 3), ("c", &[], 2), ("d", &[], 1)], &[]);
    plan.lanes = vec![Lane { limit: 2, nodes: vec![0, 1, 2] }];
    check(
        &plan,
        &[0, 1, 3],
        &[
            (Input::Waiting(0), vec![]),
            (Input::Ready(0), call(0)),
            (Input::Failed(1), call(2)),
            (Input::Done(3), vec![]),
            (Input::Done(0), vec![]),
            (Input::Done(2), vec![]),
        ],
    );
}

#[test]
fn a_call_after_a_call_gives_way_to_what_is_longer() {
    let plan = plan(1, &[("a", &[], 9), ("b", &[], 1)], &[]);
    check(
        &plan,
        &[0],
        &[(Input::Ready(0), call(0)), (Input::Done(0), call(1)), (Input::Done(1), vec![])],
    );
}

#[test]
fn a_failure_skips_only_what_needs_it() {
    let plan = plan(2, &[("a", &[], 1), ("b", &[0], 1), ("c", &[1], 1), ("d", &[], 1)], &[]);
    let skipped = vec![needs(1, "a"), needs(2, "b")];
    check(&plan, &[0, 3], &[(Input::Failed(0), skipped), (Input::Done(3), vec![])]);
}

#[test]
fn one_machine_is_down_at_a_time() {
    let plan = plan(
        9,
        &[("a", &[], 2), ("b", &[], 1), ("c", &[], 1)],
        &[("a", "servers", &[0]), ("b", "agents", &[1])],
    );
    check(
        &plan,
        &[0, 2],
        &[
            (Input::Waiting(0), vec![]),
            (Input::Done(2), vec![]),
            (Input::Done(0), call(1)),
            (Input::Done(1), vec![]),
        ],
    );
}

#[test]
fn a_failed_window_stops_its_group_only() {
    let windows: &[(&str, &str, &[usize])] =
        &[("a", "servers", &[0]), ("b", "servers", &[1]), ("c", "agents", &[2])];
    let plan = plan(9, &[("a", &[], 3), ("b", &[], 2), ("c", &[], 1)], windows);
    let stopped = vec![window_of(1, "a"), Command::Call(2)];
    check(&plan, &[0], &[(Input::Failed(0), stopped), (Input::Done(2), vec![])]);
}

#[test]
fn a_window_that_stays_half_done_stops_its_group_too() {
    // The machine's delete is done; its create needs a folder that fails.
    let windows: &[(&str, &str, &[usize])] = &[("a", "servers", &[0, 2]), ("b", "servers", &[3])];
    let rows: &[Row] = &[("a", &[], 9), ("folder", &[], 1), ("a", &[0, 1], 5), ("b", &[], 1)];
    let plan = plan(9, rows, windows);
    let stopped = vec![needs(2, "folder"), window_of(3, "a")];
    check(&plan, &[0, 1], &[(Input::Done(0), vec![]), (Input::Failed(1), stopped)]);
}

#[test]
fn windows_that_need_each_other_do_not_wait_for_ever() {
    // Both machines are made anew, and the second lives on the first.
    let windows: &[(&str, &str, &[usize])] = &[("a", "a", &[1, 2]), ("b", "b", &[0, 3])];
    let rows: &[Row] = &[("b", &[], 9), ("a", &[0], 1), ("a", &[1], 1), ("b", &[0, 2], 1)];
    let steps = [
        (Input::Done(0), call(1)),
        (Input::Done(1), call(2)),
        (Input::Done(2), call(3)),
        (Input::Done(3), vec![]),
    ];
    check(&plan(9, rows, windows), &[0], &steps);
}

#[test]
fn after_a_stop_nothing_begins_and_what_runs_is_finished() {
    let plan = plan(1, &[("a", &[], 3), ("b", &[0], 1), ("c", &[], 2)], &[]);
    let stopped = [1, 2].map(|at| Command::Skip(at, SkipReason::Stopped)).to_vec();
    check(
        &plan,
        &[0],
        &[
            (Input::Stop, stopped),
            (Input::Waiting(0), vec![]),
            (Input::Ready(0), call(0)),
            (Input::Done(0), vec![]),
        ],
    );
}

/// What a random run looks at after every command.
struct Watch<'a> {
    plan: &'a Plan,
    calling: BTreeSet<usize>,
    begun: BTreeSet<usize>,
    over: BTreeSet<usize>,
    done: BTreeSet<usize>,
}

impl Watch<'_> {
    fn take(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Call(at) => {
                    assert!(self.calling.insert(at) && !self.over.contains(&at));
                    assert!(self.plan.nodes[at].after.iter().all(|need| self.done.contains(need)));
                    self.begun.insert(at);
                }
                Command::Skip(at, _) => assert!(!self.begun.contains(&at) && self.over.insert(at)),
                Command::Wave(_) | Command::Halt { .. } => panic!("there is no rollout"),
            }
        }
        assert!(self.calling.len() <= self.plan.endpoints[&Endpoint::vcenter()].limit);
    }
}

#[test]
fn no_slot_leaks_and_everything_ends() {
    each("engine::schedule::no_slot_leaks_and_everything_ends", "BOMA_SEEDS", 3, |seed| {
        for round in 0..50 {
            random_run(&mut Dice::new(seed, &format!("schedule {round}")));
        }
    });
}

fn random_run(dice: &mut Dice) {
    let count = 2 + dice.below(12);
    let mut plan = plan(1 + dice.below(3), &vec![("x", &[][..], 1); count], &[]);
    for at in 0..count {
        plan.changes[at].address = format!("n{at}").into();
        plan.nodes[at].weight_s = dice.below(9) as u64;
        plan.nodes[at].after = (0..at).filter(|_| dice.chance(15)).collect();
    }
    let machines: Vec<usize> = (0..count).filter(|_| dice.chance(40)).collect();
    let window = |(number, nodes): (usize, &[usize])| Window {
        machine: format!("m{number}").into(),
        group: format!("g{}", number % 2),
        nodes: nodes.to_vec(),
        disrupts: true,
    };
    plan.windows = machines.chunks(2).enumerate().map(window).collect();
    let mut schedule = Schedule::new(&plan);
    let none = BTreeSet::new;
    let mut watch =
        Watch { plan: &plan, calling: none(), begun: none(), over: none(), done: none() };
    watch.take(schedule.next(Input::Begin));
    while !schedule.is_over() {
        let running: Vec<usize> = watch.begun.difference(&watch.over).copied().collect();
        assert!(!running.is_empty(), "nothing runs and nothing begins: {plan:#?}");
        let at = dice.pick(&running);
        let input = match (watch.calling.remove(&at), dice.below(12)) {
            (_, 0) => Input::Failed(at),
            (true, 1..5) => Input::Waiting(at),
            (_, 5..7) => Input::Ready(at),
            _ => Input::Done(at),
        };
        if matches!(input, Input::Failed(_) | Input::Done(_)) {
            watch.over.insert(at);
            watch.done.extend(matches!(input, Input::Done(_)).then_some(at));
        }
        let commands = schedule.next(input);
        watch.take(commands);
        if dice.chance(1) {
            let commands = schedule.next(Input::Stop);
            watch.take(commands);
        }
    }
    assert_eq!(watch.over.len(), count);
}

/// A plan in which the last row comes after the others, which are nodes of one cluster.
fn after_nodes(rows: &[Row]) -> Plan {
    let mut plan = plan(9, rows, &[]);
    let last = rows.len() - 1;
    for change in &mut plan.changes[..last] {
        change.kind = kind("kubernetes/Node");
    }
    let nodes: Vec<Address> = plan.changes[..last].iter().map(|one| one.address.clone()).collect();
    plan.changes[last].edges =
        nodes.into_iter().map(|to| Edge { kind: EdgeKind::After, to }).collect();
    plan
}

#[test]
fn one_node_of_the_cluster_may_fail() {
    let rows: &[Row] = &[("a", &[], 1), ("b", &[], 1), ("c", &[], 1), ("space", &[0, 1, 2], 1)];
    let begin = &[0, 1, 2];
    let nothing = || vec![];
    check(
        &after_nodes(rows),
        begin,
        &[
            (Input::Failed(1), nothing()),
            (Input::Done(0), nothing()),
            (Input::Done(2), call(3)),
            (Input::Done(3), nothing()),
        ],
    );
    let skipped = vec![needs(3, "c")];
    check(
        &after_nodes(rows),
        begin,
        &[(Input::Failed(1), nothing()), (Input::Failed(2), skipped), (Input::Done(0), nothing())],
    );
    let alone: &[Row] = &[("a", &[], 1), ("space", &[0], 1)];
    check(&after_nodes(alone), &[0], &[(Input::Failed(0), vec![needs(1, "a")])]);
}
