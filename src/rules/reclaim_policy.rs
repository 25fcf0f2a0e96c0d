//! `reclaim-policy`: with Delete, whoever deletes a claim or a project's namespace deletes a
//! county's data at once. The guide's class does not say, and Delete is the default.

use super::{Facts, Problem, Rule};
use crate::spec::DeletionPolicy;

/// See the file's head.
pub const RULE: Rule = Rule::deny("reclaim-policy", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let reclaim = &facts.spec.storage.reclaim;
    if reclaim.value == DeletionPolicy::Delete {
        let message = "a volume is deleted with its claim";
        let help = "set `reclaim` in [storage] to \"Retain\"";
        report.push(Problem::at(&reclaim.place, message, help));
    }
    let snapshots = &facts.spec.snapshots;
    if snapshots.enabled.value && snapshots.deletion.value == DeletionPolicy::Delete {
        let message = "a snapshot is deleted with its object in the cluster";
        let help = "set `deletion` in [snapshots] to \"Retain\"";
        report.push(Problem::at(&snapshots.deletion.place, message, help).warn());
    }
}
