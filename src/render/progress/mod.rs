//! Readers of an apply's events: bars for a terminal, lines for a log, JSON for a script.

mod bar;
mod board;
mod json;
mod plain;

use crate::apply::Event;

pub use bar::BarReporter;
pub use json::JsonReporter;
pub use plain::PlainReporter;

/// Shows events as they come. Showing never fails the apply: where nobody can read any more,
/// the work goes on.
pub trait Reporter {
    /// Takes the next event.
    fn event(&mut self, event: &Event);
}

/// One event of each sort, for tests.
#[cfg(test)]
pub(super) fn examples() -> Vec<Event> {
    use crate::apply::Outcome;
    use crate::plan::{Action, Half, Operation};
    use crate::resource::Address;

    let county = "county-07".to_owned();
    let couchdb = Address::from("project/county-07/Deployment/cht-couchdb-1");
    let (vm, role) = (Address::from("vsphere/vm/server-1"), Address::from("vsphere/role/CNS-VM"));
    let outcome = Outcome { done: 1, failed: 1, skipped: 1, interrupted: true };
    vec![
        Event::Began { total: 4, projects: [(county.clone(), 1)].into() },
        Event::Wave { number: 1, of: 2, canary: true, projects: vec![county.clone()] },
        Event::Started { address: couchdb.clone(), action: Action::Update, half: Half::Whole },
        Event::Started { address: vm.clone(), action: Action::Create, half: Half::Whole },
        Event::Step { address: vm.clone(), operation: Operation::PowerOn },
        Event::Progress { address: vm.clone(), text: "clone 40%".into() },
        Event::Waiting { address: vm.clone(), text: "tools is not set".into(), waited_s: 61 },
        Event::Finished {
            address: vm.clone(),
            action: Action::Create,
            half: Half::Whole,
            elapsed_s: 3,
        },
        Event::Started { address: role.clone(), action: Action::Replace, half: Half::Delete },
        Event::Failed { address: role, message: "role is\nin use".into(), help: "free it".into() },
        Event::Skipped { address: vm, reason: "waits for vsphere/role/CNS-VM".into() },
        Event::Waiting { address: couchdb.clone(), text: "it is not ready".into(), waited_s: 61 },
        Event::Failed { address: couchdb, message: "no image".into(), help: "name one".into() },
        Event::Project { name: county.clone(), done: 0, failed: 1, skipped: 0, elapsed_s: 900 },
        Event::Halted { failed: vec![county], unreached: vec!["county-08".into()] },
        Event::Stopping { running: 1 },
        Event::Ended { summary: outcome },
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::*;

    fn check(make: impl FnOnce(&mut Vec<u8>) -> Box<dyn Reporter + '_>, expected: &str) {
        let mut written = Vec::new();
        let mut reporter = make(&mut written);
        examples().iter().for_each(|event| reporter.event(event));
        drop(reporter);
        assert_eq!(format!("\n{}", String::from_utf8(written).unwrap()), expected);
    }

    #[test]
    fn lines() {
        check(
            |to| Box::new(PlainReporter::new(to)),
            "
apply: 4 changes to make
rollout: wave 1 of 2: county-07, before all others
vsphere/vm/server-1: create started
vsphere/vm/server-1: power on
vsphere/vm/server-1: clone 40%
vsphere/vm/server-1: create done after 3 s
vsphere/role/CNS-VM: replace (delete) started
vsphere/role/CNS-VM: failed: role is in use
  help: free it
vsphere/vm/server-1: skipped: waits for vsphere/role/CNS-VM
county-07: 0 of 1 change done, waiting for 61 s for Deployment/cht-couchdb-1: it is not ready
county-07: failed after 900 s: 0 of 1 change done (projects 0/1 ready, 1 failed)
  Deployment/cht-couchdb-1: no image
    help: name one
rollout: no further wave begins, because of county-07; not reached: county-08
stopping: nothing new is started, 1 change under way
apply interrupted: 1 done, 1 failed, 1 skipped
",
        );
    }

    #[test]
    fn json_lines() {
        let line = |event: &Event| {
            serde_json::to_string(&crate::render::json::EventJson::from(event)).unwrap()
        };
        let expected: Vec<String> = examples().iter().map(line).collect();
        check(|to| Box::new(JsonReporter::new(to)), &format!("\n{}\n", expected.join("\n")));
    }

    #[test]
    fn bars_follow_the_events() {
        let mut bars = BarReporter::on(ProgressDrawTarget::hidden());
        assert!(bars.is_hidden());
        examples().iter().for_each(|event| bars.event(event));
        assert_eq!(bars.progress(), (4, 4));
    }

    /// A country whose first wave goes well but for one county, which waits long.
    fn country() -> Vec<Event> {
        use crate::plan::{Action, Half};
        use crate::resource::Address;
        let names: Vec<String> = (1..=20).map(|at| format!("county-{at:02}")).collect();
        let projects = names.iter().map(|name| (name.clone(), 3)).collect();
        let mut events = vec![Event::Began { total: 60, projects }];
        for name in &names {
            for object in ["couchdb-1", "couchdb-2", "api"] {
                let address = Address::from(format!("project/{name}/Deployment/{object}"));
                let (action, half) = (Action::Create, Half::Whole);
                events.push(Event::Started { address: address.clone(), action, half });
                for waited_s in [0, 30, 60, 120, 240] {
                    let text = "it is not ready: 0 of 1 pods".into();
                    let address = address.clone();
                    let long = name == "county-03" && object == "couchdb-2";
                    if long || waited_s < 60 {
                        events.push(Event::Waiting { address, text, waited_s });
                    }
                }
                events.push(Event::Finished { address, action, half, elapsed_s: 41 });
            }
            let (name, done) = (name.clone(), 3);
            events.push(Event::Project { name, done, failed: 0, skipped: 0, elapsed_s: 41 });
        }
        events
    }

    #[test]
    fn a_log_has_a_line_for_each_county() {
        let mut written = Vec::new();
        let mut reporter = PlainReporter::new(&mut written);
        country().iter().for_each(|event| reporter.event(event));
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text.lines().count(), 22, "{text}");
        for line in [
            "county-03: 1 of 3 changes done, waiting for 60 s for Deployment/couchdb-2: it is not ready: 0 of 1 pods",
            "county-03: 3 changes done after 41 s (projects 3/20 ready)",
        ] {
            assert!(text.lines().any(|other| other == line), "{text}");
        }
    }

    #[test]
    fn a_terminal_has_a_line_for_each_county_under_way() {
        let mut bars = BarReporter::on(ProgressDrawTarget::hidden());
        let began =
            |event: &&Event| !matches!(event, Event::Finished { .. } | Event::Project { .. });
        country().iter().filter(began).for_each(|event| bars.event(event));
        assert_eq!(bars.projects().len(), 12, "as many as fit");
        let status = "0/3  waiting for Deployment/api: it is not ready: 0 of 1 pods";
        assert_eq!(bars.projects()[0], format!("county-01  {status}"));
        let over = country();
        over.iter().for_each(|event| bars.event(event));
        assert_eq!(bars.projects(), Vec::<String>::new());
    }

    #[test]
    fn counties_that_had_no_turn_are_told_once() {
        let unreached: Vec<String> = (2..=50).map(|at| format!("county-{at:02}")).collect();
        let mut events =
            vec![Event::Halted { failed: vec!["county-01".into()], unreached: unreached.clone() }];
        for name in unreached {
            let address = crate::resource::Address::from(format!("project/{name}/Deployment/api"));
            events.push(Event::Skipped { address, reason: "the rollout ended".into() });
            events.push(Event::Project { name, done: 0, failed: 0, skipped: 1, elapsed_s: 0 });
        }
        let projects = (1..=50).map(|at| (format!("county-{at:02}"), 1)).collect();
        let mut written = Vec::new();
        let mut reporter = PlainReporter::new(&mut written);
        reporter.event(&Event::Began { total: 50, projects });
        events.iter().for_each(|event| reporter.event(event));
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "apply: 50 changes to make\nrollout: no further wave begins, because of county-01; \
             not reached: county-02, county-03, county-04 and 46 more\n"
        );
    }
}
