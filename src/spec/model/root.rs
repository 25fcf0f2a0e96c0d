//! The whole spec.

use crate::resource::Glob;

use super::{
    Backup, CloudProvider, Csi, Docker, Groups, Images, K3s, Machine, Machines, Network, Project,
    Projects, RuleLevel, Snapshots, Sp, Ssh, Storage, Traefik, Vcenter, Waiver,
};

/// A spec that has no error: what lowering, rules and commands read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Names the state and the Kubernetes cluster; a DNS label.
    pub name: Sp<String>,
    /// Which objects that stand already may be taken over.
    pub adopt: Vec<Sp<Glob>>,
    /// Which objects no plan deletes or replaces.
    pub protect: Vec<Sp<Glob>>,
    /// `[vcenter]`
    pub vcenter: Vcenter,
    /// `[ssh]`
    pub ssh: Ssh,
    /// `[network]`
    pub network: Network,
    /// `[machines]`: the network that all machines share.
    pub machines: Machines,
    /// What `[servers]` and `[agents]` say of the group as a whole.
    pub groups: Groups,
    /// The k3s servers, in order; the first one starts the cluster.
    pub servers: Vec<Machine>,
    /// The k3s agents, in order.
    pub agents: Vec<Machine>,
    /// `[k3s]`
    pub k3s: K3s,
    /// Given if and only if the runtime is Docker.
    pub docker: Option<Docker>,
    /// `[images]`
    pub images: Images,
    /// `[cloud_provider]`: vSphere's cloud provider interface (CPI).
    pub cloud_provider: CloudProvider,
    /// `[csi]`: vSphere's container storage interface.
    pub csi: Csi,
    /// `[storage]`: the storage class.
    pub storage: Storage,
    /// `[snapshots]`: volume snapshots.
    pub snapshots: Snapshots,
    /// `[traefik]`: the entry into the cluster.
    pub traefik: Traefik,
    /// `[backup]`; `None` where the spec says nothing about backups.
    pub backup: Option<Backup>,
    /// What `[projects]` says of all projects together.
    pub project_settings: Projects,
    /// The CHT projects, in order.
    pub projects: Vec<Project>,
    /// `[[waivers]]`
    pub waivers: Vec<Waiver>,
    /// `[rules]`: levels that differ from the rules' own.
    pub rules: Vec<RuleLevel>,
}

impl Spec {
    /// Servers first, then agents.
    pub fn all_machines(&self) -> impl Iterator<Item = &Machine> {
        self.servers.iter().chain(&self.agents)
    }
}
