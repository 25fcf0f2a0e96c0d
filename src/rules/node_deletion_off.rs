//! `node-deletion-off`: CPI keeps nodes whose machines are gone, and their volumes stay attached to
//! nothing. It is meant for the time in which wrong provider ids are repaired.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("node-deletion-off", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let skip = &facts.spec.cloud_provider.skip_node_deletion;
    if skip.value {
        let message = "nodes stay in the cluster after their machines are gone";
        let help = "remove `skip_node_deletion` from [cloud_provider] once provider ids are right";
        report.push(Problem::at(&skip.place, message, help));
    }
}
