//! `ssh-open`: the whole network may try keys and passwords at every machine, each of which holds a
//! token of the cluster.

use super::words::is_anywhere;
use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("ssh-open", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let ssh = &facts.spec.ssh;
    let wide = ssh.from.iter().find(|from| is_anywhere(from));
    if facts.spec.network.firewall.value && (ssh.from.is_empty() || wide.is_some()) {
        let place = wide.map_or(&ssh.place, |from| &from.place);
        let message = format!("port {} of every machine is open to everybody", ssh.port);
        let help = "name the networks that boma and administrators come from: `from` in [ssh]";
        report.push(Problem::at(place, message, help));
    }
}
