//! `shared-token`: the server token gives full administrator access to the cluster (k3s docs,
//! `cli/token.md`), and an agent runs pods of every project.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::deny("shared-token", check);

const HELP: &str = "make a second token, keep it apart, and name it in [k3s]: \
                    agent_token = { env = \"K3S_AGENT_TOKEN\" }";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let k3s = &facts.spec.k3s;
    report.extend(match &k3s.agent_token {
        None => Some(Problem::at(&k3s.place, "agents hold the server token", HELP)),
        Some(agent) if agent.value == k3s.token.value => {
            let message = format!("`agent_token` is the server token: both are {agent}");
            Some(Problem::at(&agent.place, message, HELP))
        }
        Some(_) => None,
    });
}
