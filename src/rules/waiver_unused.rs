//! `waiver-unused`: a waiver that covers nothing hides the next finding that it happens to fit,
//! for a reason that was given for something else.

use super::{Facts, Problem, RULES};
use crate::spec::Waiver;

/// Runs after all others, so it is not in their table.
pub const NAME: &str = "waiver-unused";

/// What is wrong with a waiver that covered nothing. `None` where another rule says it already,
/// or where the waived rule had no plan to look at.
pub fn problem(facts: &Facts<'_>, waiver: &Waiver) -> Option<Problem> {
    let rule = RULES.iter().find(|rule| rule.name == waiver.rule.value);
    let known = rule.is_some() || waiver.rule.value == NAME;
    let silent = rule.is_some_and(|rule| rule.needs_plan) && facts.plan.is_none();
    if !known || silent || waiver.expires.value < facts.today {
        return None;
    }
    let message = match &waiver.address {
        Some(glob) => format!("no finding of `{}` is about `{}`", waiver.rule, glob.as_str()),
        None => format!("there is no finding of `{}` to waive", waiver.rule),
    };
    Some(Problem::at(&waiver.rule.place, message, "remove the waiver from [[waivers]]"))
}
