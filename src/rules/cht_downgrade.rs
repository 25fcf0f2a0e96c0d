//! `cht-downgrade`: instances went back to an older release when old values were deployed again,
//! "a potentially destructive event" (medic/cht-core issues 9954 and 9707): the newer one has
//! changed databases in ways that the older one does not know.

use super::projects::{alike, releases, running};
use super::words::names;
use super::{Facts, Problem, Rule, Version};
use crate::plan::{Action, Change};
use crate::spec::{ImageOwner, Project};

/// See the file's head.
pub const RULE: Rule = Rule::deny("cht-downgrade", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let running = running(facts);
    let lower = facts.spec.projects.iter().filter_map(|project| {
        let newest = *running.get(project.name.as_str())?;
        let wanted = Version::parse(&project.cht)?;
        let goes_back = wanted < newest && is_meant(facts, project, wanted);
        goes_back.then_some(((&project.cht.place, wanted, newest), project))
    });
    for ((place, wanted, newest), projects) in alike(lower) {
        let projects = names(&projects);
        let message =
            format!("CHT {newest} runs in {projects}, and the spec goes back to {wanted}");
        let help = format!(
            "set `cht` to \"{newest}\" or later; the only way back is a restore of all volumes of \
             a project from before its upgrade"
        );
        report.push(Problem::at(place, message, help));
    }
}

/// Whether the spec means to go back. What the admin page upgraded is ahead of a spec that nobody
/// changed: that is told by `cht-newer`, unless something is made anew in the old release.
pub fn is_meant(facts: &Facts<'_>, project: &Project, wanted: Version) -> bool {
    match project.image_owner.value {
        ImageOwner::Boma => true,
        ImageOwner::UpgradeService => was_lowered(facts, project, wanted) || writes(facts, project),
    }
}

/// Whether the spec once asked for a newer one: what is recorded of an image is what was asked
/// for, whatever became of it.
fn was_lowered(facts: &Facts<'_>, project: &Project, wanted: Version) -> bool {
    let records = facts.prior.into_iter().flat_map(|prior| &prior.resources);
    let own = records.filter(|(address, _)| address.project() == Some(&project.name));
    own.flat_map(|(_, record)| releases(&record.attributes.tree()).collect::<Vec<_>>())
        .any(|recorded| recorded > wanted)
}

/// Whether the plan makes a Deployment of it, with the release of the spec.
fn writes(facts: &Facts<'_>, project: &Project) -> bool {
    let changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    let made = |change: &&Change| matches!(change.action, Action::Create | Action::Replace);
    changes
        .filter(made)
        .filter(|change| change.address.project() == Some(&project.name))
        .any(|change| releases(&change.desired.tree()).next().is_some())
}
