//! `local-volume`: a volume of k3s' local-path class is a folder on one machine. It cannot follow
//! its pod, and k3s' own uninstall script deletes it (k3s docs, `installation/uninstall.md`).

use super::words::{by_place, names};
use super::{Facts, Problem, Rule};
use crate::spec::Project;

/// See the file's head.
pub const RULE: Rule = Rule::deny("local-volume", check);

const LOCAL: &str = "local-path";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let local = |project: &&Project| project.couchdb.storage_class.value == LOCAL;
    let projects = facts.spec.projects.iter().filter(local);
    let places = projects.map(|project| (&project.couchdb.storage_class.place, &project.name));
    for (place, projects) in by_place(places) {
        let message = format!("the data of {} is on single machines' own disks", names(&projects));
        let help = "name the class of [storage] in `couchdb.storage_class`, or leave the key out";
        report.push(Problem::at(place, message, help));
    }
}
