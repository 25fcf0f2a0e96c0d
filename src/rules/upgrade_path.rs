//! `upgrade-path`: Kubernetes is upgraded one minor at a time and never downgraded
//! (kubernetes.io, `releases/version-skew-policy`; k3s docs, `upgrades/roll-back.md`).

use std::collections::BTreeMap;

use super::words::names;
use super::{Facts, Problem, Rule, hosts};
use crate::resource::Release;

/// See the file's head.
pub const RULE: Rule = Rule::deny("upgrade-path", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let wanted = &facts.spec.k3s.version;
    let Some(release) = Release::parse(wanted) else { return };
    let mut installed: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for machine in facts.spec.all_machines() {
        let k3s = hosts::k3s(facts, machine);
        if let Some(version) = k3s.as_ref().and_then(|k3s| k3s["version"].as_str()) {
            installed.entry(version.to_owned()).or_default().push(&machine.name);
        }
    }
    for (version, machines) in installed {
        let Some(found) = Release::parse(&version) else { continue };
        let (does, help) = match (release < found, found.skips_to(&release)) {
            (true, _) => ("is older than", back(&version)),
            (false, true) => ("skips a minor after", next(found)),
            (false, false) => continue,
        };
        let machines = names(&machines);
        let message = format!("k3s {wanted} {does} {version}, which is on {machines}");
        report.push(Problem::at(&wanted.place, message, help));
    }
}

fn back(version: &str) -> String {
    format!(
        "set `version` in [k3s] to {version} or later; the only way back is a restore of an etcd \
         snapshot from before the upgrade"
    )
}

fn next(found: Release) -> String {
    let next = found.minor.saturating_add(1);
    format!("set `version` in [k3s] to a release of v1.{next}, apply, and go on from there")
}
