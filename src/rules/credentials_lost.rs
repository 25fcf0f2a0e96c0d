//! `credentials-lost`: CouchDB writes administrator, cookie secret and UUID into its volume once
//! (medic/cht-core, `couchdb/docker-entrypoint.sh`). A Secret that is made up anew beside volumes
//! that stand opens none of them, and the old one is known to nobody.

use std::collections::BTreeSet;

use super::projects::{CLAIM, alike, claims};
use super::words::names;
use super::{Facts, Problem, Rule};
use crate::plan::Action;
use crate::spec::Project;

/// See the file's head.
pub const RULE: Rule = Rule::deny("credentials-lost", check).of_plan();

const CREDENTIALS: &str = "kubernetes/Credentials";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    let made: BTreeSet<&str> = changes
        .filter(|change| change.kind.name == CREDENTIALS)
        .filter(|change| matches!(change.action, Action::Create | Action::Replace))
        .filter_map(|change| change.address.project())
        .collect();
    if made.is_empty() {
        return;
    }
    let filled = filled(facts);
    let lost = facts.spec.projects.iter().filter(|project| {
        let name = project.name.as_str();
        made.contains(name) && filled.contains(name) && generates(project)
    });
    for (place, projects) in alike(lost.map(|project| (&project.credentials.user.place, project))) {
        let projects = names(&projects);
        let message = format!(
            "the credentials of {projects} would be made up anew, and its volumes know others"
        );
        let help = "restore the Secret `cht-couchdb-credentials` in its namespace, or write \
                    `credentials` of the project (user, password, secret, uuid) from what `boma \
                    secrets export` wrote";
        report.push(Problem::at(place, message, help));
    }
}

/// Projects with volumes that stand, or that are recorded.
fn filled<'a>(facts: &Facts<'a>) -> BTreeSet<&'a str> {
    let records = facts.prior.into_iter().flat_map(|prior| &prior.resources);
    let recorded = records
        .filter(|(_, record)| record.kind.name == CLAIM)
        .filter_map(|(address, _)| address.project());
    claims(facts).into_keys().chain(recorded).collect()
}

fn generates(project: &Project) -> bool {
    let given = &project.credentials;
    given.password.is_none() || given.secret.is_none() || given.uuid.is_none()
}
