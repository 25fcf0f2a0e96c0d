//! Readers of an apply's events: bars for a terminal, lines for a log, JSON for a script.

mod bar;
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

    let (vm, role) = (Address::from("vsphere/vm/server-1"), Address::from("vsphere/role/CNS-VM"));
    let outcome = Outcome { done: 1, failed: 1, skipped: 1, interrupted: true };
    vec![
        Event::Began { total: 3 },
        Event::Started { address: vm.clone(), action: Action::Create, half: Half::Whole },
        Event::Step { address: vm.clone(), operation: Operation::PowerOn },
        Event::Progress { address: vm.clone(), text: "clone 40%".into() },
        Event::Finished {
            address: vm.clone(),
            action: Action::Create,
            half: Half::Whole,
            elapsed_s: 3,
        },
        Event::Started { address: role.clone(), action: Action::Replace, half: Half::Delete },
        Event::Failed { address: role, message: "role is\nin use".into(), help: "free it".into() },
        Event::Skipped { address: vm, reason: "waits for vsphere/role/CNS-VM".into() },
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
apply: 3 changes to make
vsphere/vm/server-1: create started
vsphere/vm/server-1: power on
vsphere/vm/server-1: clone 40%
vsphere/vm/server-1: create done after 3 s
vsphere/role/CNS-VM: replace (delete) started
vsphere/role/CNS-VM: failed: role is in use
  help: free it
vsphere/vm/server-1: skipped: waits for vsphere/role/CNS-VM
stopping: nothing new is started, 1 change under way
apply interrupted: 1 done, 1 failed, 1 skipped
",
        );
    }

    #[test]
    fn json_lines() {
        let expected: Vec<String> =
            examples().iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        check(|to| Box::new(JsonReporter::new(to)), &format!("\n{}\n", expected.join("\n")));
    }

    #[test]
    fn bars_follow_the_events() {
        let mut bars = BarReporter::on(ProgressDrawTarget::hidden());
        assert!(bars.is_hidden());
        examples().iter().for_each(|event| bars.event(event));
        assert_eq!(bars.progress(), (3, 3));
    }
}
