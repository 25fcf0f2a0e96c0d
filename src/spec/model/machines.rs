//! `[machines]`, `[servers]` and `[agents]`

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::diag::Place;

use super::{Sp, Subnet};

/// The network that all machines share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machines {
    /// The table.
    pub place: Place,
    /// Every machine's address is inside.
    pub subnet: Sp<Subnet>,
    /// The default route.
    pub gateway: Sp<Ipv4Addr>,
    /// Name servers, first one first.
    pub dns: Vec<Sp<Ipv4Addr>>,
    /// Time servers: names or addresses; empty: the template's own.
    pub ntp: Vec<Sp<String>>,
    /// Domains that short names are searched in.
    pub search: Vec<Sp<String>>,
}

/// Both groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// `[servers]`
    pub servers: Group,
    /// `[agents]`
    pub agents: Group,
}

/// What is said of a group as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The table.
    pub place: Place,
    /// Whether its machines run on different ESXi hosts.
    pub keep_apart: Sp<KeepApart>,
}

/// How machines of a group are kept on different ESXi hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeepApart {
    /// `off`: not at all.
    Off,
    /// `check`: no DRS rule; a finding where two share a host.
    Check,
    /// `prefer`: a DRS rule that gives way when hosts are few.
    Prefer,
    /// `require`: a DRS rule that would rather not power a machine on.
    Require,
}

/// What a machine is in k3s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Control plane and etcd.
    Server,
    /// Runs the projects.
    Agent,
}

/// One machine: group keys, `[machines]` and its override merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Where its name comes from.
    pub place: Place,
    /// Host name, node name and VM name; a DNS label.
    pub name: Sp<String>,
    /// Server or agent.
    pub role: Role,
    /// 1-based position in its group.
    pub number: u32,
    /// Its IPv4 address, inside the subnet.
    pub address: Sp<Ipv4Addr>,
    /// Virtual CPUs.
    pub cpus: Sp<u32>,
    /// Memory in MiB, a multiple of 4 (vSphere's granularity).
    pub memory_mib: Sp<u64>,
    /// The system disk in GiB.
    pub disk_gib: Sp<u64>,
    /// VM folder, a path below the datacenter's VM folder; empty is that folder itself.
    pub folder: Sp<String>,
    /// Port group.
    pub network: Sp<String>,
    /// Where its disk is.
    pub datastore: Sp<String>,
    /// `None` is the cluster's root pool.
    pub resource_pool: Option<Sp<String>>,
    /// What it is cloned from. `None`: it stands already and is adopted, as where `vm_path`
    /// is given.
    pub template: Option<Sp<String>>,
    /// Path of the VM below the datacenter's VM folder, where it is not folder and name.
    pub vm_path: Option<Sp<String>>,
    /// The least hardware version: 15 is `vmx-15`.
    pub hardware_version: Sp<u32>,
    /// When a standing VM gets that hardware.
    pub hardware_upgrade: Sp<HardwareUpgrade>,
    /// PVSCSI controllers, 1 to 4. `None`: enough for the volumes it must carry.
    pub scsi_controllers: Option<Sp<u32>>,
    /// Whether CPUs can be added while it runs.
    pub cpu_hot_add: Sp<bool>,
    /// Whether memory can be added while it runs.
    pub memory_hot_add: Sp<bool>,
    /// Node labels.
    pub labels: BTreeMap<String, Sp<String>>,
    /// Node taints besides those of its role.
    pub taints: Vec<Sp<Taint>>,
}

/// When a standing VM gets newer hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HardwareUpgrade {
    /// `now`: boma power-cycles it.
    Now,
    /// `scheduled`: vCenter does it when the guest next shuts down.
    Scheduled,
}

/// A node taint, written `key=value:NoSchedule` or `key:NoSchedule`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taint {
    /// Label key.
    pub key: String,
    /// Empty where none was written.
    pub value: String,
    /// What it does.
    pub effect: TaintEffect,
}

/// What a taint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaintEffect {
    /// No new pods.
    NoSchedule,
    /// No new pods if it can be helped.
    PreferNoSchedule,
    /// Running pods leave.
    NoExecute,
}
