//! Ends of support and ranges of versions, as their projects published them until 2026-11-22.

use jiff::civil::{Date, date};

/// Kubernetes minor and the end of its support: kubernetes.io/releases and
/// endoflife.date/kubernetes. Minors that are left out ended before the next one that is listed.
const KUBERNETES: &[(u32, Date)] = &[
    (25, date(2023, 10, 27)),
    (30, date(2025, 7, 15)),
    (31, date(2025, 11, 11)),
    (32, date(2026, 2, 28)),
    (33, date(2026, 6, 28)),
    (34, date(2026, 10, 27)),
    (35, date(2027, 2, 28)),
    (36, date(2027, 6, 28)),
    (37, date(2027, 10, 28)),
];

/// CHT series and the end of its support; `None` where none is announced: medic/cht-docs,
/// `content/en/releases/_index.md`. Older 4.x series ended before 4.22 did.
const CHT: &[((u32, u32), Option<Date>)] = &[
    ((4, 22), Some(date(2026, 11, 20))),
    ((5, 0), Some(date(2026, 5, 26))),
    ((5, 1), Some(date(2026, 9, 26))),
    ((5, 2), Some(date(2026, 11, 26))),
    ((5, 3), None),
];

/// The release that help texts name.
pub const CHT_NEWEST: &str = "5.3.1";

/// What goes with a release series of the vSphere CSI driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsiRelease {
    /// Major and minor.
    pub series: (u32, u32),
    /// The first Kubernetes minor that it supports.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// The snapshot controller that its own script installs. `None` where it is not known.
    pub snapshots: Option<&'static str>,
}

/// Ranges: release notes of the driver and vsphere-tmm/helm-charts#106; for 2.7 the minor that
/// the CHT's hosting guide pairs it with. Snapshot controllers: the driver's
/// `deploy-csi-snapshot-components.sh`. Series that are left out have no range on record.
const CSI: &[CsiRelease] = &[
    CsiRelease { series: (2, 7), first: 25, last: 25, snapshots: Some("v6.0.1") },
    CsiRelease { series: (3, 2), first: 29, last: 29, snapshots: None },
    CsiRelease { series: (3, 3), first: 30, last: 30, snapshots: None },
    CsiRelease { series: (3, 5), first: 31, last: 33, snapshots: Some("v8.2.0") },
    CsiRelease { series: (3, 6), first: 32, last: 34, snapshots: Some("v8.2.0") },
    CsiRelease { series: (3, 7), first: 33, last: 35, snapshots: Some("v8.2.0") },
    CsiRelease { series: (3, 8), first: 34, last: 36, snapshots: Some("v8.4.0") },
];

/// When support ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The last day.
    pub date: Date,
    /// Whether that is the day itself, and not just the latest it can have been.
    pub exact: bool,
}

/// The end of support of a Kubernetes minor. `None` for minors newer than the table.
pub fn kubernetes_end(minor: u32) -> Option<End> {
    let (listed, date) = KUBERNETES.iter().find(|(listed, _)| *listed >= minor)?;
    Some(End { date: *date, exact: *listed == minor })
}

/// Kubernetes minors that are supported on a day and that a CSI release is for, oldest first.
pub fn usable(today: Date) -> impl Iterator<Item = u32> {
    let covered = |minor| CSI.iter().any(|csi| (csi.first..=csi.last).contains(&minor));
    let maintained = KUBERNETES.iter().filter(move |(_, end)| *end >= today);
    maintained.map(|(minor, _)| *minor).filter(move |minor| covered(*minor))
}

/// The end of support of a CHT series. `None` where none is announced or known.
pub fn cht_end(series: (u32, u32)) -> Option<End> {
    let (listed, date) = CHT.iter().find(|(listed, _)| *listed >= series)?;
    date.map(|date| End { date, exact: *listed == series })
}

/// What goes with a CSI series. `None` where nothing is on record.
pub fn csi_release(series: (u32, u32)) -> Option<&'static CsiRelease> {
    CSI.iter().find(|release| release.series == series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_ended_before_what_is() {
        assert_eq!(kubernetes_end(25), Some(End { date: date(2023, 10, 27), exact: true }));
        assert_eq!(kubernetes_end(28), Some(End { date: date(2025, 7, 15), exact: false }));
        assert_eq!(kubernetes_end(38), None);
        assert_eq!(cht_end((4, 5)), Some(End { date: date(2026, 11, 20), exact: false }));
        assert_eq!(cht_end((5, 3)), None);
        assert_eq!(cht_end((5, 4)), None);
    }

    #[test]
    fn what_is_recommended_is_maintained_and_has_a_driver() {
        let today = date(2026, 11, 22);
        assert_eq!(usable(today).collect::<Vec<_>>(), [35, 36]);
    }

    #[test]
    fn rows_ascend_so_that_the_first_one_at_or_above_counts() {
        assert!(KUBERNETES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(CHT.is_sorted_by(|a, b| a.0 < b.0));
        assert!(CSI.is_sorted_by(|a, b| a.series < b.series));
    }
}
