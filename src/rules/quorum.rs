//! `quorum`: with fewer than three servers etcd loses its quorum with the first server, and the
//! cluster stops (k3s docs, `datastore/ha-embedded.md`: an odd number of at least three). A server
//! that was installed without `cluster-init` has no etcd; it moves there when it is started with it
//! (the same page, "Existing single-node clusters").

use super::words::{count, names};
use super::{Facts, Problem, Rule, hosts};

const MOVE: &str = "save /var/lib/rancher/k3s/server/db, or the database that k3s was given, before an apply \
     that restarts the server; SQLite moves to etcd where k3s is restarted once with \
     `cluster-init: true` in /etc/rancher/k3s/config.yaml";

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
    let elsewhere = |name: &&str| {
        let mut machines = facts.spec.servers.iter();
        let machine = machines.find(|machine| machine.name.value == **name);
        let k3s = machine.and_then(|machine| hosts::k3s(facts, machine));
        k3s.is_some_and(|k3s| k3s["datastore"] == "other")
    };
    let servers = facts.spec.servers.iter().map(|server| server.name.value.as_str());
    let found: Vec<&str> = servers.filter(elsewhere).collect();
    if !found.is_empty() {
        let message = format!(
            "the cluster's data on {} is not in etcd: boma takes no snapshot of it before the server \
             is disturbed, and no server can join",
            names(&found)
        );
        report.push(Problem::at(&facts.spec.groups.servers.place, message, MOVE));
    }
}
