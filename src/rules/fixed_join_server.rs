//! `fixed-join-server`: no machine can join or be rebuilt while that one server is down, and a
//! rebuilt first server has nobody to join (the guide's `--server https://<CONTROL_PLANE_1_IP>`).

use super::{Facts, Problem, Rule};
use crate::spec::Join;

/// See the file's head.
pub const RULE: Rule = Rule::warn("fixed-join-server", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let join = &facts.spec.k3s.join;
    if let Join::Server(server) = &join.value {
        let message = format!("machines join at {server} only");
        let help = "remove `join_server` from [k3s]: machines then join at any server that answers";
        report.push(Problem::at(&join.place, message, help));
    }
}
