//! Data that outlives its project: whose it is, and how it goes on purpose.

use std::collections::BTreeMap;

use super::TextOptions;
use super::words::{clean, count, names};
use crate::plan::{Action, Plan, Reason};

/// A line for all projects that leave data behind; none where nothing is left.
pub fn kept(plan: &Plan, options: &TextOptions) -> Option<String> {
    let mut projects: BTreeMap<&str, usize> = BTreeMap::new();
    let forgotten = plan.changes.iter().filter(|change| {
        change.action == Action::Forget && change.reasons.contains(&Reason::HoldsData)
    });
    for change in forgotten {
        let Some(project) = change.address.project() else { continue };
        let claim = change.kind.name.ends_with("/PersistentVolumeClaim");
        *projects.entry(project).or_default() += usize::from(claim);
    }
    let first = projects.keys().next()?;
    let volumes = count(projects.values().sum(), "volume");
    let all = names(projects.keys().copied(), options.full);
    let spec = clean(&plan.basis.spec);
    let remove = format!("boma destroy {spec} --abandon-data {}", clean(first));
    Some(format!("{all} with {volumes}; to remove one for good: {remove}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::fixture::{change, options, review};
    use super::*;
    use crate::resource::Kind;

    fn check(addresses: &[&str], expected: Option<&str>) {
        let kind = Kind::named("kubernetes/PersistentVolumeClaim").unwrap();
        let forgotten = |address: &&str| change(Action::Forget, kind, address, Reason::HoldsData);
        let plan = review(addresses.iter().map(forgotten).collect()).plan;
        assert_eq!(kept(&plan, &options()).as_deref(), expected);
    }

    #[test]
    fn what_is_left_says_how_it_goes() {
        check(
            &["project/a/PersistentVolumeClaim/x", "project/b/PersistentVolumeClaim/x"],
            Some(
                "a, b with 2 volumes; to remove one for good: boma destroy national.toml \
                 --abandon-data a",
            ),
        );
        check(&["cluster/PersistentVolume/x"], None);
    }
}
