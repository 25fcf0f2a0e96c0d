//! `county-names`: a county's users know its host, and its data is in its namespace. Where either
//! moves by an edit of a name, users meet an empty CHT while their data lies somewhere else. Equal
//! hosts and namespaces and invalid labels are errors of the spec already.

use std::collections::BTreeMap;

use super::projects::{CLAIM, alike};
use super::words::names;
use super::{Facts, Problem, Rule};
use crate::spec::{Project, Spec};
use crate::state::Record;

/// See the file's head.
pub const RULE: Rule = Rule::deny("county-names", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    report.extend(moved(facts));
    report.extend(renamed(facts));
    report.extend(outside(facts.spec));
}

fn records<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a str, &'a Record)> {
    let records = facts.prior.into_iter().flat_map(|prior| &prior.resources);
    records.filter_map(|(address, record)| Some((address.project()?, record)))
}

/// Projects whose volumes are in another namespace than the spec's.
fn moved(facts: &Facts<'_>) -> Vec<Problem> {
    let mut homes: BTreeMap<&str, String> = BTreeMap::new();
    for (project, record) in records(facts).filter(|(_, record)| record.kind.name == CLAIM) {
        let namespace = record.place.tree()["namespace"].as_str().map(str::to_owned);
        homes.extend(namespace.map(|namespace| (project, namespace)));
    }
    let moved = facts.spec.projects.iter().filter_map(|project| {
        let home = homes.get(project.name.as_str())?;
        (*home != project.namespace.value).then_some((project, home))
    });
    let groups = alike(moved.clone().map(|(project, _)| (&project.namespace.place, project)));
    let problem = |(place, projects): (_, Vec<&str>)| {
        let name = *projects.first()?;
        let (first, home) = moved.clone().find(|(project, _)| project.name.value == name)?;
        let message = format!(
            "the data of {} stays where it is, and the spec moves {} from namespace {home} to {}",
            names(&projects),
            first.name,
            first.namespace
        );
        let help = format!(
            "take back the edit of `namespace_prefix`, or set `namespace` to \"{home}\" in \
             [projects.overrides.{}]: volumes cannot change their namespace",
            first.name
        );
        Some(Problem::at(place, message, help))
    };
    groups.into_iter().filter_map(problem).collect()
}

/// New projects that take the host of one that the spec no longer has.
fn renamed(facts: &Facts<'_>) -> Vec<Problem> {
    let projects = &facts.spec.projects;
    let stands = |name: &str| projects.iter().any(|project| project.name.value == name);
    let mut hosts: BTreeMap<String, &str> = BTreeMap::new();
    let mut recorded: Vec<&str> = Vec::new();
    for (project, record) in records(facts) {
        recorded.push(project);
        if record.kind.name == "kubernetes/Ingress" && !stands(project) {
            let tree = record.attributes.tree();
            let rules = tree["spec"]["rules"].as_array().into_iter().flatten();
            let named = rules.filter_map(|rule| Some((rule["host"].as_str()?.to_owned(), project)));
            hosts.extend(named);
        }
    }
    let taken = projects.iter().filter_map(|project| {
        let old = hosts.get(&project.host.value)?;
        let new = !recorded.contains(&project.name.as_str());
        new.then(|| renaming(project, old))
    });
    taken.collect()
}

fn renaming(project: &Project, old: &str) -> Problem {
    let (name, host) = (&project.name, &project.host);
    let message = format!(
        "{name} is new and empty, and takes the host {host} of {old}, whose data stays behind"
    );
    let help = format!(
        "a project keeps its name: call it {old} again, and give it another `host` where that is \
         what should change"
    );
    Problem::at(&project.host.place, message, help)
}

/// Hosts that a wildcard record and certificate of the domain do not cover.
fn outside(spec: &Spec) -> Vec<Problem> {
    let domain = spec.projects.iter().find_map(|project| {
        project.host.value.strip_prefix(project.name.as_str())?.strip_prefix('.')
    });
    let Some(domain) = domain else { return Vec::new() };
    let outside = |project: &&Project| {
        let label = project.host.value.strip_suffix(domain).and_then(|left| left.strip_suffix('.'));
        label.is_none_or(|label| label.contains('.'))
    };
    let hosts = spec.projects.iter().filter(outside).map(|project| {
        let message = format!("the host {} of {} is not in {domain}", project.host, project.name);
        let help =
            "see that its name and certificate are there: those of the domain do not cover it";
        Problem::at(&project.host.place, message, help).allow()
    });
    hosts.collect()
}
