//! `token-refused`: a machine that joins with another token than the cluster's waits for ever, and
//! a server with another one does not start (k3s issues 2310, 4640).

use super::words::names;
use super::{Facts, Problem, Rule, hosts};

/// See the file's head.
pub const RULE: Rule = Rule::deny("token-refused", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let k3s = &facts.spec.k3s;
    // While a rotation is under way the old one is the right one.
    if k3s.previous_token.is_some() {
        return;
    }
    let groups = hosts::by_text(facts, |seen| Some(seen["token_accepted"].as_bool()?.to_string()));
    if let Some(machines) = groups.get("false") {
        let message =
            format!("the cluster does not take the token of the spec: {}", names(machines));
        let help = "point `token` in [k3s] at the token that the cluster has; to change it, name the \
                    old one in `previous_token`";
        report.push(Problem::at(&k3s.token.place, message, help));
    }
}
