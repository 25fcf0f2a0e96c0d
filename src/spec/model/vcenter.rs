//! `[vcenter]`

use crate::diag::Place;

use super::{SecretRef, Sp};

/// The vCenter and where in it things go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vcenter {
    /// The table.
    pub place: Place,
    /// Host name or IPv4 address, as CPI and CSI will use it too.
    pub server: Sp<String>,
    /// HTTPS port.
    pub port: Sp<u16>,
    /// boma's own account.
    pub username: Sp<SecretRef>,
    /// Its password.
    pub password: Sp<SecretRef>,
    /// How the certificate is checked.
    pub trust: Sp<Trust>,
    /// Datacenter name, or path below its folders: `country/DC1`.
    pub datacenter: Sp<String>,
    /// Compute cluster name.
    pub cluster: Sp<String>,
    /// The datastore for VMs (unless a machine says otherwise) and volumes.
    pub datastore: Sp<String>,
    /// `None` is the cluster's root pool.
    pub resource_pool: Option<Sp<String>>,
    /// ESXi hosts that nodes run on; each gets the ReadOnly role for the storage account.
    pub hosts: Vec<Sp<String>>,
    /// The account CPI and CSI log in with.
    pub storage_account: StorageAccount,
}

/// How the vCenter's certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Against the CAs this computer trusts.
    System,
    /// Against the CAs in a PEM file; the path as written.
    CaFile(String),
    /// By the SHA-256 of the leaf certificate: 32 upper-case bytes joined by colons.
    Thumbprint(String),
    /// Not at all.
    Insecure,
}

/// The account that CPI and CSI log in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageAccount {
    /// `name@domain` or `DOMAIN\name`; CSI from v3.1 on refuses other forms.
    pub principal: Sp<String>,
    /// Its password.
    pub password: Sp<SecretRef>,
}
