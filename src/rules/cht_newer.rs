//! `cht-newer`: with the upgrade-service as owner of images, the spec's release counts only for
//! what is made anew. Where it is not what runs, somebody waits for an upgrade that does not come,
//! or a Deployment that is lost comes back in an old release.

use super::cht_downgrade::is_meant;
use super::projects::{alike, running};
use super::words::names;
use super::{Facts, Problem, Rule, Version};
use crate::spec::ImageOwner;

/// See the file's head.
pub const RULE: Rule = Rule::warn("cht-newer", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let running = running(facts);
    let differ = facts.spec.projects.iter().filter_map(|project| {
        let newest = *running.get(project.name.as_str())?;
        let wanted = Version::parse(&project.cht)?;
        let told = newest != wanted
            && project.image_owner.value == ImageOwner::UpgradeService
            && !(wanted < newest && is_meant(facts, project, wanted));
        told.then_some(((&project.cht.place, wanted, newest), project))
    });
    for ((place, wanted, newest), projects) in alike(differ) {
        let projects = names(&projects);
        report.push(match wanted < newest {
            true => {
                let message = format!(
                    "the admin page brought {projects} to CHT {newest}, and the spec says {wanted}"
                );
                let help = format!(
                    "set `cht` of each to \"{newest}\", so that what is made anew has the release \
                     that runs"
                );
                Problem::at(place, message, help)
            }
            false => {
                let message = format!(
                    "the spec says CHT {wanted} of {projects}, and {newest} runs: boma does not \
                     upgrade it"
                );
                let help = "upgrade in the admin page of each (Stage, wait for the indexes, \
                            Upgrade), or set `image_owner` to \"boma\"";
                Problem::at(place, message, help)
            }
        });
    }
}
