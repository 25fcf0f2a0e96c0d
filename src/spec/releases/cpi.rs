//! Releases of vSphere's cloud provider interface.

use super::Version;

/// What is known about CPI at one Kubernetes minor. Only the same minor is supported upstream
/// (kubernetes/cloud-provider-vsphere, `README.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpiMinor {
    /// Of Kubernetes, and of CPI itself.
    pub minor: u32,
    /// Its releases, oldest first.
    pub releases: &'static [&'static str],
    /// The one that boma takes where the spec names none: the first whose image is on record
    /// at registry.k8s.io, but for 1.25, whose images cannot be pulled at all.
    pub default: &'static str,
}

/// Tags of kubernetes/cloud-provider-vsphere; publication: kubernetes/k8s.io,
/// `registry.k8s.io/images/k8s-staging-cloud-pv-vsphere/images.yaml` and its pull requests.
const CPI: &[CpiMinor] = &[
    row(25, &["v1.25.3"], "v1.25.3"),
    row(28, &["v1.28.0", "v1.28.1"], "v1.28.0"),
    row(29, &["v1.29.0"], "v1.29.0"),
    row(30, &["v1.30.0", "v1.30.1", "v1.30.2"], "v1.30.0"),
    row(31, &["v1.31.0", "v1.31.1"], "v1.31.0"),
    row(32, &["v1.32.0", "v1.32.1", "v1.32.2", "v1.32.3"], "v1.32.0"),
    row(33, &["v1.33.0", "v1.33.1"], "v1.33.0"),
    row(34, &["v1.34.0"], "v1.34.0"),
    row(35, &["v1.35.0", "v1.35.1"], "v1.35.0"),
    row(36, &["v1.36.0"], "v1.36.0"),
    row(37, &["v1.37.0"], "v1.37.0"),
];

const fn row(minor: u32, releases: &'static [&'static str], default: &'static str) -> CpiMinor {
    CpiMinor { minor, releases, default }
}

/// What is known about CPI at a Kubernetes minor. `None` where nothing is on record.
pub fn cpi_minor(minor: u32) -> Option<&'static CpiMinor> {
    CPI.iter().find(|row| row.minor == minor)
}

/// Whether a release looks a node up by the UUID in its provider id and by nothing else
/// (`pkg/cloudprovider/vsphere/instances_v2.go`, since v1.35). Earlier ones fall back to the
/// node's name, so that a wrong id only shows once the node is away.
pub fn finds_by_uuid_only(cpi: Version) -> bool {
    cpi >= Version::new(1, 35, 0)
}

/// Whether a release reads endpoint slices: its manifest lets it from v1.36 on (commit 7ba6c3d6).
pub fn reads_endpoint_slices(cpi: Version) -> bool {
    cpi >= Version::new(1, 36, 0)
}

/// Whether a release knows a vCenter by the SHA-256 of its certificate. Earlier ones compare SHA-1
/// only, and log in nowhere (govmomi 0.36.1; cloud-provider-vsphere issue 1125).
pub fn pins_by_sha256(cpi: Version) -> bool {
    cpi >= Version::new(1, 30, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minor_lists_its_own_releases_and_takes_one_of_them() {
        assert!(CPI.is_sorted_by(|a, b| a.minor < b.minor));
        for row in CPI {
            let versions = row.releases.iter().filter_map(|release| Version::parse(release));
            let versions: Vec<Version> = versions.collect();
            assert!(versions.iter().all(|version| version.minor == row.minor), "{row:?}");
            assert!(versions.is_sorted_by(|a, b| a < b), "{row:?}");
            assert!(row.releases.contains(&row.default), "{row:?}");
        }
    }
}
