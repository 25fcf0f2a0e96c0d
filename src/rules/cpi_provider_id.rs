//! `cpi-provider-id`: from v1.35 on CPI looks a node up by the UUID in its provider id alone
//! (cloud-provider-vsphere, `instances_v2.go`); releases before fall back to the node's name. A
//! node with a wrong id that worked until then never loses the taint `uninitialized` again, and is
//! deleted once it is away.

use super::words::names;
use super::{Facts, Problem, Rule, Version, cluster, wrong_provider_id};
use crate::plan::{Action, Change};
use crate::spec::releases::finds_by_uuid_only;

/// See the file's head.
pub const RULE: Rule = Rule::deny("cpi-provider-id", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let version = &facts.spec.cloud_provider.version;
    if !Version::parse(version).is_some_and(finds_by_uuid_only) {
        return;
    }
    let wrong = wrong_provider_id::wrong(facts);
    let all: Vec<&str> = wrong.iter().map(String::as_str).collect();
    let mut comes = cluster::changes(facts, "DaemonSet").filter(|change| is_cpi(change));
    if let Some(change) = comes.find(|change| brings_image(change))
        && !all.is_empty()
    {
        let (it, its) = if all.len() == 1 { ("it", "its") } else { ("them", "their") };
        let message = format!(
            "CPI {version} would not find the VM of {}: {its} provider id is not the BIOS UUID",
            names(&all)
        );
        let help = format!(
            "make {it} anew first, while an older CPI runs (see wrong-provider-id), or stay at a \
             `version` in [cloud_provider] before v1.35.0"
        );
        report.push(Problem::at(&version.place, message, help).about(&change.address));
    }
}

fn is_cpi(change: &Change) -> bool {
    change.address.as_str().starts_with("cluster/cpi/")
}

/// Whether another release comes than the one that runs, if one does.
fn brings_image(change: &Change) -> bool {
    let image = |path: &str| path.rsplit('.').next() == Some("image");
    matches!(change.action, Action::Create | Action::Replace)
        || change.attributes.iter().any(|one| image(&one.path))
}
