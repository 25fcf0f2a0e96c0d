//! `level-ignored`: a level would switch off for good what may only be waived for a reason and
//! a time, so it does not count; without this rule somebody would believe that it does.

use super::{Facts, Problem, Rule, is_fixed};

/// See the file's head.
pub const RULE: Rule = Rule::warn("level-ignored", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    for set in facts.spec.rules.iter().filter(|set| is_fixed(&set.rule, set.level.value)) {
        let message = format!("the level of `{}` cannot be lowered; it stays at deny", set.rule);
        let help = "remove it from [rules]; to take the risk once, add a waiver with a reason";
        report.push(Problem::at(&set.level.place, message, help));
    }
}
