//! `storage-shrunk`: no volume can be made smaller (Kubernetes refuses it), so the plan of such a
//! project would be refused claim by claim.

use super::projects::{COPY, alike, claims};
use super::words::names;
use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::deny("storage-shrunk", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let claims = claims(facts);
    let shrunk = facts.spec.projects.iter().filter_map(|project| {
        let stand = claims.get(project.name.as_str())?;
        let wanted = &project.couchdb.storage_mib;
        let largest = stand.iter().filter_map(|claim| claim.mib).max()?;
        (largest > wanted.value).then_some(((&wanted.place, largest, wanted.value), project))
    });
    for ((place, have, wanted), projects) in alike(shrunk) {
        let (have, wanted) = (size(have), size(wanted));
        let projects = names(&projects);
        let message =
            format!("volumes of {projects} have {have} each, and the spec asks for {wanted}");
        let help = format!("set `couchdb.storage` to \"{have}\" or more; to go below, {COPY}");
        report.push(Problem::at(place, message, help));
    }
}

/// As in a spec.
fn size(mib: u64) -> String {
    match mib.is_multiple_of(1024) {
        true => format!("{}GiB", mib / 1024),
        false => format!("{mib}MiB"),
    }
}
