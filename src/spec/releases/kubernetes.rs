//! Kubernetes minors and the ends of their support.

use jiff::civil::{Date, date};

use super::csi::covers;

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
    let maintained = KUBERNETES.iter().filter(move |(_, end)| *end >= today);
    maintained.map(|(minor, _)| *minor).filter(|minor| covers(*minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_ended_before_what_is() {
        assert_eq!(kubernetes_end(25), Some(End { date: date(2023, 10, 27), exact: true }));
        assert_eq!(kubernetes_end(28), Some(End { date: date(2025, 7, 15), exact: false }));
        assert_eq!(kubernetes_end(38), None);
    }

    #[test]
    fn what_is_recommended_is_maintained_and_has_a_driver() {
        let today = date(2026, 11, 22);
        assert_eq!(usable(today).collect::<Vec<_>>(), [35, 36]);
    }

    #[test]
    fn rows_ascend_so_that_the_first_one_at_or_above_counts() {
        assert!(KUBERNETES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
