//! `couchdb-spread`: CHT keeps one copy of each shard (`n=1` in its CouchDB configuration), so the
//! loss of any one pod stops the project. Spread over machines, a project stops with any of them.

use super::words::{by_place, names};
use super::{Facts, Problem, Rule};
use crate::spec::{Placement, Project};

/// See the file's head.
pub const RULE: Rule = Rule::warn("couchdb-spread", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let spread = |project: &&Project| {
        project.placement.value == Placement::Spread && project.couchdb.nodes.value > 1
    };
    let projects = facts.spec.projects.iter().filter(spread);
    for (place, projects) in
        by_place(projects.map(|project| (&project.placement.place, &project.name)))
    {
        let message = format!("any of several machines stops {} by its loss", names(&projects));
        let help = "set `placement` to \"together\", unless one machine cannot carry the load";
        report.push(Problem::at(place, message, help));
    }
}
