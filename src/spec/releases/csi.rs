//! Release series of the vSphere CSI driver and what goes with them.

use super::Version;

/// What goes with a release series of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsiSeries {
    /// Major and minor.
    pub series: (u32, u32),
    /// The first Kubernetes minor that it supports.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// The snapshot controller that its own script installs. `None` where it is not known.
    pub snapshots: Option<&'static str>,
    /// What its manifest runs beside the driver. `None` where it is not on record.
    pub sidecars: Option<&'static Sidecars>,
}

/// Ranges: release notes of the driver and vsphere-tmm/helm-charts#106; for 2.7 the minor that
/// the CHT's hosting guide pairs it with. Snapshot controllers: the driver's
/// `deploy-csi-snapshot-components.sh`. Sidecars: `manifests/vanilla/vsphere-csi-driver.yaml`
/// at v2.7.2, v3.5.1-rc.1, v3.7.2 and v3.8.0-rc.1. Series that are left out have no range on
/// record.
const CSI: &[CsiSeries] = &[
    row((2, 7), 25..=25, Some("v6.0.1"), Some(&SIDECARS_2_7)),
    row((3, 2), 29..=29, None, None),
    row((3, 3), 30..=30, None, None),
    row((3, 5), 31..=33, Some("v8.2.0"), Some(&SIDECARS_3_5)),
    row((3, 6), 32..=34, Some("v8.2.0"), None),
    row((3, 7), 33..=35, Some("v8.2.0"), Some(&SIDECARS_3_7)),
    row((3, 8), 34..=36, Some("v8.4.0"), Some(&SIDECARS_3_8)),
];

const fn row(
    series: (u32, u32),
    minors: std::ops::RangeInclusive<u32>,
    snapshots: Option<&'static str>,
    sidecars: Option<&'static Sidecars>,
) -> CsiSeries {
    CsiSeries { series, first: *minors.start(), last: *minors.end(), snapshots, sidecars }
}

/// Names of sidecar images with their tags, in the order of [`SIDECARS`].
pub type Sidecars = [(&'static str, &'static str); 6];

/// The names of the sidecars, which are also the names of their images.
pub const SIDECARS: [&str; 6] = [
    "csi-attacher",
    "csi-node-driver-registrar",
    "csi-provisioner",
    "csi-resizer",
    "csi-snapshotter",
    "livenessprobe",
];

const SIDECARS_2_7: Sidecars = tags(["v3.5.0", "v2.6.2", "v3.3.0", "v1.6.0", "v6.0.1", "v2.8.0"]);
const SIDECARS_3_5: Sidecars =
    tags(["v4.8.1", "v2.13.0", "v4.0.1", "v1.12.0", "v8.2.0", "v2.15.0"]);
const SIDECARS_3_7: Sidecars =
    tags(["v4.9.0", "v2.13.0", "v4.0.1", "v1.12.0", "v8.2.0", "v2.15.0"]);
const SIDECARS_3_8: Sidecars =
    tags(["v4.10.0", "v2.14.0", "v4.0.1", "v2.0.0", "v8.4.0", "v2.17.0"]);

const fn tags(tags: [&'static str; 6]) -> Sidecars {
    let mut sidecars = [("", ""); 6];
    let mut at = 0;
    while at < SIDECARS.len() {
        sidecars[at] = (SIDECARS[at], tags[at]);
        at += 1;
    }
    sidecars
}

/// What goes with a CSI series. `None` where nothing is on record.
pub fn csi_series(series: (u32, u32)) -> Option<&'static CsiSeries> {
    CSI.iter().find(|release| release.series == series)
}

/// Whether boma knows what a release's manifest looks like: series by series, since patch releases
/// keep that of theirs but for what the lowering knows of.
pub fn is_rendered(csi: Version) -> bool {
    RENDERED.contains(&(csi.major, csi.minor))
}

/// The series that boma renders.
pub const RENDERED: [(u32, u32); 5] = [(2, 7), (3, 5), (3, 6), (3, 7), (3, 8)];

/// The sidecars of a driver. Where its own are not on record, those of the next series that
/// has some, which upstream moves together in steps of a few minors; the newest ones above all.
pub fn sidecars(csi: Version) -> &'static Sidecars {
    let series = (csi.major, csi.minor);
    let later = CSI.iter().filter(|release| release.series >= series);
    later.filter_map(|release| release.sidecars).next().unwrap_or(&SIDECARS_3_8)
}

/// Digests of the driver's own images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of `driver`.
    pub driver: &'static str,
    /// Of `syncer`.
    pub syncer: &'static str,
}

/// Digests at registry.k8s.io/csi-vsphere, as kubernetes/k8s.io has them in
/// `registry.k8s.io/images/k8s-staging-csi-vsphere/images.yaml`. `None` where none is on record.
pub fn csi_digests(version: &str) -> Option<Digests> {
    (version == "v3.7.2").then_some(Digests {
        driver: "sha256:cdce4c97940de307fbc819624077cb68cb8b124f5d8ddd7d3f9e8551d5f3180e",
        syncer: "sha256:8d588681a982718af39cdb4964aa9449cc213d34142a4971f45ec36d25326c60",
    })
}

/// Whether a release can be told to take 255 volumes for each machine, by a feature state
/// (`pkg/csi/service/node.go`). Earlier ones take 59.
pub fn is_dense(csi: Version) -> bool {
    csi >= Version::new(3, 7, 1)
}

/// Whether any release is for a Kubernetes minor.
pub(super) fn covers(minor: u32) -> bool {
    CSI.iter().any(|csi| (csi.first..=csi.last).contains(&minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_ascend_so_that_the_next_one_is_the_next_series() {
        assert!(CSI.is_sorted_by(|a, b| a.series < b.series));
    }

    #[test]
    fn series_without_sidecars_take_those_of_the_next() {
        let of = |series: (u32, u32)| sidecars(Version::new(series.0, series.1, 0))[0].1;
        assert_eq!(of((2, 7)), "v3.5.0");
        assert_eq!(of((3, 5)), "v4.8.1");
        assert_eq!(of((3, 6)), "v4.9.0");
        assert_eq!(of((3, 7)), "v4.9.0");
        assert_eq!(of((3, 8)), "v4.10.0");
        assert_eq!(of((4, 0)), "v4.10.0");
    }
}
