//! `no-lock`: what a spec leaves open is filled by the boma that runs. Without a lock two people
//! with two versions of boma apply two different sets of releases from one spec.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("no-lock", check);

/// How many keys a message names.
const NAMED: usize = 3;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let Some(standing) = facts.lock else { return };
    let open = standing.unpinned();
    if open.is_empty() {
        return;
    }
    let mut named = open.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if open.len() > NAMED {
        named += &format!(" and {} more", open.len() - NAMED);
    }
    let message = format!("no lock pins what the spec leaves open: {named}");
    let help = "run `boma lock` on the spec and commit boma.lock; the first apply does it too";
    report.push(Problem::new(message, help));
}
