//! `version-skew`: CPI guarantees nothing with another Kubernetes minor than its own (its
//! README), and each CSI release is tested with a few minors and one snapshot controller.

use super::{Facts, Problem, Rule, Version};
use crate::spec::releases::{CsiSeries, csi_series, is_dense};
use crate::spec::{Csi, Spec};

/// See the file's head.
pub const RULE: Rule = Rule::warn("version-skew", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let spec = facts.spec;
    let Some(k3s) = Version::parse(&spec.k3s.version) else { return };
    report.extend(cloud_provider(spec, k3s.minor));
    let Some(csi) = Version::parse(&spec.csi.version) else { return };
    match csi_series((csi.major, csi.minor)) {
        Some(release) => {
            report.extend(range(spec, release, k3s.minor));
            report.extend(snapshots(spec, release));
        }
        None => report.push(unknown(&spec.csi)),
    }
    report.extend(density(&spec.csi, csi));
}

fn cloud_provider(spec: &Spec, minor: u32) -> Option<Problem> {
    let version = &spec.cloud_provider.version;
    let cpi = Version::parse(version).filter(|cpi| cpi.minor != minor)?;
    let message = format!("CPI {version} is for Kubernetes 1.{}, and k3s is 1.{minor}", cpi.minor);
    let help = "remove `version` from [cloud_provider]: it then follows the k3s version";
    Some(Problem::at(&version.place, message, help))
}

fn range(spec: &Spec, release: &CsiSeries, minor: u32) -> Option<Problem> {
    let version = &spec.csi.version;
    let (first, last) = (release.first, release.last);
    let outside = !(first..=last).contains(&minor);
    outside.then(|| {
        let range = match first == last {
            true => format!("1.{first}"),
            false => format!("1.{first} to 1.{last}"),
        };
        let message = format!("CSI {version} is for Kubernetes {range}, and k3s is 1.{minor}");
        let help = "choose versions that go together: `version` in [csi] and in [k3s]";
        Problem::at(&version.place, message, help)
    })
}

fn snapshots(spec: &Spec, release: &CsiSeries) -> Option<Problem> {
    let version = &spec.snapshots.version;
    let expected = release.snapshots.filter(|expected| *expected != version.value)?;
    spec.snapshots.enabled.value.then(|| {
        let csi = &spec.csi.version;
        let message =
            format!("CSI {csi} is tested with snapshot controller {expected}, not {version}");
        let help = "remove `version` from [snapshots]: it then follows the CSI version";
        Problem::at(&version.place, message, help)
    })
}

fn unknown(csi: &Csi) -> Problem {
    let message = format!("which Kubernetes minors CSI {} is for is not on record", csi.version);
    let help = "remove `version` from [csi]: it then follows the k3s version";
    Problem::at(&csi.version.place, message, help)
}

fn density(csi: &Csi, version: Version) -> Option<Problem> {
    (csi.high_density.value && !is_dense(version)).then(|| {
        let message = format!("CSI {} has no high density of volumes", csi.version);
        let help = "remove `high_density` from [csi], or set `version` to v3.7.1 or later";
        Problem::at(&csi.high_density.place, message, help)
    })
}
