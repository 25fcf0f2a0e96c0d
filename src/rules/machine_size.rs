//! `machine-size`: k3s asks for 2 CPUs and 2 GB on a server (k3s docs,
//! `installation/requirements.md`); below, etcd misses its deadlines and leaders change.

use super::words::{by_place, names};
use super::{Facts, Problem, Rule};
use crate::diag::Place;

/// See the file's head.
pub const RULE: Rule = Rule::warn("machine-size", check);

const CPUS: u32 = 2;
const MEMORY_MIB: u64 = 2048;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let servers = || facts.spec.servers.iter();
    let slow = servers().filter(|server| server.cpus.value < CPUS);
    for (place, names) in by_place(slow.map(|server| (&server.cpus.place, &server.name))) {
        report.push(problem(place, &names, "CPU"));
    }
    let small = servers().filter(|server| server.memory_mib.value < MEMORY_MIB);
    for (place, names) in by_place(small.map(|server| (&server.memory_mib.place, &server.name))) {
        report.push(problem(place, &names, "memory"));
    }
}

fn problem(place: &Place, machines: &[&str], what: &str) -> Problem {
    let message = format!("too little {what} for k3s servers: {}", names(machines));
    Problem::at(place, message, "give servers 2 CPUs and 2 GiB at least: `cpus` and `memory`")
}
