//! The rule: all machines up, then each one down.

use std::collections::BTreeSet;

use super::amount::{Amount, Measure};
use super::load::{Piece, Wishes, is_partly_unknown, limits, pieces};
use super::pack::{Fit, Short, pack};
use super::room::{Room, rooms};
use super::space;
use crate::rules::words::{count, names};
use crate::rules::{Facts, Problem, Rule};
use crate::spec::{Placement, Project, Spec};

/// What cannot be at all is denied; what has no room with one machine down is a warning.
pub const RULE: Rule = Rule::deny("capacity", check);

const HELP: &str = "add agents, give them more (`cpus`, `memory`, `scsi_controllers` up to 4), or \
                    lower what projects take";
const PINS: &str = "add machines without taints to `agents` of the project, or leave the key out";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    report.extend(space::check(facts));
    let load =
        Loads { granted: pieces(facts, Wishes::Granted), dropped: pieces(facts, Wishes::Dropped) };
    let rooms = rooms(facts);
    let lost = load.homeless(&rooms);
    if let Some(project) = lost.first() {
        report.push(nowhere("", project, lost.len()));
    }
    match load.fit(&rooms, &lost) {
        Loss::None => report.extend(one_down(facts, &load, &rooms, &lost)),
        loss => report.extend(problem(facts, "", &loss)),
    }
}

/// All pieces, with and without the wishes of the spec.
struct Loads<'a> {
    granted: Vec<Piece<'a>>,
    dropped: Vec<Piece<'a>>,
}

/// What goes wrong on some machines.
#[derive(Clone, Copy)]
enum Loss<'a> {
    /// Nothing.
    None,
    /// All have a place, and `placement` is not as the spec wishes for this project.
    Wish(&'a Project),
    /// Nobody found a place for all.
    Unproven(Short<'a>),
    /// There is no place for all.
    Certain(Short<'a>),
}

impl<'a> Loads<'a> {
    /// Projects with pods that no machine may run.
    fn homeless(&self, rooms: &[Room<'_>]) -> Vec<&'a Project> {
        let mut lost: Vec<&Project> = Vec::new();
        for piece in &self.dropped {
            let known = lost.last().is_some_and(|last| last.number == piece.project.number);
            if !known && !rooms.iter().any(|room| piece.may_run_on(room)) {
                lost.push(piece.project);
            }
        }
        lost
    }

    fn fit(&self, rooms: &[Room<'_>], lost: &[&Project]) -> Loss<'a> {
        let granted = pack(&without(&self.granted, lost), rooms);
        let (Fit::Never(wish) | Fit::Unproven(wish)) = granted else { return Loss::None };
        match pack(&without(&self.dropped, lost), rooms) {
            Fit::Yes => Loss::Wish(wish.project),
            Fit::Unproven(short) => Loss::Unproven(short),
            Fit::Never(short) => Loss::Certain(short),
        }
    }
}

fn without<'a>(pieces: &[Piece<'a>], lost: &[&Project]) -> Vec<Piece<'a>> {
    let lost: BTreeSet<u32> = lost.iter().map(|project| project.number).collect();
    pieces.iter().filter(|piece| !lost.contains(&piece.project.number)).copied().collect()
}

/// What the loss of one machine does.
struct Down<'a> {
    room: Room<'a>,
    homeless: Vec<&'a Project>,
    loss: Loss<'a>,
}

/// One problem for projects that are tied to a machine, and one for the machine whose loss leaves
/// too little.
fn one_down<'a>(
    facts: &Facts<'a>,
    load: &Loads<'a>,
    rooms: &[Room<'a>],
    never: &[&'a Project],
) -> Vec<Problem> {
    let downs = downs(facts.spec, load, rooms);
    let mut found: Vec<Problem> = tied(&downs, never).into_iter().collect();
    let of = |wanted: fn(&Loss<'_>) -> bool| {
        let bad: Vec<&Down<'_>> = downs.iter().filter(|down| wanted(&down.loss)).collect();
        let first = bad.first()?;
        problem(facts, &when(&first.room, bad.len()), &first.loss).map(Problem::warn)
    };
    found.extend(
        of(|loss| matches!(loss, Loss::Certain(_)))
            .or_else(|| of(|loss| matches!(loss, Loss::Unproven(_))))
            .or_else(|| of(|loss| matches!(loss, Loss::Wish(_)))),
    );
    match found.is_empty() {
        true => over_limits(facts, rooms).into_iter().collect(),
        false => found,
    }
}

/// Projects that stop with a machine since no other may run them.
fn tied(downs: &[Down<'_>], never: &[&Project]) -> Option<Problem> {
    let known = |project: &&Project| never.iter().any(|other| other.number == project.number);
    let tied: Vec<(&Down<'_>, Vec<&Project>)> = downs
        .iter()
        .map(|down| (down, down.homeless.iter().filter(|one| !known(one)).copied().collect()))
        .filter(|(_, projects): &(_, Vec<&Project>)| !projects.is_empty())
        .collect();
    let all: BTreeSet<u32> =
        tied.iter().flat_map(|(_, projects)| projects).map(|project| project.number).collect();
    let (down, projects) = tied.first()?;
    let project = projects.first()?;
    Some(nowhere(&when(&down.room, tied.len()), project, all.len()).warn())
}

fn downs<'a>(spec: &Spec, load: &Loads<'a>, rooms: &[Room<'a>]) -> Vec<Down<'a>> {
    let mut downs: Vec<Down<'a>> = Vec::new();
    for (at, room) in rooms.iter().enumerate() {
        let same = downs.iter().find(|down| are_alike(spec, room, &down.room));
        let known = same.map(|down| (down.homeless.clone(), down.loss));
        let (homeless, loss) = known.unwrap_or_else(|| {
            let others = rooms.iter().enumerate().filter(|(other, _)| *other != at);
            let rest: Vec<Room<'_>> = others.map(|(_, room)| *room).collect();
            let lost = load.homeless(&rest);
            let loss = load.fit(&rest, &lost);
            (lost, loss)
        });
        downs.push(Down { room: *room, homeless, loss });
    }
    downs
}

/// `with agent-1 or any of 8 others down, `
fn when(room: &Room<'_>, machines: usize) -> String {
    let others = match machines {
        ..=1 => String::new(),
        more => format!(" or any of {}", count(more as u64 - 1, "other")),
    };
    format!("with {}{others} down, ", room.machine.name)
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
fn over_limits(facts: &Facts<'_>, rooms: &[Room<'_>]) -> Option<Problem> {
    let all: Amount = rooms.iter().map(|room| room.size).sum();
    let limits = limits(facts);
    let largest = |measure| rooms.iter().max_by_key(|room| room.size.of(measure));
    [Measure::Memory, Measure::Cpu].into_iter().find_map(|measure| {
        let room = largest(measure)?;
        let (there, limit) = (all.minus(room.size).of(measure), limits.of(measure));
        (limit > there).then(|| {
            let (limit, there) = (measure.words(limit), measure.words(there));
            let name = &room.machine.name;
            let message =
                format!("with {name} down, limits add up to {limit}, and there are {there}");
            Problem::at(&facts.spec.groups.agents.place, message, HELP).warn()
        })
    })
}

fn nowhere(when: &str, project: &Project, projects: usize) -> Problem {
    let others = match projects {
        ..=1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    let message = format!("{when}no machine is left that may run {}{others}", project.name);
    let place = project.agents.first().map_or(&project.place, |agent| &agent.place);
    let help = match project.agents.is_empty() {
        true => "take the taints off some agents, or name those agents in `agents` of the projects",
        false => PINS,
    };
    Problem::at(place, message, help)
}

/// What to say of a loss. `None` where there is none.
fn problem(facts: &Facts<'_>, when: &str, loss: &Loss<'_>) -> Option<Problem> {
    let unknown = unknown(facts);
    let by_hand = format!("{HELP}; or check by hand that the machines can take all projects");
    Some(match loss {
        Loss::None => return None,
        Loss::Certain(short) => {
            let (name, missing) = (&short.project.name, missing(short));
            let message = format!("{when}{name} does not fit ({missing}){unknown}");
            Problem::at(&short.project.place, message, HELP)
        }
        Loss::Unproven(short) => {
            let (name, missing) = (&short.project.name, missing(short));
            let message =
                format!("{when}{name} is not proven to fit ({missing} where last tried){unknown}");
            Problem::at(&short.project.place, message, by_hand).warn()
        }
        Loss::Wish(project) => {
            let wish = match project.placement.value {
                Placement::Together => "together on one machine",
                Placement::Spread => "each on a machine of its own",
            };
            let name = &project.name;
            let message = format!(
                "{when}all pods fit, but no placement was found with CouchDB of {name} {wish}{unknown}"
            );
            Problem::at(&project.placement.place, message, by_hand).warn()
        }
    })
}

fn missing(short: &Short<'_>) -> String {
    match short.lack {
        Some((measure, amount)) => measure.short(amount),
        None => "no machine is left without a CouchDB node of it".into(),
    }
}

/// What was not counted, in words. Empty where everything was.
fn unknown(facts: &Facts<'_>) -> String {
    let unknown = facts.spec.projects.iter().filter(|one| is_partly_unknown(facts, one));
    let unknown: Vec<&str> = unknown.map(|project| project.name.as_str()).collect();
    match unknown.is_empty() {
        true => String::new(),
        false => format!(
            "; not all CPU and memory of {} is known: `resources` does not say it",
            names(&unknown)
        ),
    }
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
            .map(|found| (found.level, found.message.split(';').next().unwrap()))
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
                "with agent-1 or any of 2 others down, county-10 does not fit (volume slots, 2 short)",
            )),
        );
        check(
            &[one, ("nodes = 3", "nodes = 8"), ("count = 4", "count = 3")],
            Some((
                Level::Warn,
                "with agent-1 or any of 2 others down, all pods fit, but no placement was found with CouchDB of county-3 together on one machine",
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
                "with agent-1 or any of 2 others down, county-4 does not fit (pods, 2 short)",
            )),
        );
    }

    #[test]
    fn requests_fit_on_single_machines() {
        let large = "[projects.defaults]\nresources = { couchdb = { memory = \"12GiB\" } }";
        let large = ("[projects.defaults]", large);
        check(&[large], Some((Level::Deny, "county-3 does not fit (memory, 48 GiB short)")));
        check(
            &[large, ("count = 4", "count = 1")],
            Some((
                Level::Warn,
                "all pods fit, but no placement was found with CouchDB of county-1 together on one machine",
            )),
        );
        check_default(
            "resources = { api = { cpu = \"5\" } }",
            Some((Level::Deny, "county-4 does not fit (CPU, 2 short)")),
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
    fn nodes_that_are_spread_need_machines_of_their_own() {
        let spread = ("nodes = 3 }", "nodes = 3 }\nplacement = \"spread\"");
        check(&[spread], None);
        // Of 28 slots in two controllers two nodes of one project may share none.
        let few = ("[agents]", "[agents]\nscsi_controllers = 1");
        check(
            &[spread, few, ("count = 4", "count = 14")],
            Some((
                Level::Warn,
                "with agent-1 or any of 2 others down, county-10 does not fit (volume slots, 14 short)",
            )),
        );
        check(
            &[spread, few, ("count = 4", "count = 15")],
            Some((Level::Deny, "county-15 does not fit (volume slots, 3 short)")),
        );
    }

    #[test]
    fn what_is_not_known_is_said() {
        let message = |edits: &[(&str, &str)]| {
            let found = findings(&spec(edits), &nothing());
            found.iter().find(|found| found.rule == "capacity").unwrap().message.clone()
        };
        let tail = "; not all CPU and memory of county-1 and 69 more is known: `resources` does not say it";
        assert!(message(&[("count = 4", "count = 70")]).ends_with(tail));
        let some = "resources = { api = { cpu = \"9\", memory = \"1GiB\" } }";
        let edit = format!("[projects.defaults]\n{some}");
        assert!(message(&[("[projects.defaults]", &edit)]).ends_with("does not say it"));
        let parts = ["api", "sentinel", "haproxy", "healthcheck", "couchdb", "nouveau"];
        let all = parts.map(|part| format!("{part} = {{ cpu = \"5\", memory = \"1GiB\" }}"));
        let edit = format!("[projects.defaults]\nresources = {{ {} }}", all.join(", "));
        assert_eq!(
            message(&[("[projects.defaults]", &edit)]),
            "county-1 does not fit (CPU, 2 short)"
        );
    }

    #[test]
    fn a_pinned_project_needs_another_machine_too() {
        check_default(
            "agents = [\"agent-2\"]",
            Some((
                Level::Warn,
                "with agent-2 down, no machine is left that may run county-1 and 3 more",
            )),
        );
    }

    #[test]
    fn tainted_machines_run_only_what_is_pinned_to_them() {
        let taint = ("[agents]", "[agents]\ntaints = [\"dedicated=large:NoSchedule\"]");
        check(&[taint], Some((Level::Deny, "no machine is left that may run county-1 and 3 more")));
    }
}
