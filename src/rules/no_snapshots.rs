//! `no-snapshots`: the spec asks for snapshots of projects' volumes, and no plan makes any yet. It
//! has to be said, or a county relies on them.

use super::words::names;
use super::{Facts, Problem, Rule};
use crate::spec::BackupMode;

/// See the file's head.
pub const RULE: Rule = Rule::warn("no-snapshots", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let Some(backup) = &facts.spec.backup else { return };
    let projects: Vec<&str> = facts.spec.projects.iter().map(|one| one.name.as_str()).collect();
    if backup.mode.value != BackupMode::Managed || projects.is_empty() {
        return;
    }
    let message = format!(
        "nothing takes snapshots of the volumes of {}: [backup.projects] is read and not yet \
         carried out",
        names(&projects)
    );
    let help = "back the volumes up by other means and try a restore; then waive `no-snapshots` \
        with what does it as the reason";
    report.push(Problem::at(&backup.projects.schedule.place, message, help));
}
