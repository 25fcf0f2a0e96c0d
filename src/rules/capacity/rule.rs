//! The rule: all machines up, then each one down.

use super::amount::{Amount, Measure};
use super::load::{Piece, limits, pieces};
use super::pack::{Fit, Lack, pack};
use super::room::{Room, rooms};
use crate::diag::Place;
use crate::rules::words::count;
use crate::rules::{Facts, Problem, Rule};
use crate::spec::{Project, Spec};

/// What cannot be at all is denied; what has no room with one machine down is a warning.
pub const RULE: Rule = Rule::deny("capacity", check);

const HELP: &str = "add agents, give them more (`cpus`, `memory`, `scsi_controllers` up to 4), or \
                    lower what projects take";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let spec = facts.spec;
    let (pieces, rooms) = (pieces(spec), rooms(spec));
    if pieces.is_empty() {
        return;
    }
    match pack(&pieces, &rooms) {
        Fit::Never(lack) => report.push(impossible(spec, "", lack, rooms.len())),
        Fit::Unproven(project) => report.push(unproven("", project)),
        Fit::Yes => report.extend(one_down(spec, &pieces, &rooms)),
    }
}

/// The loss of one machine that leaves too little, and how many others do too.
fn one_down(spec: &Spec, pieces: &[Piece<'_>], rooms: &[Room<'_>]) -> Option<Problem> {
    let mut known: Vec<(&Room<'_>, Fit<'_>)> = Vec::new();
    let mut bad = Vec::new();
    for (at, room) in rooms.iter().enumerate() {
        let same =
            known.iter().find(|(other, _)| are_alike(spec, room, other)).map(|(_, fit)| *fit);
        let fit = same.unwrap_or_else(|| {
            let rest: Vec<Room<'_>> = rooms
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .map(|(_, room)| *room)
                .collect();
            pack(pieces, &rest)
        });
        known.push((room, fit));
        if !matches!(fit, Fit::Yes) {
            bad.push((room, fit));
        }
    }
    let never = bad.iter().find(|(_, fit)| matches!(fit, Fit::Never(_)));
    let Some((room, fit)) = never.or(bad.first()) else { return over_limits(spec, rooms) };
    let others = match bad.len() {
        1 => String::new(),
        more => format!(" or any of {}", count(more as u64 - 1, "other")),
    };
    let when = format!("with {}{others} down, ", room.machine.name);
    match fit {
        Fit::Never(lack) => {
            Some(impossible(spec, &when, *lack, rooms.len().saturating_sub(1)).warn())
        }
        Fit::Unproven(project) => Some(unproven(&when, project)),
        Fit::Yes => None,
    }
}

/// Whether the loss of one is the loss of the other to every project.
fn are_alike(spec: &Spec, one: &Room<'_>, other: &Room<'_>) -> bool {
    let is_pinned = |room: &Room<'_>| {
        let mut pins = spec.projects.iter().flat_map(|project| &project.agents);
        pins.any(|name| name.value == room.machine.name.value)
    };
    one.size == other.size && one.open == other.open && !is_pinned(one) && !is_pinned(other)
}

/// Limits may be used all at once, when nobody looks: at night, in one upgrade.
fn over_limits(spec: &Spec, rooms: &[Room<'_>]) -> Option<Problem> {
    let all: Amount = rooms.iter().map(|room| room.size).sum();
    let limits = limits(spec);
    let largest = |measure| rooms.iter().max_by_key(|room| room.size.of(measure));
    [Measure::Memory, Measure::Cpu].into_iter().find_map(|measure| {
        let room = largest(measure)?;
        let (there, limit) = (all.minus(room.size).of(measure), limits.of(measure));
        (limit > there).then(|| {
            let (limit, there) = (measure.words(limit), measure.words(there));
            let name = &room.machine.name;
            let message =
                format!("with {name} down, limits add up to {limit}, and there are {there}");
            Problem::at(&spec.groups.agents.place, message, HELP).warn()
        })
    })
}

fn unproven(when: &str, project: &Project) -> Problem {
    let message = format!("{when}{} is not proven to fit", project.name);
    let help = format!("{HELP}; or check by hand that the machines can take all projects");
    Problem::at(&project.place, message, help).warn()
}

fn impossible(spec: &Spec, when: &str, lack: Lack<'_>, machines: usize) -> Problem {
    let (message, place): (String, &Place) = match lack {
        Lack::Total(measure, needed, there) => {
            let (needed, there) = (measure.words(needed), measure.words(there));
            let machines = count(machines as u64, "machine");
            let message =
                format!("{needed} are needed, and there is room for {there} on {machines}");
            (message, &spec.groups.agents.place)
        }
        Lack::Single(project, measure, needed, most) => {
            let (needed, most) = (measure.words(needed), measure.words(most));
            let name = &project.name;
            (
                format!("{name} needs {needed} on one machine, and none has more than {most}"),
                &project.place,
            )
        }
        Lack::Nowhere(project) => {
            (format!("no machine is left that may run {}", project.name), &project.place)
        }
    };
    Problem::at(place, format!("{when}{message}"), HELP)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use crate::diag::Level;
    use crate::rules::testing::{findings, nothing, spec};

    fn check(edits: &[(&str, &str)], expected: Option<(Level, &str)>) {
        let found = findings(&spec(edits), &nothing());
        let found: Vec<_> = found
            .iter()
            .filter(|found| found.rule == "capacity")
            .map(|found| (found.level, found.message.as_str()))
            .collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    fn check_default(line: &str, expected: Option<(Level, &str)>) {
        check(&[("[projects.defaults]", &format!("[projects.defaults]\n{line}"))], expected);
    }

    #[test]
    fn volumes_take_slots_of_controllers() {
        let one = ("[agents]", "[agents]\nscsi_controllers = 1");
        check(&[one], None);
        check(
            &[one, ("count = 4", "count = 10")],
            Some((
                Level::Warn,
                "with agent-1 or any of 2 others down, 30 volumes are needed, and there is room for 28 volumes on 2 machines",
            )),
        );
        check(
            &[one, ("nodes = 3", "nodes = 8"), ("count = 4", "count = 3")],
            Some((
                Level::Warn,
                "with agent-1 or any of 2 others down, county-3 is not proven to fit",
            )),
        );
        let dense = ("[storage]", "[csi]\nhigh_density = true\n[storage]");
        let pods = ("[k3s]", "[k3s]\nkubelet_args = [\"max-pods=200\"]");
        check(&[dense, pods, ("count = 4", "count = 40")], None);
    }

    #[test]
    fn every_machine_takes_so_many_pods() {
        let few = "[k3s]\nkubelet_args = [\"max-pods=15\"]";
        check(
            &[("[k3s]", few)],
            Some((
                Level::Warn,
                "with agent-1 or any of 2 others down, 28 pods are needed, and there is room for 26 pods on 2 machines",
            )),
        );
    }

    #[test]
    fn requests_fit_on_single_machines() {
        check_default(
            "resources = { couchdb = { memory = \"12GiB\" } }",
            Some((
                Level::Deny,
                "county-1 needs 36 GiB of memory on one machine, and none has more than 32 GiB of memory",
            )),
        );
        check_default(
            "resources = { api = { cpu = \"5\" } }",
            Some((Level::Warn, "county-4 is not proven to fit")),
        );
    }

    #[test]
    fn limits_fit_with_one_machine_down() {
        check_default(
            "resources = { api = { cpu = \"5\", cpu_request = \"1\" } }",
            Some((
                Level::Warn,
                "with agent-3 down, limits add up to 20 CPUs, and there are 16 CPUs",
            )),
        );
    }

    #[test]
    fn a_pinned_project_needs_another_machine_too() {
        check_default(
            "agents = [\"agent-2\"]",
            Some((Level::Warn, "with agent-2 down, no machine is left that may run county-1")),
        );
    }

    #[test]
    fn tainted_machines_run_only_what_is_pinned_to_them() {
        let taint = ("[agents]", "[agents]\ntaints = [\"dedicated=large:NoSchedule\"]");
        check(&[taint], Some((Level::Deny, "no machine is left that may run county-1")));
    }
}
