//! What machines have.

use super::amount::Amount;
use crate::resource::Address;
use crate::rules::Facts;
use crate::spec::releases::{Version, is_dense};
use crate::spec::{Disable, Entry, K3s, Machine, Role, Spec, TaintEffect};

/// Kubelet's own limit where `max-pods` does not say otherwise.
const PODS: u64 = 110;

/// Slots of one PVSCSI controller.
const SLOTS: u64 = 15;

/// Slots of one with CSI's high density on vSphere 8: 255 volumes are four times 64, less the
/// system disk.
const SLOTS_DENSE: u64 = 64;

/// Controllers that a VM can have.
const CONTROLLERS: u64 = 4;

/// A machine that runs projects.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// What projects may take of it.
    pub size: Amount,
    /// Whether pods that are not pinned to it may run on it.
    pub open: bool,
}

/// The agents; the servers where there are none.
pub fn rooms<'a>(facts: &Facts<'a>) -> Vec<Room<'a>> {
    let spec = facts.spec;
    let machines = if spec.agents.is_empty() { &spec.servers } else { &spec.agents };
    machines
        .iter()
        .map(|machine| Room { machine, size: size(facts, machine), open: is_open(machine) })
        .collect()
}

/// The whole machine: what the system takes of CPU and memory is not known here.
fn size(facts: &Facts<'_>, machine: &Machine) -> Amount {
    let spec = facts.spec;
    Amount {
        pods: pods_max(&spec.k3s).saturating_sub(own_pods(spec, machine)),
        volumes: slots(facts, machine),
        cpu_milli: u64::from(machine.cpus.value).saturating_mul(1000),
        memory_mib: machine.memory_mib.value,
    }
}

fn pods_max(k3s: &K3s) -> u64 {
    let args = k3s.kubelet_args.iter().rev();
    args.filter_map(|arg| arg.strip_prefix("max-pods=")?.parse().ok()).next().unwrap_or(PODS)
}

/// Pods that every machine runs: CSI's, and the one that binds ports 80 and 443.
fn own_pods(spec: &Spec, machine: &Machine) -> u64 {
    let off = |disable| matches!(disable, Disable::ServiceLb | Disable::Traefik);
    let answers = match spec.traefik.entry.value {
        Entry::All => true,
        Entry::Servers => machine.role == Role::Server,
        Entry::Agents => machine.role == Role::Agent,
    };
    let entry = answers && !spec.k3s.disable.iter().any(|disable| off(disable.value));
    1 + u64::from(entry)
}

/// The system disk takes one slot: 59 of four controllers are left, which is CSI's limit too.
fn slots(facts: &Facts<'_>, machine: &Machine) -> u64 {
    let csi = &facts.spec.csi;
    let dense = csi.high_density.value && Version::parse(&csi.version).is_some_and(is_dense);
    let each = if dense { SLOTS_DENSE } else { SLOTS };
    controllers(facts, machine).saturating_mul(each).saturating_sub(1)
}

/// What the VM gets; a VM that has more already keeps them.
fn controllers(facts: &Facts<'_>, machine: &Machine) -> u64 {
    let address = Address::of("vsphere/vm", &machine.name);
    let written = machine.scsi_controllers.as_ref().map(|set| u64::from(set.value));
    let lowered = facts.desired.resources.get(&address);
    let lowered =
        lowered.and_then(|vm| vm.attributes.tree()["scsi_controllers"].as_u64()).or(written);
    let live = facts.live.and_then(|live| live.get(&address)?.object());
    let live = live.and_then(|vm| vm.attributes.tree()["scsi_controllers"].as_u64());
    lowered.unwrap_or(CONTROLLERS).max(live.unwrap_or(0)).min(CONTROLLERS)
}

fn is_open(machine: &Machine) -> bool {
    machine.taints.iter().all(|taint| taint.effect == TaintEffect::PreferNoSchedule)
}
