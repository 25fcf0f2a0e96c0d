//! `[projects]`

use std::collections::BTreeMap;

use crate::diag::Place;

use super::{Milli, ProjectBackup, SecretRef, Sp};

/// What is said of all projects together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projects {
    /// The table, or the file's start where there is none.
    pub place: Place,
    /// Registry and folder of the CHT images.
    pub registry: Sp<String>,
    /// How changes of many projects are spread.
    pub rollout: Rollout,
}

/// How changes of many projects are spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Changed before all others, by name.
    pub canary: Vec<Sp<String>>,
    /// How many are changed at a time.
    pub wave: Sp<u32>,
    /// How many may fail before no further wave starts.
    pub failures_max: Sp<u32>,
}

/// One CHT project: `[projects]`, its defaults and its override merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its override, else where its name comes from.
    pub place: Place,
    /// A DNS label.
    pub name: Sp<String>,
    /// 1-based position.
    pub number: u32,
    /// Whether it stands already, made by a chart or by hand, and is to keep running as it is: by
    /// its key `adopt`, or by one of the spec's globs.
    pub adopted: bool,
    /// Kubernetes namespace.
    pub namespace: Sp<String>,
    /// The full host name it is reached by.
    pub host: Sp<String>,
    /// CHT release: `5.3.1`.
    pub cht: Sp<String>,
    /// Who changes images after creation; the default is the upgrade-service on 4.x.
    pub image_owner: Sp<ImageOwner>,
    /// Its databases.
    pub couchdb: CouchDb,
    /// Where the pods of its CouchDB run.
    pub placement: Sp<Placement>,
    /// Machines it is pinned to; empty: any agent.
    pub agents: Vec<Sp<String>>,
    /// `None`: no TLS in the cluster; the outside proxy has it.
    pub tls: Option<Sp<Tls>>,
    /// `debug`, `info`, `warn` or `error`.
    pub log_level: Sp<String>,
    /// What each component asks for and is held to.
    pub resources: BTreeMap<Component, Resources>,
    /// What the whole project is held to. `None`: no quota.
    pub quota: Option<Quota>,
    /// Health probes. `None`: yes, but not on adopted projects.
    pub probes: Option<Sp<bool>>,
    /// Keeps other projects' pods out. `None`: yes, but not on adopted projects.
    pub network_policy: Option<Sp<bool>>,
    /// The CouchDB administrator.
    pub credentials: Credentials,
    /// `None`: as `[backup.projects]`.
    pub backup: Option<ProjectBackup>,
}

/// A project's databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouchDb {
    /// 1 is the single-node form. Fixed once data exists.
    pub nodes: Sp<u32>,
    /// Per node, in MiB. Grows only.
    pub storage_mib: Sp<u64>,
    /// Storage class by name.
    pub storage_class: Sp<String>,
    /// Volumes that its claims are bound to by name, a node each; empty: whichever the class makes.
    pub volumes: Vec<Sp<String>>,
    /// A folder of the machine in place of a volume. `None`: a volume.
    pub host_path: Option<Sp<String>>,
}

/// Who changes a project's images after creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageOwner {
    /// The CHT's own upgrade-service (4.x).
    UpgradeService,
    /// boma.
    Boma,
}

/// Where the pods of a project's CouchDB run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placement {
    /// On one machine: a lost machine stops the fewest projects.
    Together,
    /// On different machines.
    Spread,
}

/// Where a project's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// A TLS Secret that stands in the namespace.
    Secret(String),
    /// A ClusterIssuer of cert-manager.
    Issuer(String),
}

/// A part of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// `api`
    Api,
    /// `sentinel`
    Sentinel,
    /// `couchdb`
    CouchDb,
    /// `haproxy`
    Haproxy,
    /// `healthcheck`
    Healthcheck,
    /// `nouveau` (5.x)
    Nouveau,
    /// `upgrade-service` (4.x)
    UpgradeService,
}

/// What a component asks for and is held to, per pod.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Resources {
    /// CPU limit.
    pub cpu: Option<Sp<Milli>>,
    /// Memory limit in MiB.
    pub memory_mib: Option<Sp<u64>>,
    /// CPU request; `None`: the limit.
    pub cpu_request: Option<Sp<Milli>>,
    /// Memory request in MiB; `None`: the limit.
    pub memory_request_mib: Option<Sp<u64>>,
}

/// What a whole project is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The table.
    pub place: Place,
    /// Sum of CPU limits.
    pub cpu: Sp<Milli>,
    /// Sum of memory limits in MiB.
    pub memory_mib: Sp<u64>,
}

/// The CouchDB administrator. What is `None` is generated once and kept in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: Sp<String>,
    /// The password.
    pub password: Option<Sp<SecretRef>>,
    /// CouchDB's cookie secret.
    pub secret: Option<Sp<SecretRef>>,
    /// CouchDB's instance UUID.
    pub uuid: Option<Sp<SecretRef>>,
}
