//! The releases that boma takes where a spec names none, and no lock pins any.

use super::csi::csi_series;
use super::{Version, cpi_minor};
use crate::spec::scalar::minor_of;

/// Of k3s: of the minors that a CSI release with digests on record is for, the newest.
pub const K3S: &str = "v1.35.9+k3s1";

/// Of Docker Engine: the last that k3s releases before v1.26.14 can use.
pub const DOCKER: &str = "24.0.9";

/// Of the CHT.
pub const CHT: &str = "5.3.1";

/// The release of CPI for a k3s release. Minors that are not on record start at `.0`.
pub fn cpi(k3s: &str) -> String {
    let minor = minor_of(k3s).or_else(|| minor_of(K3S)).unwrap_or(0);
    cpi_minor(minor).map_or_else(|| format!("v1.{minor}.0"), |row| row.default.to_owned())
}

/// A release of CSI whose range holds the k3s minor. Minors out of every range get the nearest
/// one; a rule says so.
pub fn csi(k3s: &str) -> &'static str {
    match minor_of(k3s) {
        Some(..=28) => "v2.7.2",
        Some(29) => "v3.2.0",
        Some(30) => "v3.3.1",
        Some(31) => "v3.5.1",
        Some(32) => "v3.6.3",
        Some(36..) => "v3.8.0",
        Some(33..=35) | None => "v3.7.2",
    }
}

/// The snapshot controller of a CSI release: the one that its own script installs, or that of
/// the sidecar `csi-snapshotter`, which is released with it.
pub fn snapshots(csi: &str) -> &'static str {
    let Some(csi) = Version::parse(csi) else { return "v8.2.0" };
    match csi_series((csi.major, csi.minor)).and_then(|series| series.snapshots) {
        Some(release) => release,
        None if csi.major < 3 => "v6.0.1",
        None if csi >= Version::new(3, 8, 0) => "v8.4.0",
        None => "v8.2.0",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::csi_series;
    use super::*;

    #[test]
    fn every_minor_in_a_range_gets_a_driver_that_is_for_it() {
        for minor in [25, 29, 30, 31, 32, 33, 34, 35, 36] {
            let driver = Version::parse(csi(&format!("v1.{minor}.0+k3s1"))).unwrap();
            let series = csi_series((driver.major, driver.minor)).unwrap();
            assert!((series.first..=series.last).contains(&minor), "1.{minor}: {driver:?}");
        }
    }

    #[test]
    fn defaults_follow_one_another() {
        assert_eq!(cpi("v1.25.14+k3s1"), "v1.25.3");
        assert_eq!(cpi("v1.36.5+k3s1"), "v1.36.0");
        assert_eq!(cpi("v1.41.0+k3s1"), "v1.41.0");
        assert_eq!(snapshots("v2.7.2"), "v6.0.1");
        assert_eq!(snapshots("v3.8.0"), "v8.4.0");
        assert_eq!(snapshots("v3.3.1"), "v8.2.0");
        assert_eq!(snapshots("v2.1.0"), "v6.0.1");
    }
}
