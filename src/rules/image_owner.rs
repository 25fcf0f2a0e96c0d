//! `image-owner`: on 4.x the CHT's own upgrade-service changes images from the admin page; if boma
//! owns them, the next apply undoes a county's upgrade.

use super::words::{by_place, names};
use super::{Facts, Problem, Rule, Version};
use crate::spec::{ImageOwner, Project};

/// See the file's head.
pub const RULE: Rule = Rule::warn("image-owner", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let projects = facts.spec.projects.iter().filter(|project| is_contested(project));
    for (place, projects) in
        by_place(projects.map(|project| (&project.image_owner.place, &project.name)))
    {
        let message = format!("boma undoes upgrades of {} from the admin page", names(&projects));
        let help = "leave `image_owner` out: on 4.x it is the upgrade-service";
        report.push(Problem::at(place, message, help));
    }
}

fn is_contested(project: &Project) -> bool {
    let old = Version::parse(&project.cht).is_some_and(|version| version.major < 5);
    old && project.image_owner.value == ImageOwner::Boma
}
