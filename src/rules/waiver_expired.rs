//! `waiver-expired`: the risk was taken for a time, and the time is over.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("waiver-expired", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    for waiver in facts.spec.waivers.iter().filter(|waiver| waiver.expires.value < facts.today) {
        let message = format!("the waiver of `{}` held until {}", waiver.rule, waiver.expires);
        let help = "repair what it waived and remove it, or decide again and set a new `expires`";
        report.push(Problem::at(&waiver.expires.place, message, help));
    }
}
