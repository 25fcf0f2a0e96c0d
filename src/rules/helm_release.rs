//! `helm-release`: a project that helm made stays a release of helm's: the next `helm upgrade`
//! would undo what boma did, and `helm uninstall` would delete the claims of its volumes, which the
//! charts do not keep (medic/cht-core, `scripts/build/helm`).

use std::collections::BTreeSet;

use super::words::names;
use super::{Facts, Problem, Rule, cluster};
use crate::spec::Project;

/// See the file's head.
pub const RULE: Rule = Rule::warn("helm-release", check).of_plan();

/// Before the release in a Secret's name; after it comes `.v` and a number.
const PREFIX: &str = "sh.helm.release.v1.";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let secrets = cluster::live(facts, "helm").map(|(address, _)| address);
    let releases: BTreeSet<(&str, &str)> = secrets
        .filter_map(|address| {
            let release = address.name().strip_prefix(PREFIX)?.rsplit_once(".v")?.0;
            Some((address.project()?, release))
        })
        .collect();
    let held = |project: &&Project| releases.iter().any(|(name, _)| project.name.value == *name);
    let held: Vec<&Project> = facts.spec.projects.iter().filter(held).collect();
    let Some(first) = held.first() else { return };
    let of_first = releases.iter().find(|(name, _)| first.name.value == *name);
    let release = of_first.map_or("", |(_, release)| *release);
    let projects: Vec<&str> = held.iter().map(|project| project.name.as_str()).collect();
    let message = format!(
        "helm still holds {}: `helm upgrade` would undo what boma does, and `helm uninstall` would \
         delete the claims of the volumes",
        names(&projects)
    );
    let help = format!(
        "as the last step of taking a project over, when nobody deploys it with helm any more, \
         delete helm's record of it and nothing else: kubectl -n {} delete secret -l \
         owner=helm,name={release}",
        first.namespace
    );
    report.push(Problem::at(&first.place, message, help));
}
