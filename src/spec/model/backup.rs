//! `[backup]`

use crate::diag::Place;

use super::{Seconds, SecretRef, Sp};

/// Who takes backups, of what, when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The table.
    pub place: Place,
    /// Who takes them.
    pub mode: Sp<BackupMode>,
    /// How old the last success may be before it is a finding.
    pub age_max: Sp<Seconds>,
    /// Of the cluster's own data.
    pub etcd: EtcdBackup,
    /// Of every project, unless the project says otherwise.
    pub projects: ProjectBackup,
}

/// Who takes backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupMode {
    /// boma sets them up.
    Managed,
    /// Somebody else does; the reason given in the spec.
    External(String),
}

/// Snapshots of etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdBackup {
    /// Five cron fields.
    pub schedule: Sp<String>,
    /// How many are kept.
    pub keep: Sp<u32>,
    /// `None`: on the servers' own disks only.
    pub s3: Option<S3>,
}

/// An S3 store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// The table.
    pub place: Place,
    /// Host, with a port where not 443.
    pub endpoint: Sp<String>,
    /// The bucket.
    pub bucket: Sp<String>,
    /// Its region.
    pub region: Sp<String>,
    /// Prefix of every object's name.
    pub folder: Option<Sp<String>>,
    /// Access key id.
    pub access_key: Sp<SecretRef>,
    /// Secret access key.
    pub secret_key: Sp<SecretRef>,
}

/// Volume snapshots of projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectBackup {
    /// Five cron fields.
    pub schedule: Sp<String>,
    /// How many of each volume are kept.
    pub keep: Sp<u32>,
}
