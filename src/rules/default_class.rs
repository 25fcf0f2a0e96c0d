//! `default-class`: with two default classes, or with k3s' own, a claim that names none may get a
//! volume on one machine's disk, which is lost with the machine.

use super::{Facts, Problem, Rule};
use crate::spec::LocalPath;

/// See the file's head.
pub const RULE: Rule = Rule::deny("default-class", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let storage = &facts.spec.storage;
    let local = storage.local_path.value == LocalPath::Default;
    let (class, ours) = (&storage.class, &storage.default);
    report.extend(match (ours.value, local) {
        (true, false) => None,
        (true, true) => {
            let message = format!("`{class}` and k3s' local-path are both default classes");
            let help = "set `local_path` in [storage] to \"disabled\" or \"not-default\"";
            Some(Problem::at(&storage.local_path.place, message, help))
        }
        (false, _) => {
            let instead = if local { "k3s' local-path is" } else { "no class is" };
            let message = format!("`{class}` is not the default class; {instead}");
            let help = "set `default` in [storage] to true, and `local_path` to \"disabled\"";
            Some(Problem::at(&ours.place, message, help).warn())
        }
    });
}
