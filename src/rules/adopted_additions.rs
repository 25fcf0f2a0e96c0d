//! `adopted-additions`: taking over a project that runs restarts none of its pods, unless the spec
//! asks for what its chart did not have. One restart of CouchDB stops a county, so each such wish
//! is named before it is granted.

use std::collections::{BTreeMap, BTreeSet};

use super::projects::alike;
use super::words::names;
use super::{Facts, Problem, Rule};
use crate::diag::Place;
use crate::plan::{Action, Change, Difference, Impact};
use crate::spec::Project;

/// See the file's head.
pub const RULE: Rule = Rule::warn("adopted-additions", check).of_plan();

/// What restarts pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    Probes,
    Resources,
    /// A field that is not as the chart made it.
    Other(String),
}

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let mut wishes: BTreeMap<(&str, Wish), BTreeSet<&str>> = BTreeMap::new();
    let changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    for change in changes.filter(|change| takes_over(change)) {
        let Some(project) = change.address.project() else { continue };
        for one in change.attributes.iter().filter(|one| one.impact >= Impact::Restart) {
            let restarted = wishes.entry((project, wish(one))).or_default();
            restarted.insert(change.address.name());
        }
    }
    let adopted = || facts.spec.projects.iter().filter(|project| project.adopted);
    let named = |name: &str| adopted().find(|project| project.name.value == name);
    let restarts = wishes.into_iter().filter_map(|((project, wish), restarted)| {
        let project = named(project)?;
        Some(((place(project, &wish), wish, restarted), project))
    });
    for ((place, wish, restarted), projects) in alike(restarts) {
        let restarted: Vec<&str> = restarted.into_iter().collect();
        let (what, help) = words(&wish);
        let message = format!(
            "{what} restart {} of {}, which stand and are taken over",
            names(&restarted),
            names(&projects)
        );
        report.push(Problem::at(place, message, help));
    }
}

/// Whether a change is of an object that boma did not make.
fn takes_over(change: &Change) -> bool {
    let stands = matches!(change.action, Action::Adopt | Action::Update);
    stands && change.attributes.iter().any(|one| one.impact >= Impact::Restart)
}

fn wish(difference: &Difference) -> Wish {
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    let parts: Vec<&str> = difference.path.split('.').collect();
    if parts.iter().any(|part| probes.contains(part)) {
        return Wish::Probes;
    }
    match parts.contains(&"resources") {
        true => Wish::Resources,
        false => Wish::Other(parts.last().copied().unwrap_or_default().to_owned()),
    }
}

/// The line that asks for it.
fn place<'a>(project: &'a Project, wish: &Wish) -> &'a Place {
    let resources = || {
        project.resources.values().find_map(|one| {
            let cpu = one.cpu.as_ref().or(one.cpu_request.as_ref()).map(|set| &set.place);
            cpu.or(one
                .memory_mib
                .as_ref()
                .or(one.memory_request_mib.as_ref())
                .map(|set| &set.place))
        })
    };
    let written = match wish {
        Wish::Probes => project.probes.as_ref().map(|set| &set.place),
        Wish::Resources => resources(),
        Wish::Other(_) => None,
    };
    written.unwrap_or(&project.place)
}

fn words(wish: &Wish) -> (String, &'static str) {
    match wish {
        Wish::Probes => {
            ("`probes`".into(), "leave `probes` out of adopted projects, or apply at a quiet hour")
        }
        Wish::Resources => (
            "`resources`".into(),
            "leave `resources` out of adopted projects, or apply at a quiet hour",
        ),
        Wish::Other(field) => (
            format!("differences of `{field}`"),
            "make the spec say what runs, or apply at a quiet hour",
        ),
    }
}
