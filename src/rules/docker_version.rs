//! `docker-version`: k3s reaches Docker Engine 25 and later only from v1.26.14+k3s1 on (its release
//! notes); before, kubelet does not start and no pod of the machine runs.

use super::{Facts, Problem, Rule, Version};

/// See the file's head.
pub const RULE: Rule = Rule::deny("docker-version", check);

const FIXED: Version = Version::new(1, 26, 14);
const NEWER: u32 = 25;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let k3s = &facts.spec.k3s.version;
    let Some(docker) = facts.spec.docker.as_ref().map(|docker| &docker.version) else { return };
    let too_new = Version::parse(docker).is_some_and(|version| version.major >= NEWER);
    if too_new && Version::parse(k3s).is_some_and(|version| version < FIXED) {
        let message = format!("k3s {k3s} cannot use Docker {docker}");
        let help =
            "set `version` in [docker] below 25, or `version` in [k3s] to v1.26.14+k3s1 or later";
        report.push(Problem::at(&docker.place, message, help));
    }
}
