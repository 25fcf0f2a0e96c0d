//! `lab drift` and `lab status` as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// What `boma lab drift` prints: what was changed behind boma's back.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma lab drift")]
pub struct LabDriftJson {
    /// What was changed, in the order of changing.
    pub drifted: Vec<LabDriftedJson>,
}

/// One thing that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LabDriftedJson {
    /// Which resource.
    pub address: String,
    /// Which of its attributes; `exists` where the object was deleted.
    pub attribute: String,
    /// The value until then.
    pub before: Json,
    /// The value from then on.
    pub after: Json,
}

/// What `boma lab status --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma lab status")]
pub struct LabStatusJson {
    /// The spec's name.
    pub name: String,
    /// The address of the vCenter of a `lab serve` in another process. Null where none runs.
    pub served_at: Option<String>,
    /// How many objects the world has, by type.
    pub objects: BTreeMap<String, u64>,
    /// Sessions of its clients.
    pub sessions: LabSessionsJson,
    /// Requests since the process began, by method.
    pub requests: BTreeMap<String, u64>,
    /// Tasks under way.
    pub running_tasks: u64,
    /// Disks that are no machine's own, such as volumes of pods: those that hang on a machine,
    /// then those that hang on none.
    pub foreign_disks: Vec<LabDiskJson>,
    /// Such disks that were deleted with a machine since the world began.
    pub lost_disks: Vec<LabDiskJson>,
    /// Faults that are staged and have not all happened; `lab fault --rules` takes this list.
    pub faults: Vec<LabFaultJson>,
    /// Hosts that boma logs in to, by name.
    pub hosts: Vec<LabHostJson>,
    /// k3s clusters that there ever were.
    pub clusters: Vec<LabClusterJson>,
    /// SHA-256 of what is in the vCenter, without histories: equal worlds have equal digests.
    pub digest: String,
}

/// Sessions of a lab's clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabSessionsJson {
    /// Logged in now.
    pub open: u64,
    /// Ever logged in.
    pub total: u64,
    /// Logged in now, by account.
    pub by_user: BTreeMap<String, u64>,
    /// Logged in now, by User-Agent: boma's own is `boma/VERSION`.
    pub by_agent: BTreeMap<String, u64>,
}

/// One disk that is no machine's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabDiskJson {
    /// `[datastore] folder/name.vmdk`
    pub file: String,
    /// The path of the machine that it hangs on, or hung on when it was deleted. Null where it
    /// hangs on none.
    pub machine: Option<String>,
}

/// One staged fault.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LabFaultJson {
    /// The method whose calls count. Null for every SOAP call that needs a session.
    pub method: Option<String>,
    /// The machine whose commands count. Null for all.
    pub host: Option<String>,
    /// The first call from now on that is hit.
    pub nth: u64,
    /// How many calls are still to be hit.
    pub times: u64,
    /// What happens to them: a name, or a name with what it needs, such as
    /// `{"slow_task": {"ms": 5}}`.
    pub fault: Json,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabHostJson {
    /// Its machine's name.
    pub name: String,
    /// The address that it has within the world.
    pub address: String,
    /// Whether it runs and answers.
    pub answers: bool,
    /// The port on 127.0.0.1 of its SSH server. Null where no `lab serve` runs, or it is down.
    pub port: Option<u16>,
    /// How often it has booted.
    pub boots: u64,
    /// SSH logins since the process began.
    pub connections: u64,
    /// Commands over SSH since the process began.
    pub commands: u64,
}

/// One k3s cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabClusterJson {
    /// Whether its API answers.
    pub answers: bool,
    /// How many voters etcd has, running or not.
    pub voters: u64,
    /// Its nodes, by name.
    pub nodes: Vec<LabNodeJson>,
    /// Names of etcd snapshots, oldest first.
    pub snapshots: Vec<String>,
    /// Its workloads, by namespace.
    pub workloads: Vec<LabWorkloadsJson>,
}

/// What Deployments, DaemonSets and Jobs of a namespace want and have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabWorkloadsJson {
    /// The namespace.
    pub namespace: String,
    /// Pods that they want.
    pub desired: u64,
    /// Pods that are ready, or have ended well where they are to end.
    pub ready: u64,
    /// Pods that do not run, with the reason.
    pub waiting: Vec<String>,
}

/// One node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabNodeJson {
    /// Its name.
    pub name: String,
    /// `server` or `agent`.
    pub role: String,
    /// Whether it is Ready.
    pub ready: bool,
    /// Whether pods are kept off it.
    pub cordoned: bool,
    /// k3s's version.
    pub version: String,
    /// `spec.providerID`; empty where it has none.
    pub provider_id: String,
    /// `voter`, `learner`, or empty where it is no member of etcd.
    pub member: String,
    /// Pods on it that are not of a DaemonSet.
    pub pods: u64,
}
