//! The checked spec as plain data: groups expanded, defaults merged, places kept.

mod backup;
mod cluster;
mod images;
mod k3s;
mod machines;
mod network;
mod parts;
mod projects;
mod review;
mod root;
mod ssh;
mod value;
mod vcenter;

pub use backup::{Backup, BackupMode, EtcdBackup, ProjectBackup, S3};
pub use cluster::{
    CloudProvider, Csi, CsiDigests, DeletionPolicy, Entry, FileSystem, LocalPath, Manifest,
    Snapshots, Storage, Traefik, VolumeBinding,
};
pub use images::{Images, RegistryLogin};
pub use k3s::{Disable, Docker, FlannelBackend, Join, K3s, ProviderId, Runtime};
pub use machines::{
    Group, Groups, HardwareUpgrade, KeepApart, Machine, Machines, Role, Taint, TaintEffect,
};
pub use network::{Allow, AllowOn, Network, Protocol};
pub use parts::{Left, Part, Share};
pub use projects::{
    Component, CouchDb, Credentials, ImageOwner, Placement, Project, Projects, Quota, Resources,
    Rollout, Tls,
};
pub use review::{RuleLevel, Waiver};
pub use root::Spec;
pub use ssh::{Jump, Ssh};
pub use value::{Milli, Seconds, SecretRef, Sp, Subnet};
pub use vcenter::{StorageAccount, Trust, Vcenter};
