//! What the manifests of the CSI driver's releases differ in.

use crate::spec::releases::Version;

/// One form of the manifest, from a release on until the next form.
#[derive(Clone, Copy, Debug)]
pub struct CsiRelease {
    /// The first release that has it.
    pub since: Version,
    /// Keys of the feature states and whether they are on.
    pub features: &'static [(&'static str, bool)],
    /// Whether the controller makes a cluster id of its own where it is given none, and keeps
    /// records of its volumes: both need rights.
    pub keeps_records: bool,
    /// Whether driver and syncer run as a user of their own. Earlier images need root.
    pub own_user: bool,
    /// Whether the leases of all containers have times of their own. Earlier ones take 15 s,
    /// which a slow API server exceeds.
    pub lease_times: bool,
    /// Seconds until the controller's first probe, for an answer, and between probes.
    pub probe: (u32, u32, u32),
    /// Whether certificates with SHA-1 signatures must be allowed by hand.
    pub sha1: bool,
    /// Whether the attacher takes a number of workers.
    pub attacher_workers: bool,
    /// Whether the snapshotter passes names on.
    pub snapshot_names: bool,
    /// Whether driver and syncer have a profiling server that can be off.
    pub profiling: bool,
    /// Whether the resizer's recovery of failed expansions must be off.
    pub no_recovery: bool,
    /// Whether the number of volumes for each machine is an environment variable.
    pub volumes_variable: bool,
}

const V2_7: CsiRelease = CsiRelease {
    since: Version::new(2, 7, 0),
    features: &[
        ("async-query-volume", true),
        ("block-volume-snapshot", true),
        ("cnsmgr-suspend-create-volume", true),
        ("csi-auth-check", true),
        ("csi-migration", true),
        ("csi-windows-support", false),
        ("improved-csi-idempotency", true),
        ("improved-volume-topology", true),
        ("list-volumes", false),
        ("max-pvscsi-targets-per-vm", true),
        ("online-volume-extend", true),
        ("pv-to-backingdiskobjectid-mapping", false),
        ("topology-preferential-datastores", true),
        ("trigger-csi-fullsync", false),
        ("use-csinode-id", true),
    ],
    keeps_records: false,
    own_user: false,
    lease_times: false,
    probe: (10, 3, 5),
    sha1: true,
    attacher_workers: false,
    snapshot_names: false,
    profiling: false,
    no_recovery: false,
    volumes_variable: true,
};

const V3_5: CsiRelease = CsiRelease {
    since: Version::new(3, 5, 0),
    features: &[("pv-to-backingdiskobjectid-mapping", false), ("trigger-csi-fullsync", false)],
    keeps_records: true,
    own_user: true,
    lease_times: true,
    probe: (30, 10, 180),
    sha1: false,
    attacher_workers: true,
    ..V2_7
};

const V3_7_0: CsiRelease =
    CsiRelease { since: Version::new(3, 7, 0), snapshot_names: true, profiling: true, ..V3_5 };

const V3_7_1: CsiRelease = CsiRelease {
    since: Version::new(3, 7, 1),
    features: &[
        (DENSITY, false),
        ("pv-to-backingdiskobjectid-mapping", false),
        ("trigger-csi-fullsync", false),
    ],
    volumes_variable: false,
    ..V3_7_0
};

const V3_8: CsiRelease = CsiRelease { since: Version::new(3, 8, 0), no_recovery: true, ..V3_7_1 };

/// Oldest first. Source: `manifests/vanilla/vsphere-csi-driver.yaml` at v2.7.2, v3.5.1-rc.1,
/// v3.7.2 and v3.8.0-rc.1. That of v3.6 was not seen: what v3.7.0 added to v3.5.1 is left out,
/// and each of these has that as its default.
const RELEASES: [CsiRelease; 5] = [V2_7, V3_5, V3_7_0, V3_7_1, V3_8];

/// The feature state for 255 volumes for each machine in place of 59.
pub const DENSITY: &str = "high-pv-node-density";

/// The form of a release's manifest: the last one that is not newer. A release that none is
/// on record for is a finding.
pub fn csi_release(version: &str) -> &'static CsiRelease {
    let asked = Version::parse(version);
    let old_enough = |release: &&CsiRelease| asked.is_none_or(|asked| release.since <= asked);
    RELEASES.iter().rev().find(old_enough).unwrap_or(&RELEASES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: &str, since: Version) {
        assert_eq!(csi_release(version).since, since, "{version}");
    }

    #[test]
    fn a_release_has_the_last_form_before_it() {
        assert!(RELEASES.is_sorted_by(|a, b| a.since < b.since));
        check("v2.7.2", Version::new(2, 7, 0));
        check("v3.6.3", Version::new(3, 5, 0));
        check("v3.7.0", Version::new(3, 7, 0));
        check("v3.7.2", Version::new(3, 7, 1));
        check("v3.8.0", Version::new(3, 8, 0));
        check("v2.0.0", Version::new(2, 7, 0));
    }
}
