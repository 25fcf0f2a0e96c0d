//! The side door for tests and for `boma lab`: drift, status, delay. Same port, own token.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::home::Endpoints;
use super::host::{HostAction, HostAnswer, HostEndpoint, StatusCommand, StatusHost};
use super::k3s::ClusterStatus;
use super::kubernetes::ProjectAction;
use super::staged::FaultRule;

/// The header that carries the control token.
pub(super) const TOKEN_HEADER: &str = "x-lab-token";

/// One change made behind a client's back, in vim25's own names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drifted {
    /// `VirtualMachine`, `Role`, `Permission`, `ClusterRule`, `Host` or `Kubernetes`.
    pub object_type: String,
    /// The inventory path before the change (`/DC1/vm/cht/server-1`), a role's name, the path of
    /// the entity that a permission is on, a cluster's path, a space and the name of its rule,
    /// the name of a host's machine, or an object of a cluster: `apps/v1 Deployment default/x`.
    pub name: String,
    /// `DOMAIN\name` in one form; only for permissions.
    pub principal: Option<String>,
    /// Such as `config.hardware.numCPU`, `config.flags.diskUuidEnabled`, `runtime.powerState`,
    /// `parent` (as a path), `privilege`, `roleId`, `propagate`, `enabled`, `vm` (as names), or
    /// `exists`; of hosts `file /etc/rancher/k3s/config.yaml KEY`, `unit k3s.service` or `ufw`; of
    /// objects of a cluster a path, items of lists by their keys: `metadata.labels.x`,
    /// `spec.template.spec.containers.main.image`.
    pub property: String,
    /// The value until now.
    pub before: Value,
    /// The value from now on.
    pub after: Value,
}

/// A change of one machine, or of an ESXi host, that tests ask for and no client could make. What
/// is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Adjustment {
    /// Its inventory path.
    pub path: String,
    /// `connected`, `disconnected`, `orphaned`, `inaccessible` or `invalid`.
    pub connection_state: Option<String>,
    /// The path of a machine whose BIOS UUID this one gets as well.
    pub bios_uuid_of: Option<String>,
    /// The path of the host that it runs on from now on, as after vMotion.
    pub host: Option<String>,
    /// Whether VMware Tools are installed.
    pub tools: Option<bool>,
    /// Whether its cloud-init has the VMware data source.
    pub data_source: Option<bool>,
    /// The path of a datastore that the ESXi host at `path` does not mount from now on.
    pub unmount: Option<String>,
}

/// A world from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How many there are, by type; `Role` counts those that are not built in.
    pub objects: BTreeMap<String, usize>,
    /// All of them, sorted.
    pub inventory: Vec<StatusObject>,
    /// Open sessions.
    pub sessions: Vec<StatusSession>,
    /// Logins since the world began.
    pub sessions_ever: u64,
    /// Open sessions by user.
    pub sessions_by_user: BTreeMap<String, usize>,
    /// SOAP calls by method, and REST calls as `GET /path`, since this process opened the world.
    pub requests: BTreeMap<String, u64>,
    /// Tasks that are queued or running.
    pub running_tasks: usize,
    /// SHA-256 over objects, roles, permissions, rules and disks; sessions, tasks, counters and the
    /// hosts of machines left out.
    pub digest: String,
    /// Disks that were there before the machine they hang on, and disks that hang on none.
    pub foreign_disks: Vec<StatusDisk>,
    /// Foreign disks that were deleted since the world began.
    pub lost_disks: Vec<StatusDisk>,
    /// Faults that are staged and have not all happened.
    pub faults: Vec<FaultRule>,
    /// Hosts, by name.
    pub hosts: Vec<StatusHost>,
    /// Commands that hosts carried out since this process opened the world, in that order.
    pub history: Vec<StatusCommand>,
    /// k3s clusters that there ever were.
    pub clusters: Vec<ClusterStatus>,
    /// What was written over the APIs of clusters since this process opened the world.
    #[serde(default)]
    pub writes: Vec<StatusWrite>,
}

/// How often somebody wrote one object. Requests that changed nothing do not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatusWrite {
    /// The field manager: `boma`, `kubectl-edit`.
    pub manager: String,
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// The path of the request: `/api/v1/namespaces/default/configmaps/x`.
    pub path: String,
    /// How often.
    pub times: u64,
}

/// One disk that is no machine's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatusDisk {
    /// `[datastore] folder/name.vmdk`
    pub file: String,
    /// The path of the machine that it hangs on, or hung on when it was deleted; absent for none.
    pub machine: Option<String>,
}

/// One object of a world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatusObject {
    /// A vim25 class, `Role`, `Permission` or `ClusterRule`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// Inventory path, role name, path and principal, or path and name of a rule.
    pub path: String,
}

/// One open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSession {
    /// vCenter's name for it.
    pub key: String,
    /// Who logged in.
    pub user: String,
    /// The client's User-Agent.
    pub agent: String,
    /// Milliseconds since 1970.
    pub login_ms: u64,
    /// Milliseconds since 1970.
    pub last_active_ms: u64,
}

/// A client of a served lab's side door.
pub struct Control {
    client: reqwest::Client,
    base: String,
    token: String,
}

/// Why the side door gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The client could not be built or the lab did not answer.
    #[error("talk to the lab at {url}; is `boma lab serve` still running?")]
    Http {
        /// What was asked.
        url: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The lab refused.
    #[error("the lab at {url} refused with HTTP status {status}: {body}")]
    Refused {
        /// What was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        body: String,
    },
}

impl Control {
    /// Prepares a client that trusts only the lab's own CA and uses no proxy. The process must
    /// have installed its rustls provider before, as for every client here.
    ///
    /// # Errors
    /// `Http` when the CA is not readable.
    pub fn connect(endpoints: &Endpoints) -> Result<Self, ControlError> {
        let base = endpoints.vcenter_url.clone();
        let failed = |source| ControlError::Http { url: base.clone(), source };
        let ca = reqwest::Certificate::from_pem(endpoints.ca_pem.as_bytes()).map_err(failed)?;
        let client = reqwest::Client::builder()
            .tls_certs_only([ca])
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(failed)?;
        Ok(Self { client, token: endpoints.control_token.clone(), base })
    }

    /// Changes up to `count` things that clients made, and tells which.
    ///
    /// # Errors
    /// `Http` and `Refused`.
    pub async fn drift(&self, seed: u64, count: usize) -> Result<Vec<Drifted>, ControlError> {
        self.ask("drift", Some(json!({ "seed": seed, "count": count }))).await
    }

    /// The world from outside.
    ///
    /// # Errors
    /// `Http` and `Refused`.
    pub async fn status(&self) -> Result<Status, ControlError> {
        self.ask("status", None).await
    }

    /// Sets how long tasks take that start from now on.
    ///
    /// # Errors
    /// `Http` and `Refused`.
    pub async fn delay(&self, ms: u64) -> Result<(), ControlError> {
        self.ask("delay", Some(json!({ "ms": ms }))).await
    }

    /// Stages faults in place of those that were staged; none clears them.
    ///
    /// # Errors
    /// `Http` and `Refused`.
    pub async fn stage(&self, faults: &[FaultRule]) -> Result<(), ControlError> {
        self.ask("fault", Some(json!(faults))).await
    }

    /// Hangs a first-class disk on the machine at a path, as the storage driver does. The disk is
    /// made where there is none of that file name (`[datastore] fcd/name.vmdk`).
    ///
    /// # Errors
    /// `Http`, and `Refused` for a path or file that cannot be.
    pub async fn attach(&self, path: &str, file: &str) -> Result<(), ControlError> {
        self.ask("attach", Some(json!({ "path": path, "file": file }))).await
    }

    /// Takes a foreign disk off the machine at a path. The disk itself stays.
    ///
    /// # Errors
    /// `Http`, and `Refused` for a path or file that cannot be.
    pub async fn detach(&self, path: &str, file: &str) -> Result<(), ControlError> {
        self.ask("detach", Some(json!({ "path": path, "file": file }))).await
    }

    /// Changes a machine as no client could.
    ///
    /// # Errors
    /// `Http`, and `Refused` for a path or value that cannot be.
    pub async fn set(&self, adjustment: &Adjustment) -> Result<(), ControlError> {
        self.ask("set", Some(json!(adjustment))).await
    }

    /// The hosts that listen, by name.
    ///
    /// # Errors
    /// `Http` and `Refused`.
    pub async fn hosts(&self) -> Result<Vec<HostEndpoint>, ControlError> {
        self.ask("hosts", None).await
    }

    /// Does something at the console of a host, by its machine's name or address.
    ///
    /// # Errors
    /// `Http`, and `Refused` for a host that there is not.
    pub async fn at_host(
        &self,
        host: &str,
        action: &HostAction,
    ) -> Result<HostAnswer, ControlError> {
        self.ask("host", Some(json!({ "host": host, "action": action }))).await
    }

    /// Changes up to `count` things on hosts that clients set up, and tells which.
    ///
    /// # Errors
    /// `Http` and `Refused`.
    pub async fn drift_hosts(&self, seed: u64, count: usize) -> Result<Vec<Drifted>, ControlError> {
        self.ask("drift-hosts", Some(json!({ "seed": seed, "count": count }))).await
    }

    /// Does something in the admin UI of the CHT project in a namespace.
    ///
    /// # Errors
    /// `Http`, and `Refused` where there is no such project or it says no.
    pub async fn project(
        &self,
        namespace: &str,
        action: &ProjectAction,
    ) -> Result<(), ControlError> {
        self.ask("project", Some(json!({ "namespace": namespace, "action": action }))).await
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        what: &str,
        body: Option<Value>,
    ) -> Result<T, ControlError> {
        let url = format!("{}/lab/{what}", self.base);
        let failed = |source| ControlError::Http { url: url.clone(), source };
        let request = match &body {
            Some(body) => self.client.post(&url).json(body),
            None => self.client.get(&url),
        };
        let response = request.header(TOKEN_HEADER, &self.token).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        if status != 200 {
            let body = response.text().await.map_err(failed)?;
            return Err(ControlError::Refused { url, status, body });
        }
        response.json().await.map_err(failed)
    }
}
