//! `data-loss`: deletes what nobody can make again. Destroying a VM destroys every disk that
//! hangs on it, volumes of pods included; losing more servers than etcd can spare loses the
//! cluster.

use std::collections::BTreeSet;

use super::words::{count, names};
use super::{Facts, Problem, Rule};
use crate::plan::{Action, Change, Plan, Reason};
use crate::resource::Address;
use crate::spec::{Machine, Spec};

/// See the file's head.
pub const RULE: Rule = Rule::deny(NAME, check).of_plan();

/// Its level cannot be lowered: see [`super::level_ignored`].
pub const NAME: &str = "data-loss";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let Some(plan) = facts.plan else { return };
    for change in plan.changes.iter().filter(|change| change.is_irreversible()) {
        report.extend(precious(facts.spec, change));
        report.extend(foreign_disks(facts, change));
    }
    if !plan.basis.destroy {
        report.extend(servers(facts.spec, plan));
    }
}

fn precious(spec: &Spec, change: &Change) -> Option<Problem> {
    let protected =
        change.protected || spec.protect.iter().any(|glob| glob.matches(&change.address));
    let why = match (change.kind.holds_data, protected) {
        (true, _) => "holds data",
        (false, true) => "is protected",
        (false, false) => return None,
    };
    let message = format!("{} {why} and would be {}", change.address, done(change));
    let help = "undo the edit of the spec that asks for it, or take the address out of `protect`";
    Some(problem(change, message, help))
}

fn foreign_disks(facts: &Facts<'_>, change: &Change) -> Option<Problem> {
    let just_read = facts.live.and_then(|live| live.get(&change.address)?.object());
    let live = change.live.as_ref().or(just_read.map(|object| &object.attributes))?;
    let disks = live.tree()["foreign_disks"].as_array().map_or(0, Vec::len);
    (disks > 0).then(|| {
        let disks = count(disks as u64, "disk");
        let (address, done) = (&change.address, done(change));
        let message = format!("{address} would be {done} with {disks} of others on it");
        let help = "drain the machine and wait until its volumes are detached";
        problem(change, message, help)
    })
}

fn problem(change: &Change, message: String, help: &str) -> Problem {
    let problem = match &change.origin {
        Some(place) => Problem::at(place, message, help),
        None => Problem::new(message, help),
    };
    problem.about(&change.address)
}

fn done(change: &Change) -> &'static str {
    match change.action {
        Action::Replace => "replaced",
        _ => "deleted",
    }
}

/// Servers that stand now are voters of etcd, and so is one that was deleted outside boma.
fn servers(spec: &Spec, plan: &Plan) -> Option<Problem> {
    let unread = plan.blocked.iter().map(|blocked| (&blocked.address, true));
    let changes = plan.changes.iter().filter(|change| is_voter(change));
    let stands = changes.map(|change| (&change.address, !is_lost(change)));
    let voters: Vec<(&Address, bool)> =
        stands.chain(unread).filter(|(address, _)| is_server(spec, address)).collect();
    let gone: Vec<&str> = plan
        .changes
        .iter()
        .filter(|change| change.is_irreversible() && is_server(spec, &change.address))
        .map(|change| change.address.name())
        .collect();
    let kept = voters.iter().filter(|(_, kept)| *kept).count();
    let quorum = voters.len() / 2 + 1;
    let (names, place) = (names(&gone), &spec.groups.servers.place);
    let message = match gone.len() {
        0 => return None,
        1 if kept >= quorum => return None,
        1 => format!(
            "without {names}, {kept} of {} servers are left, and etcd needs {quorum}",
            voters.len()
        ),
        _ => format!("{} servers would go at once: {names}", gone.len()),
    };
    Some(Problem::at(
        place,
        message,
        "change one server, wait until etcd is healthy, then the next",
    ))
}

fn is_voter(change: &Change) -> bool {
    let new = change.action == Action::Create && !change.reasons.contains(&Reason::DeletedOutside);
    !new && change.action != Action::Forget
}

fn is_lost(change: &Change) -> bool {
    change.is_irreversible() || change.action == Action::Create
}

/// A machine that the spec no longer names counts as a server unless it is named like an agent:
/// the state does not say what it was.
fn is_server(spec: &Spec, address: &Address) -> bool {
    let Some(name) = address.as_str().strip_prefix("vsphere/vm/") else { return false };
    let named = |machines: &[Machine]| machines.iter().any(|machine| machine.name.value == name);
    let agents: BTreeSet<&str> = spec.agents.iter().map(|agent| stem(&agent.name)).collect();
    named(&spec.servers) || (!named(&spec.agents) && !agents.contains(stem(name)))
}

fn stem(name: &str) -> &str {
    name.trim_end_matches(|last: char| last.is_ascii_digit())
}
