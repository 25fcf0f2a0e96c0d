//! What must hold before machines are disturbed, and how many go or come at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use boma::apply::{Event, Report, Stop};
use boma::plan::{Half, Plan, Step};
use boma::provider::{Act, BoxFuture, Inputs, Provider, Run, Wanted};
use boma::resource::{Address, Reading};
use boma::twin::{Twin, VirtualClock};
use serde_json::json;

use crate::engine::nodes::{edit, edited, lowered, refusal};
use crate::engine::system::System;

const UPGRADED: &[(&str, &str)] = &[("v1.35.9+k3s1", "v1.36.1+k3s1")];
const SERVER: &str = "k3s/server/server-1";

/// A world in which something happens while a server is looked at for so many times.
struct Meanwhile<F> {
    twin: Twin,
    looks: AtomicUsize,
    at: usize,
    happens: F,
}

impl<F: Fn() + Send + Sync> Provider for Meanwhile<F> {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        let looked = wanted.iter().any(|one| one.address.as_str() == SERVER);
        if looked && self.looks.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            (self.happens)();
        }
        self.twin.read(wanted)
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        self.twin.act(step, inputs, run)
    }
}

/// Upgrades a cluster without a voter to spare, where something happens at the fifth look.
fn waiting(happens: impl Fn(&System, &Stop) + Send + Sync + 'static) -> (Report, Vec<Event>) {
    let system = edited(UPGRADED);
    edit(&system, SERVER, json!({ "spare_voters": 0 }));
    let plan = System::reread(&system.plan());
    let clock = Arc::new(VirtualClock::default());
    let (stop, ledger) = (Stop::default(), Arc::new(system.ledger(&plan)));
    let twin = Twin::new(system.world.clone(), clock.clone());
    let seen = System { world: system.world.clone(), ..edited(UPGRADED) };
    let pressed = stop.clone();
    let happens = move || happens(&seen, &pressed);
    let provider = Meanwhile { twin, looks: AtomicUsize::new(0), at: 5, happens };
    let run = system.run(plan, Arc::new(provider), ledger, clock, stop);
    (run.report, run.events)
}

#[test]
fn a_window_opens_once_the_cluster_can_spare_the_node() {
    let (report, events) = waiting(|system, _| edit(system, SERVER, json!({ "spare_voters": 1 })));
    assert_eq!(report.failures, []);
    let says = |event: &Event| matches!(event, Event::Progress { text, .. } if text.contains("waits: spare_voters"));
    assert_eq!(events.iter().filter(|event| says(event)).count(), 1, "{events:?}");
}

#[test]
fn ctrl_c_ends_the_waiting_and_nothing_was_begun() {
    let (report, events) = waiting(|_, stop| stop.press());
    assert!(report.outcome.interrupted);
    // What the cluster runs may follow the release meanwhile; no node is touched.
    let touches = |event: &Event| matches!(event, Event::Step { address, .. } if address.as_str().starts_with("k3s/"));
    assert!(!events.iter().any(touches), "{events:?}");
}

/// The nodes that a node comes after, however far away.
fn before(plan: &Plan, at: usize) -> Vec<&str> {
    let (mut found, mut open) = (vec![false; plan.nodes.len()], vec![at]);
    while let Some(at) = open.pop() {
        let new =
            plan.nodes[at].after.iter().filter(|&&need| !std::mem::replace(&mut found[need], true));
        open.extend(new);
    }
    let address = |at: usize| plan.changes[plan.nodes[at].change].address.as_str();
    (0..found.len()).filter(|&at| found[at]).map(address).collect()
}

#[test]
fn machines_that_are_off_are_on_before_others_are_disturbed() {
    let check = |off: &str, edits: &[(&str, &str)], opens: &str| {
        let mut system = edited(edits);
        edit(&system, off, json!({ "power": "off" }));
        let plan = system.plan();
        let opening = plan.nodes.iter().position(|node| {
            node.half == Half::Open && plan.changes[node.change].address.as_str() == opens
        });
        let opening = opening.unwrap_or_else(|| panic!("{opens} has no window"));
        assert!(before(&plan, opening).contains(&off), "{:?}", before(&plan, opening));
        system.converge();
    };
    check("vsphere/vm/agent-2", &[("cpus      = 8", "cpus      = 16")], "k3s/agent/agent-1");
    // Nobody can be drained on a machine that is off.
    check("vsphere/vm/server-2", UPGRADED, "k3s/server/server-2");
}

#[test]
fn servers_leave_down_to_an_odd_number_of_three_at_least() {
    let of = |count: u32| {
        let (count, last) = (format!("[servers]\ncount     = {count}"), 10 + count);
        let addresses = format!("10.20.0.11-{last}").replace("11-11", "11");
        lowered(&[("[servers]\ncount     = 3", &count), ("10.20.0.11-13", &addresses)])
    };
    let check = |before: u32, after: u32, refused: Option<&str>| {
        let mut system = System::new(of(before), 1);
        system.converge();
        for server in 1..=before {
            edit(&system, &format!("k3s/server/server-{server}"), json!({ "member": "voter" }));
        }
        system.desired = of(after);
        let leaving = format!("k3s/server/server-{before}");
        match refused {
            Some(words) => assert_eq!(refusal(&system.plan(), &leaving), words),
            None => system.converge(),
        }
    };
    check(3, 1, Some("etcd would be left with 1 server"));
    check(5, 3, None);
}

#[test]
fn at_most_ten_agents_join_at_a_time() {
    let many = [("count     = 2", "count     = 13"), ("10.20.0.21-22", "10.20.0.21-33")];
    let mut system = System::new(lowered(&many), 1);
    let run = system.apply();
    assert_eq!(run.report.failures, []);
    let (mut joining, mut most, mut joined) = (0, 0, 0);
    let is_agent = |address: &Address| address.as_str().starts_with("k3s/agent/");
    for event in &run.events {
        match event {
            Event::Started { address, .. } if is_agent(address) => joining += 1,
            Event::Finished { address, .. } if is_agent(address) => {
                (joining, joined) = (joining - 1, joined + 1)
            }
            _ => {}
        }
        most = most.max(joining);
    }
    assert_eq!((joined, most), (13, 10), "{:#?}", run.events);
}
