//! `data-loss`: deletes what nobody can make again. Destroying a VM destroys every disk that
//! hangs on it, volumes of pods included; losing more servers than etcd can spare loses the
//! cluster.

use std::collections::BTreeSet;

use super::projects::CLAIM;
use super::words::{count, names};
use super::{Facts, Problem, Rule};
use crate::plan::{Action, Change, Operation, Plan, Reason, Step};
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
        if !lets_go(plan, &change.address) {
            report.extend(foreign_disks(facts, change));
        }
    }
    if !plan.basis.destroy {
        report.extend(servers(facts.spec, plan));
    }
}

fn precious(spec: &Spec, change: &Change) -> Option<Problem> {
    // A node of k3s is not its machine: one that the user names is installed anew.
    let named = change.kind.lifecycle.is_node() && change.reasons == [Reason::Requested];
    let written = spec.protect.iter().any(|glob| glob.matches(&change.address));
    let protected = written || change.protected && !named;
    let given_up = change.reasons == [Reason::Abandoned];
    let why = match (change.kind.holds_data && !given_up, protected) {
        (true, _) => "holds data",
        (false, true) => "is protected",
        (false, false) => return None,
    };
    let message = format!("{} {why} and would be {}", change.address, done(change));
    let help = "undo the edit of the spec that asks for it, or take the address out of `protect`";
    Some(problem(change, message, help))
}

/// Whether the plan itself takes volumes off a machine before it goes: then its deletion waits for
/// that, and stops where disks stay.
fn lets_go(plan: &Plan, machine: &Address) -> bool {
    let nodes = ["agent", "server"].map(|role| format!("k3s/{role}/{}", machine.name()));
    let leaves = |change: &&Change| nodes.iter().any(|node| node == change.address.as_str());
    let mut steps = plan
        .changes
        .iter()
        .filter(leaves)
        .flat_map(|change| change.opening.iter().chain(&change.steps));
    let detaches = |step: &Step| matches!(step.operation, Operation::Drain | Operation::Expel);
    // Where everything goes, claims are waited for until their volumes hang on no machine.
    let waits = |change: &Change| change.kind.name == CLAIM && !change.steps.is_empty();
    plan.basis.destroy && plan.changes.iter().any(waits) || steps.any(detaches)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use crate::plan::{Action, Change, Reason};
    use crate::resource::Attributes;
    use crate::rules::testing::{World, change, findings, plan, spec};

    fn check_world(world: &World, edits: &[(&str, &str)], expected: &[&str]) {
        let found = findings(&spec(edits), world);
        let found: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(found, expected);
    }

    fn check(changes: &[Change], expected: &[&str]) {
        check_world(&plan(changes.to_vec()), &[], expected);
    }

    fn with_disk(change: Change) -> Change {
        let live = json!({"foreign_disks": ["[ds1] fcd/a.vmdk"]});
        Change { live: Some(Attributes::new(&live)), ..change }
    }

    const FOREIGN: &str = "vsphere/vm/agent-1 would be deleted with 1 disk of others on it";

    #[test]
    fn a_machine_with_disks_of_others_stays() {
        check(&[with_disk(change("agent-1", Action::Delete))], &[FOREIGN]);
        check(&[with_disk(change("agent-1", Action::Update))], &[]);
        check(&[change("agent-1", Action::Delete)], &[]);
    }

    #[test]
    fn what_is_protected_stays() {
        let protect =
            [("name = \"small\"", "name = \"small\"\nprotect = [\"vsphere/vm/agent-*\"]")];
        let message = "vsphere/vm/agent-1 is protected and would be replaced";
        let world = plan(vec![change("agent-1", Action::Replace)]);
        check_world(&world, &protect, &[message]);
        let recorded = Change { protected: true, ..change("agent-1", Action::Replace) };
        check(&[recorded], &[message]);
    }

    #[test]
    fn servers_go_one_at_a_time_while_a_quorum_stays() {
        let stand = |name| change(name, Action::NoOp);
        let gone = change("server-3", Action::Replace);
        check(&[stand("server-1"), stand("server-2"), gone.clone()], &[]);
        let lost =
            Change { reasons: vec![Reason::DeletedOutside], ..change("server-2", Action::Create) };
        let message = "without server-3, 1 of 3 servers are left, and etcd needs 2";
        check(&[stand("server-1"), lost, gone.clone()], &[message]);
        let new = Change { reasons: vec![Reason::New], ..change("server-2", Action::Create) };
        check(
            &[stand("server-1"), new, gone],
            &["without server-3, 1 of 2 servers are left, and etcd needs 2"],
        );
    }

    #[test]
    fn a_machine_that_left_the_spec_is_a_server_unless_named_like_an_agent() {
        let removed = |names: [&str; 2]| names.map(|name| change(name, Action::Delete));
        check(&removed(["agent-4", "agent-5"]), &[]);
        let message = "2 servers would go at once: server-4 and server-5";
        check(&removed(["server-4", "server-5"]), &[message]);
    }

    #[test]
    fn destroy_may_take_all_servers_and_no_disk_of_others() {
        let servers = ["server-1", "server-2", "server-3"].map(|name| change(name, Action::Delete));
        let mut world =
            plan([&servers[..], &[with_disk(change("agent-1", Action::Delete))]].concat());
        world.plan.as_mut().unwrap().basis.destroy = true;
        check_world(&world, &[], &[FOREIGN]);
    }
}
