//! What all projects share in the cluster: CPI, CSI, storage class, snapshots, entry.

use std::collections::BTreeMap;

use crate::diag::Place;

use super::{Seconds, Sp, Subnet};

/// An upstream manifest used in place of boma's own rendering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// A path or an https URL.
    pub from: Sp<String>,
    /// Of the file's bytes: 64 lower-case hex digits.
    pub sha256: Sp<String>,
}

/// vSphere's cloud provider interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudProvider {
    /// The table, or the file's start where there is none.
    pub place: Place,
    /// `vX.Y.Z`; the default follows the k3s version.
    pub version: Sp<String>,
    /// Image name without tag.
    pub image: Sp<String>,
    /// `None`: rendered by boma.
    pub manifest: Option<Manifest>,
    /// Whether the password is in the ConfigMap too, as the guide has it; a finding.
    pub password_in_config_map: Sp<bool>,
    /// Keeps CPI from deleting Node objects, while wrong provider ids are repaired.
    pub skip_node_deletion: Sp<bool>,
    /// Tag category of regions; only with `zone`.
    pub region: Option<Sp<String>>,
    /// Tag category of zones; only with `region`.
    pub zone: Option<Sp<String>>,
}

/// vSphere's container storage interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csi {
    /// The table, or the file's start where there is none.
    pub place: Place,
    /// `vX.Y.Z`; the default follows the k3s version.
    pub version: Sp<String>,
    /// Unique name of this Kubernetes cluster in the vCenter, 64 characters at most.
    /// `None`: the id which the driver generated earlier stays in use.
    pub cluster_id: Option<Sp<String>>,
    /// Controller replicas. `None`: one per server, three at most.
    pub replicas: Option<Sp<u32>>,
    /// Registry and folder of `driver` and `syncer`.
    pub registry: Sp<String>,
    /// Registry and folder of the sidecars and the snapshot controller.
    pub sidecar_registry: Sp<String>,
    /// Sidecar name (`csi-provisioner`) to version, where not the driver release's own.
    pub sidecars: BTreeMap<String, Sp<String>>,
    /// Digests that pin the driver's own images.
    pub digests: CsiDigests,
    /// `None`: rendered by boma.
    pub manifest: Option<Manifest>,
    /// 255 volumes per node in place of 59; needs vSphere 8 and CSI v3.7.1.
    pub high_density: Sp<bool>,
    /// Snapshots that a volume may have.
    pub snapshots_per_volume: Sp<u32>,
}

/// `sha256:…` of the driver's own images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsiDigests {
    /// Of `driver`.
    pub driver: Option<Sp<String>>,
    /// Of `syncer`.
    pub syncer: Option<Sp<String>>,
}

/// The storage class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The table.
    pub place: Place,
    /// Its name.
    pub class: Sp<String>,
    /// Storage policy by name. `None`: whatever datastore fits.
    pub policy: Option<Sp<String>>,
    /// `ds:///vmfs/volumes/…/`
    pub datastore_url: Option<Sp<String>>,
    /// Of new volumes.
    pub file_system: Sp<FileSystem>,
    /// What happens to a volume whose claim is deleted.
    pub reclaim: Sp<DeletionPolicy>,
    /// Whether volumes may grow.
    pub expansion: Sp<bool>,
    /// Whether it is the default class.
    pub default: Sp<bool>,
    /// When volumes are made.
    pub binding: Sp<VolumeBinding>,
    /// What happens to k3s' own class.
    pub local_path: Sp<LocalPath>,
}

/// A volume's file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileSystem {
    /// `ext4`
    Ext4,
    /// `xfs`
    Xfs,
}

/// Whether data outlives the object that claims it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeletionPolicy {
    /// It does.
    Retain,
    /// It does not.
    Delete,
}

/// When volumes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeBinding {
    /// With the claim.
    Immediate,
    /// With the first pod.
    WaitForFirstConsumer,
}

/// What happens to k3s' own storage class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalPath {
    /// `disabled`: k3s leaves it out.
    Disabled,
    /// `not-default`: it stays and is not the default.
    NotDefault,
    /// `default`: it stays as k3s ships it, as a default class.
    Default,
}

/// Volume snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshots {
    /// The table, or the file's start where there is none.
    pub place: Place,
    /// Whether definitions, controller and class are installed.
    pub enabled: Sp<bool>,
    /// Of the snapshot controller, `vX.Y.Z`; the default follows the CSI version.
    pub version: Sp<String>,
    /// The snapshot class' name.
    pub class: Sp<String>,
    /// What happens to a snapshot whose object is deleted.
    pub deletion: Sp<DeletionPolicy>,
}

/// The entry into the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traefik {
    /// The table, or the file's start where there is none.
    pub place: Place,
    /// For a whole request with its body; 0 is no limit.
    pub read_timeout: Sp<Seconds>,
    /// For a whole response; 0 is no limit.
    pub write_timeout: Sp<Seconds>,
    /// Of connections between requests.
    pub idle_timeout: Sp<Seconds>,
    /// Whether pods see the client's own address.
    pub client_address: Sp<bool>,
    /// Whose X-Forwarded headers count; empty: `[network] ingress_from`.
    pub trusted_proxies: Vec<Sp<Subnet>>,
    /// Which machines answer on ports 80 and 443.
    pub entry: Sp<Entry>,
}

/// Which machines answer on ports 80 and 443.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// `all`
    All,
    /// `servers`
    Servers,
    /// `agents`
    Agents,
}
