//! `reclaim-policy`: with Delete, whoever deletes a claim or a project's namespace deletes a
//! county's data at once. The guide's class does not say, and Delete is the default.

use super::words::names;
use super::{Facts, Problem, Rule, cluster};
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
    report.extend(volumes(facts));
    let snapshots = &facts.spec.snapshots;
    if snapshots.enabled.value && snapshots.deletion.value == DeletionPolicy::Delete {
        let message = "a snapshot is deleted with its object in the cluster";
        let help = "set `deletion` in [snapshots] to \"Retain\"";
        report.push(Problem::at(&snapshots.deletion.place, message, help).warn());
    }
}

/// Volumes of projects that stand with Delete, and that this plan leaves so.
fn volumes(facts: &Facts<'_>) -> Option<Problem> {
    let projects = &facts.spec.projects;
    let volumes: Vec<_> = cluster::live(facts, "PersistentVolume")
        .filter(|(address, volume)| {
            let namespace = volume["spec"]["claimRef"]["namespace"].as_str();
            let owned = projects.iter().any(|one| Some(one.namespace.value.as_str()) == namespace);
            let policy = &volume["spec"]["persistentVolumeReclaimPolicy"];
            owned && policy == "Delete" && !cluster::is_changed(facts, address)
        })
        .collect();
    let first = volumes.first().map(|(address, _)| (*address).clone())?;
    let all: Vec<&str> = volumes.iter().map(|(address, _)| address.name()).collect();
    let message = format!("volumes of projects are deleted with their claims: {}", names(&all));
    let help = "apply without --target and --exclude: it sets Retain on each volume of a project \
                before anything else of the project changes";
    let place = &facts.spec.storage.reclaim.place;
    Some(Problem::at(place, message, help).warn().about(&first))
}
