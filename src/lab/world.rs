//! Everything that a lab remembers: the vCenter's world, the hosts, the clusters.

use serde::{Deserialize, Serialize};

use super::host::{HostRecord, Hosts};
use super::k3s::Clusters;
use super::vsphere::{Entry, World};

/// One record of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Record {
    /// What the vCenter did.
    #[serde(rename = "effects")]
    Vsphere(Entry),
    /// What happened on hosts and to clusters.
    #[serde(rename = "host")]
    Host(HostRecord),
}

/// A lab's memory.
#[derive(Default)]
pub(super) struct LabWorld {
    pub vsphere: World,
    pub hosts: Hosts,
    pub clusters: Clusters,
}

/// The same, borrowed.
#[derive(Clone, Copy)]
pub(super) struct Picture<'a> {
    pub vsphere: &'a World,
    pub hosts: &'a Hosts,
    pub clusters: &'a Clusters,
}

impl LabWorld {
    /// Carries out one record.
    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Vsphere(entry) => self.vsphere.apply(entry),
            Record::Host(record) => {
                record.hosts.iter().for_each(|effect| self.hosts.apply(effect));
                record.clusters.iter().for_each(|effect| self.clusters.apply(effect));
            }
        }
    }

    pub(super) fn picture(&self) -> Picture<'_> {
        Picture { vsphere: &self.vsphere, hosts: &self.hosts, clusters: &self.clusters }
    }
}
