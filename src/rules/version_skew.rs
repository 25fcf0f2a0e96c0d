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
    report.extend(cloud_provider(facts, k3s.minor));
    let Some(csi) = Version::parse(&spec.csi.version) else { return };
    match csi_series((csi.major, csi.minor)) {
        Some(release) => {
            report.extend(range(spec, release, k3s.minor));
            report.extend(snapshots(facts, release));
        }
        None => report.push(unknown(&spec.csi)),
    }
    report.extend(density(&spec.csi, csi));
}

/// How a version comes to follow another, where the spec names it or its lock does.
fn follow(facts: &Facts<'_>, table: &str, other: &str) -> String {
    let key = format!("{table}.version");
    let locked = facts.lock.and_then(|lock| lock.locked.as_ref());
    if locked.is_some_and(|pins| pins.values.contains_key(key.as_str())) {
        return format!(
            "run `boma lock SPEC --upgrade`: boma.lock has it, and it then follows the {other} version"
        );
    }
    format!("remove `version` from [{table}]: it then follows the {other} version")
}

fn cloud_provider(facts: &Facts<'_>, minor: u32) -> Option<Problem> {
    let version = &facts.spec.cloud_provider.version;
    let cpi = Version::parse(version).filter(|cpi| cpi.minor != minor)?;
    let message = format!("CPI {version} is for Kubernetes 1.{}, and k3s is 1.{minor}", cpi.minor);
    let help = follow(facts, "cloud_provider", "k3s");
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

fn snapshots(facts: &Facts<'_>, release: &CsiSeries) -> Option<Problem> {
    let spec = facts.spec;
    let version = &spec.snapshots.version;
    let expected = release.snapshots.filter(|expected| *expected != version.value)?;
    spec.snapshots.enabled.value.then(|| {
        let csi = &spec.csi.version;
        let message =
            format!("CSI {csi} is tested with snapshot controller {expected}, not {version}");
        let help = follow(facts, "snapshots", "CSI");
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

#[cfg(test)]
mod tests {
    use crate::rules::testing::{findings, locked, nothing, spec};

    #[test]
    fn what_the_lock_has_is_not_to_be_removed_from_the_spec() {
        let spec = spec(&[("[storage]", "[cloud_provider]\nversion = \"v1.34.0\"\n[storage]")]);
        let check = |world, expected: &str| {
            let found = findings(&spec, &world);
            let skew = found.iter().find(|one| one.rule == "version-skew");
            let help = skew.map(|one| one.help.as_str()).unwrap_or_default();
            assert!(help.starts_with(expected), "{help}");
        };
        check(nothing(), "remove `version` from [cloud_provider]");
        let pins = [("cloud_provider.version", "v1.34.0")];
        check(locked(&pins, &pins), "run `boma lock SPEC --upgrade`");
    }
}
