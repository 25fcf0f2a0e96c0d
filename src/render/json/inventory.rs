//! `inventory --format json`

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::Serialize;

use super::ReadJson;

/// What `boma inventory --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "boma inventory")]
pub struct InventoryJson {
    /// The spec's name.
    pub name: String,
    /// Read from the lab.
    pub lab: bool,
    /// Nobody was asked: what was recorded stands for what is there.
    pub offline: bool,
    /// What reading the world cost. Null offline.
    pub read: Option<ReadJson>,
    /// The vCenter.
    pub vcenter: VcenterJson,
    /// The datacenter.
    pub datacenter: NamedJson,
    /// The compute clusters.
    pub clusters: Vec<NamedJson>,
    /// The datastores: the volumes' first, then other machines'.
    pub datastores: Vec<DatastoreJson>,
    /// The name of the Kubernetes cluster in the vCenter, for the CSI driver; no compute cluster's
    /// id. Null where the driver keeps one that it generated.
    pub cluster_id: Option<String>,
    /// The roles of the storage account, by name.
    pub roles: Vec<RoleJson>,
    /// The machines: servers, then agents.
    pub vms: Vec<VmJson>,
    /// Where the outside proxy sends requests: machines that answer on ports 80 and 443.
    pub entry: Vec<Ipv4Addr>,
    /// The projects, in order.
    pub projects: Vec<HostJson>,
}

/// A vCenter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VcenterJson {
    /// Its name or address, as the spec has it.
    pub server: String,
    /// Which vCenter it is, whatever its name. Null where nobody knows.
    pub instance_uuid: Option<String>,
}

/// A datacenter or a cluster. What is null is not known: it is not there, was not read, or nobody
/// was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedJson {
    /// Its name, as the spec has it; a path where it lies in folders.
    pub name: String,
    /// Whether it is there. Null where it could not be read, and offline.
    pub exists: Option<bool>,
    /// Why it is not there, or could not be read. Null where it is.
    pub reason: Option<String>,
    /// Inventory path.
    pub path: Option<String>,
    /// vCenter's own name of it, such as `domain-c8`; no cluster-id of the CSI driver.
    pub moref: Option<String>,
}

/// A datastore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DatastoreJson {
    /// Where it is.
    #[serde(flatten)]
    pub place: NamedJson,
    /// `ds:///vmfs/volumes/…/`, as a StorageClass names it. Null where it is not known.
    pub url: Option<String>,
    /// Free GiB. Null where it is not known.
    pub free_gib: Option<u64>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleJson {
    /// Which resource.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Whether it is there. Null where it could not be read.
    pub exists: Option<bool>,
    /// Why it could not be read. Null where it was.
    pub reason: Option<String>,
    /// vCenter's number of it. Null where it is not there.
    pub id: Option<String>,
    /// The privileges it has, sorted. Null where it is not there.
    pub privileges: Option<Vec<String>>,
}

/// A machine. What is null is not known: it is not there, was not read, or does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VmJson {
    /// Which resource.
    pub address: String,
    /// The machine's name: its host's and its node's.
    pub name: String,
    /// `server` or `agent`.
    pub role: &'static str,
    /// Its address, as the spec has it.
    pub ip: Ipv4Addr,
    /// Whether it is there. Null where it could not be read.
    pub exists: Option<bool>,
    /// Why it could not be read. Null where it was.
    pub reason: Option<String>,
    /// Inventory path of the VM.
    pub path: Option<String>,
    /// vCenter's own name of it.
    pub moref: Option<String>,
    /// The UUID that the guest sees and the cloud provider searches by; lower case.
    pub bios_uuid: Option<String>,
    /// The UUID that is unique in the vCenter; no cloud provider searches by it.
    pub instance_uuid: Option<String>,
    /// What the kubelet is to be told: `vsphere://` and the BIOS UUID.
    pub provider_id: Option<String>,
    /// 15 stands for `vmx-15`.
    pub hardware_version: Option<u64>,
    /// Whether the guest sees disk serial numbers.
    pub disk_uuid: Option<bool>,
    /// PVSCSI controllers.
    pub scsi_controllers: Option<u64>,
    /// Virtual CPUs.
    pub cpus: Option<u64>,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// `on`, `off` or `suspended`.
    pub power: Option<String>,
    /// The ESXi host it runs on.
    pub host: Option<String>,
    /// The host name that the guest reports.
    pub hostname: Option<String>,
    /// The address that the guest reports.
    pub guest_ip: Option<String>,
}

/// A project, as it is reached from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HostJson {
    /// Its name.
    pub name: String,
    /// The host name it answers to.
    pub host: String,
    /// Whether the cluster has its certificate; else only the outside proxy has one.
    pub tls: bool,
}
