//! `foreign-manager`: somebody else wrote a field that boma owns. Applying takes it back; where
//! the other one is a program, the two take it from each other for ever.

use super::words::names;
use super::{Facts, Problem, Rule};
use crate::plan::{Change, Difference};

/// See the file's head.
pub const RULE: Rule = Rule::warn("foreign-manager", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    report.extend(changes.flat_map(problems));
}

/// One for each manager that wrote fields of an object.
fn problems(change: &Change) -> Vec<Problem> {
    let by = |one: &Difference| one.changed_by.clone();
    let managers: std::collections::BTreeSet<String> =
        change.attributes.iter().filter_map(by).collect();
    let problem = |manager: String| {
        let written = change.attributes.iter().filter(|one| by(one).as_ref() == Some(&manager));
        let fields: Vec<&str> = written.map(|one| one.path.as_str()).collect();
        let message = format!("{manager} wrote {} of {}", names(&fields), change.address);
        let help = format!(
            "see who {manager} is: a change that is meant belongs in the spec, and a program that \
             writes the same fields must stop"
        );
        Problem::new(message, help).about(&change.address)
    };
    managers.into_iter().map(problem).collect()
}
