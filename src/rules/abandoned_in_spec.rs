//! `abandoned-in-spec`: data that is given up while the spec goes on asking for its project. The
//! next apply makes the project anew, empty, and nobody who reads that plan sees that it ever had
//! users: the one moment at which it can be told is the end of its data.

use std::collections::BTreeSet;

use super::projects::alike;
use super::words::names;
use super::{Facts, Problem, Rule};
use crate::plan::Reason;

/// See the file's head.
pub const RULE: Rule = Rule::warn("abandoned-in-spec", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    let abandoned: BTreeSet<&str> = changes
        .filter(|change| change.reasons.contains(&Reason::Abandoned))
        .filter_map(|change| change.address.project())
        .collect();
    let wanted = facts.spec.projects.iter();
    let wanted = wanted.filter(|project| abandoned.contains(project.name.as_str()));
    for (place, projects) in alike(wanted.map(|project| (&project.place, project))) {
        let (are, them) = if projects.len() == 1 { ("is", "it") } else { ("are", "them") };
        let message = format!(
            "{} {are} still in the spec: the next apply makes {them} anew, with empty volumes",
            names(&projects)
        );
        let help = "to be rid of a project, take it out of the spec before the next apply (one of a \
                    `count` is left out by naming the others in `names`); to begin again with empty \
                    volumes, go on";
        report.push(Problem::at(place, message, help));
    }
}
