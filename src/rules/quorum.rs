//! `quorum`: with fewer than three servers etcd loses its quorum with the first server, and the
//! cluster stops (k3s docs, `datastore/ha-embedded.md`: an odd number of at least three).

use super::words::count;
use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("quorum", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let servers = facts.spec.servers.len();
    if servers < 3 {
        let count = count(servers as u64, "server");
        let message = format!("{count} cannot lose one and keep etcd's quorum");
        let place = &facts.spec.groups.servers.place;
        report.push(Problem::at(place, message, "make [servers] three: count = 3"));
    }
}
