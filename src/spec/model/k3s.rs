//! `[k3s]` and `[docker]`

use crate::diag::Place;

use super::{Seconds, SecretRef, Sp, Subnet};

/// How k3s is installed and configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct K3s {
    /// The table.
    pub place: Place,
    /// `vX.Y.Z+k3sN`.
    pub version: Sp<String>,
    /// The server token.
    pub token: Sp<SecretRef>,
    /// The agents' token. `None`: agents use the server token (a finding).
    pub agent_token: Option<Sp<SecretRef>>,
    /// The token before a rotation; given only while one is under way.
    pub previous_token: Option<Sp<SecretRef>>,
    /// What runs containers.
    pub runtime: Sp<Runtime>,
    /// Mode of /etc/rancher/k3s/k3s.yaml, as in 0o600.
    pub kubeconfig_mode: Sp<u32>,
    /// Which UUID of the VM becomes the node's provider id.
    pub provider_id: Sp<ProviderId>,
    /// Where machines join.
    pub join: Sp<Join>,
    /// Pod network.
    pub cluster_cidr: Sp<Subnet>,
    /// Service network.
    pub service_cidr: Sp<Subnet>,
    /// The cluster's DNS domain.
    pub cluster_domain: Sp<String>,
    /// More names or addresses for the API's certificate.
    pub tls_san: Vec<Sp<String>>,
    /// Components k3s leaves out; local-storage follows `[storage] local_path`.
    pub disable: Vec<Sp<Disable>>,
    /// How pods of different machines talk.
    pub flannel_backend: Sp<FlannelBackend>,
    /// Whether Secrets are encrypted in etcd.
    pub secrets_encryption: Sp<bool>,
    /// Whether machines share images among themselves.
    pub embedded_registry: Sp<bool>,
    /// More kubelet arguments: `max-pods=150`.
    pub kubelet_args: Vec<Sp<String>>,
    /// Base URL in place of GitHub's releases.
    pub mirror: Option<Sp<String>>,
    /// A local folder with the binary and image archives (air gap).
    pub directory: Option<Sp<String>>,
    /// How long a drain may take.
    pub drain_timeout: Sp<Seconds>,
    /// How long a machine may take to become Ready.
    pub ready_timeout: Sp<Seconds>,
}

/// What runs containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runtime {
    /// k3s' own.
    Containerd,
    /// Docker Engine, installed beforehand.
    Docker,
}

/// Which UUID of a VM becomes the node's provider id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderId {
    /// What CPI and CSI look up.
    BiosUuid,
    /// What the guide names; a finding.
    InstanceUuid,
}

/// Where machines join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Join {
    /// Any live server.
    AnyServer,
    /// A virtual address or name in front of the servers.
    Address(String),
    /// Always this server, by machine name; a finding.
    Server(String),
}

/// Components that k3s can leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disable {
    /// `traefik`
    Traefik,
    /// `servicelb`
    ServiceLb,
    /// `metrics-server`
    MetricsServer,
    /// `coredns`
    CoreDns,
}

/// How pods of different machines talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlannelBackend {
    /// `vxlan`
    Vxlan,
    /// `host-gw`
    HostGw,
    /// `wireguard-native`
    WireguardNative,
}

/// Docker Engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Docker {
    /// The table, or `[k3s]` where there is none.
    pub place: Place,
    /// `X.Y.Z`.
    pub version: Sp<String>,
    /// Base URL in place of download.docker.com.
    pub mirror: Option<Sp<String>>,
}
