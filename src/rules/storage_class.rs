//! `storage-class`: a claim keeps its class for good, so a project whose class changes in the spec
//! would wait for ever, or be refused object by object.

use super::projects::{COPY, alike, claims};
use super::words::names;
use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::deny("storage-class", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let claims = claims(facts);
    let changed = facts.spec.projects.iter().filter_map(|project| {
        let stand = claims.get(project.name.as_str())?;
        let wanted = &project.couchdb.storage_class;
        let classes = stand.iter().map(|claim| claim.class.as_deref().unwrap_or_default());
        let other = classes.into_iter().find(|class| *class != wanted.value)?;
        Some(((&wanted.place, other, wanted.as_str()), project))
    });
    for ((place, have, wanted), projects) in alike(changed) {
        let projects = names(&projects);
        let message = format!(
            "volumes of {projects} are of class \"{have}\", and the spec asks for {wanted}"
        );
        let help = format!(
            "write `couchdb.storage_class` = \"{have}\" for what stands; to change it, {COPY}"
        );
        report.push(Problem::at(place, message, help));
    }
}
