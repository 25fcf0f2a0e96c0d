//! `host-size`: a guest that sees less than its VM was given, or has hardly any disk left. Below
//! 15% of free disk kubelet throws images away, below 10% it evicts pods (Kubernetes docs,
//! `scheduling-eviction/node-pressure-eviction`).

use super::{Facts, Problem, Rule, hosts};
use crate::spec::Machine;

/// See the file's head.
pub const RULE: Rule = Rule::warn("host-size", check);

const FREE_PERCENT: u64 = 15;
/// What a kernel keeps for itself and what firmware takes is not in MemTotal.
const MEMORY_PERCENT: u64 = 90;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    for machine in facts.spec.all_machines() {
        let Some(seen) = hosts::seen(facts, machine) else { continue };
        let vm = hosts::vm(facts, machine).unwrap_or_default();
        let number = |name: &str| seen[name].as_u64();
        let given = |name: &str, wanted: u64| vm[name].as_u64() == Some(wanted);
        let (cpus, memory) = (u64::from(machine.cpus.value), machine.memory_mib.value);
        if let Some(found) = number("cpus").filter(|found| *found < cpus && given("cpus", cpus)) {
            report.push(less(machine, &format!("{found} of {cpus} CPUs")));
        }
        let least = memory / 100 * MEMORY_PERCENT;
        if let Some(found) =
            number("memory_mib").filter(|found| *found < least && given("memory_mib", memory))
        {
            report.push(less(machine, &format!("{found} of {memory} MiB of memory")));
        }
        let least = machine.disk_gib.value.saturating_mul(1024) / 100 * FREE_PERCENT;
        report.extend(number("disk_free_mib").filter(|free| *free < least).map(|free| {
            let message = format!("{} has {free} MiB of disk left for k3s", *machine.name);
            let help = "free some below /var/lib, or give the machine more: `disk`, and grow the \
                        file system in the guest";
            Problem::at(&machine.disk_gib.place, message, help).about(&hosts::address(machine))
        }));
    }
}

fn less(machine: &Machine, what: &str) -> Problem {
    let message = format!("{} sees {what}", *machine.name);
    let help = "restart the guest: not every one sees what was added while it ran";
    Problem::new(message, help).about(&hosts::address(machine))
}
