//! `docker-runtime`: k3s calls its Docker support experimental (k3s docs, `cli/agent.md`) and tests
//! containerd; registry mirrors, the embedded registry and air-gap archives need containerd.

use super::{Facts, Problem, Rule};
use crate::spec::Runtime;

/// See the file's head.
pub const RULE: Rule = Rule::warn("docker-runtime", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let runtime = &facts.spec.k3s.runtime;
    if runtime.value == Runtime::Docker {
        let message = "containers run in Docker, which k3s calls experimental";
        let help = "set `runtime` in [k3s] to \"containerd\" and remove [docker]";
        report.push(Problem::at(&runtime.place, message, help));
    }
}
