//! `machine-size`: k3s asks for 2 CPUs and 2 GB on a server (k3s docs,
//! `installation/requirements.md`); below, etcd misses its deadlines and leaders change.

use super::{Facts, Problem, Rule};
use crate::spec::Machine;

/// See the file's head.
pub const RULE: Rule = Rule::warn("machine-size", check);

const CPUS: u32 = 2;
const MEMORY_MIB: u64 = 2048;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let small =
        |server: &&Machine| server.cpus.value < CPUS || server.memory_mib.value < MEMORY_MIB;
    for server in facts.spec.servers.iter().filter(small) {
        let (name, cpus, memory) = (&server.name, &server.cpus, &server.memory_mib);
        let message = format!("{name} is too small for a server: CPUs {cpus}, memory {memory} MiB");
        let help = "give servers 2 CPUs and 2 GiB at least: `cpus` and `memory`";
        let place = if server.cpus.value < CPUS { &cpus.place } else { &memory.place };
        report.push(Problem::at(place, message, help));
    }
}
