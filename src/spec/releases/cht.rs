//! CHT series and the ends of their support.

use jiff::civil::{Date, date};

use super::{End, Version};

/// CHT series and the end of its support; `None` where none is announced: medic/cht-docs,
/// `content/en/releases/_index.md`. Older 4.x series ended before 4.22 did.
const SERIES: &[((u32, u32), Option<Date>)] = &[
    ((4, 22), Some(date(2026, 11, 20))),
    ((5, 0), Some(date(2026, 5, 26))),
    ((5, 1), Some(date(2026, 9, 26))),
    ((5, 2), Some(date(2026, 11, 26))),
    ((5, 3), None),
];

/// The first release with Nouveau, and the first whose charts are without the upgrade-service.
pub const NOUVEAU_SINCE: Version = Version::new(5, 0, 0);

/// The first release whose api and sentinel are told their mode and log level (cht-core#10826).
pub const TOLD_SINCE: Version = Version::new(5, 2, 0);

/// The first release with a Nouveau beside every CouchDB node (cht-core#11125).
pub const NOUVEAU_EACH_SINCE: Version = Version::new(5, 3, 0);

/// The upgrade-service's image and tag (medic/helm-charts, `cht-chart-4x`).
pub const UPGRADE_SERVICE: (&str, &str) = ("medicmobile/upgrade-service", "0.32");

/// The release that help texts name.
pub const CHT_NEWEST: &str = "5.3.1";

/// The end of support of a CHT series. `None` where none is announced or known.
pub fn cht_end(series: (u32, u32)) -> Option<End> {
    let (listed, date) = SERIES.iter().find(|(listed, _)| *listed >= series)?;
    date.map(|date| End { date, exact: *listed == series })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_ended_before_what_is() {
        assert_eq!(cht_end((4, 5)), Some(End { date: date(2026, 11, 20), exact: false }));
        assert_eq!(cht_end((5, 3)), None);
        assert_eq!(cht_end((5, 4)), None);
    }

    #[test]
    fn rows_ascend_so_that_the_first_one_at_or_above_counts() {
        assert!(SERIES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
