//! What a command did to a host: the difference between before and after.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{Facts, Host, Node, State, Timer};
use super::units::Unit;

/// One change of the hosts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) enum HostEffect {
    Put(Box<Host>),
    Remove(String),
    Change { host: String, change: Change },
}

/// One change of a host; an absent value removes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) enum Change {
    Facts(Box<Facts>),
    State(Box<State>),
    File { path: String, node: Option<Node> },
    Unit { name: String, unit: Option<Unit> },
    Timer { name: String, timer: Option<Timer> },
}

/// The changes that make one picture of a host into another.
pub(super) fn difference(before: &Host, after: &Host) -> Vec<HostEffect> {
    let mut changes = Vec::new();
    if before.facts != after.facts {
        changes.push(Change::Facts(Box::new(after.facts.clone())));
    }
    if before.state != after.state {
        changes.push(Change::State(Box::new(after.state.clone())));
    }
    for (path, node) in changed(&before.files, &after.files) {
        changes.push(Change::File { path, node });
    }
    for (name, unit) in changed(&before.units, &after.units) {
        changes.push(Change::Unit { name, unit });
    }
    for (name, timer) in changed(&before.timers, &after.timers) {
        changes.push(Change::Timer { name, timer });
    }
    let host = &after.facts.id;
    changes.into_iter().map(|change| HostEffect::Change { host: host.clone(), change }).collect()
}

fn changed<T: Clone + PartialEq>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
) -> Vec<(String, Option<T>)> {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let gone = gone.map(|key| (key.clone(), None));
    let new = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    gone.chain(new.map(|(key, value)| (key.clone(), Some(value.clone())))).collect()
}
