//! `cht-upgrade-path`: upgrades that need a step before them (medic/cht-docs,
//! `hosting/cht/migration/preparing-for-5.md`): 4.0 to 4.4 go to 4.5 or later first; on the way to
//! 5.x indexes are built for hours unless they were staged. From 5.3 on Nouveau runs in every
//! CouchDB pod (medic/cht-core issue 11125), so the step there restarts all of them.

use super::projects::{alike, running};
use super::words::{by_place, names};
use super::{Facts, Problem, Rule, Version};
use crate::spec::releases::{NOUVEAU_EACH_SINCE, NOUVEAU_SINCE};
use crate::spec::{ImageOwner, Project};

/// See the file's head.
pub const RULE: Rule = Rule::deny("cht-upgrade-path", check);

/// The first release from which one may go to 5.x.
const FROM: Version = Version::new(4, 5, 0);
/// Its chart does not install (medic/cht-core issue 10481).
const BROKEN: Version = Version::new(5, 0, 0);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    report.extend(broken(facts));
    let running = running(facts);
    let upgraded = facts.spec.projects.iter().filter_map(|project| {
        let (from, to) = (*running.get(project.name.as_str())?, Version::parse(&project.cht)?);
        let owned = project.image_owner.value == ImageOwner::Boma;
        let step = step(from, to, project).filter(|_| owned)?;
        Some(((&project.cht.place, step, from, to), project))
    });
    for ((place, step, from, to), projects) in alike(upgraded) {
        let projects = names(&projects);
        report.push(match step {
            Step::TooOld => {
                let message = format!("{projects} cannot go from CHT {from} to {to} at once");
                let help = "set `cht` to \"4.22.0\" first (4.5 or later), apply, wait until its \
                            indexes are built, and go on from there";
                Problem::at(place, message, help)
            }
            Step::Major => {
                let message = format!(
                    "{projects} go from CHT {from} to {to}, which builds every index anew unless it \
                     is staged"
                );
                let help = format!(
                    "before the apply: take a backup; press Stage for {to}, never Upgrade, in the \
                     admin page of each and wait until indexing ends; see that its app has \
                     `token_login.app_url` and its languages in the settings. The upgrade-service \
                     goes away: from then on boma owns the images. Begin with one project in \
                     [projects.overrides]"
                );
                Problem::at(place, message, help).warn()
            }
            Step::Nouveau => {
                let message = format!(
                    "from CHT {from} to {to} all CouchDB pods of {projects} restart at once, and \
                     Service nouveau becomes one for each"
                );
                let help = "apply it at a quiet hour with disk to spare: the projects are down \
                            meanwhile, and 5.3 builds smaller indexes anew";
                Problem::at(place, message, help).warn()
            }
        });
    }
}

/// What is special about an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    TooOld,
    Major,
    Nouveau,
}

fn step(from: Version, to: Version, project: &Project) -> Option<Step> {
    let clustered = project.couchdb.nodes.value > 1;
    match (from < NOUVEAU_SINCE, to < NOUVEAU_SINCE) {
        (true, false) if from < FROM => Some(Step::TooOld),
        (true, false) => Some(Step::Major),
        (false, false) if from < NOUVEAU_EACH_SINCE && NOUVEAU_EACH_SINCE <= to && clustered => {
            Some(Step::Nouveau)
        }
        _ => None,
    }
}

fn broken(facts: &Facts<'_>) -> Vec<Problem> {
    let broken = |project: &&Project| Version::parse(&project.cht) == Some(BROKEN);
    let projects = facts.spec.projects.iter().filter(broken);
    let groups = by_place(projects.map(|project| (&project.cht.place, &project.name)));
    let problem = |(place, projects): (_, Vec<&str>)| {
        let message = format!(
            "the official chart of CHT {BROKEN} does not install, so {} could not go back to helm",
            names(&projects)
        );
        Problem::at(place, message, "set `cht` to \"5.0.1\" or later").warn()
    };
    groups.into_iter().map(problem).collect()
}
