//! `cgroup-version`: kubelet does not start on cgroup v1 from Kubernetes 1.35 on (its
//! `failCgroupV1` is true by default).

use super::words::names;
use super::{Facts, Problem, Rule, Version, hosts};

/// See the file's head.
pub const RULE: Rule = Rule::deny("cgroup-version", check);

const NEEDS_V2: Version = Version::new(1, 35, 0);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let k3s = &facts.spec.k3s.version;
    if Version::parse(k3s).is_none_or(|version| version < NEEDS_V2) {
        return;
    }
    let groups = hosts::by_text(facts, |seen| seen["cgroup"].as_str().map(str::to_owned));
    if let Some(machines) = groups.get("v1") {
        let message = format!("k3s {k3s} does not start on cgroup v1: {}", names(machines));
        let help = "start them with cgroup v2 (kernel parameter `systemd.unified_cgroup_hierarchy=1`), \
                    or set `version` in [k3s] below v1.35";
        report.push(Problem::at(&k3s.place, message, help));
    }
}
