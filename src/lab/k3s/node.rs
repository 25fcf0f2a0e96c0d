//! Nodes, as the API server stores them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One Node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Node {
    pub name: String,
    pub uid: String,
    /// The machine it runs on.
    pub host: String,
    pub hostname: String,
    pub address: String,
    pub server: bool,
    pub born_ms: u64,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// `spec.providerID`; empty where the kubelet was given none.
    pub provider_id: String,
    pub taints: Vec<Taint>,
    pub unschedulable: bool,
    /// k3s's version.
    pub version: String,
    /// `docker://24.0.9` or `containerd://2.1.5-k3s1`.
    pub runtime: String,
    pub system_uuid: String,
    pub machine_id: String,
    pub boot_id: String,
    pub pod_cidr: String,
    /// Other names and addresses that its certificate is good for (`tls-san`).
    pub names: Vec<String>,
    /// Whether k3s runs there.
    pub running: bool,
    /// Whether it runs and reaches no server that can store what it reports.
    #[serde(default)]
    pub cut: bool,
    /// When it last came up or went away.
    pub since_ms: u64,
    /// From when on a running one is Ready.
    pub ready_from_ms: u64,
    pub revision: u64,
}

/// One taint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Taint {
    pub key: String,
    #[serde(default)]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// What a kubelet with `cloud-provider=external` puts on a new Node.
pub(in crate::lab) const UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";

impl Node {
    pub(in crate::lab) fn is_ready(&self, now_ms: u64) -> bool {
        self.is_heard() && self.ready_from_ms <= now_ms
    }

    /// Whether its kubelet's reports arrive.
    pub(in crate::lab) fn is_heard(&self) -> bool {
        self.running && !self.cut
    }

    /// Whether it answers for an address, a host name or a further name of its certificate.
    pub(super) fn answers_for(&self, name: &str) -> bool {
        self.address == name
            || self.hostname.eq_ignore_ascii_case(name)
            || self.name.eq_ignore_ascii_case(name)
            || self.names.iter().any(|other| other.eq_ignore_ascii_case(name))
    }
}

impl Taint {
    /// Reads `key=value:Effect`, `key:Effect`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (pair, effect) = text.rsplit_once(':')?;
        if !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) || pair.is_empty() {
            return None;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some(Self { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
    }
}
