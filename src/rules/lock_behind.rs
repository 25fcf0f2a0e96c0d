//! `lock-behind`: this boma takes other releases than the lock pins. Nothing is wrong with that
//! until somebody wants them, so it says nothing unless `[rules]` raises it.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::allow("lock-behind", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let Some(standing) = facts.lock else { return };
    for moved in standing.upgrade() {
        if let (Some(from), Some(to)) = (moved.from, moved.to) {
            let message = format!("{} is locked at {from}, and this boma takes {to}", moved.key);
            let help = "review what `boma lock --upgrade` prints, then plan";
            report.push(Problem::new(message, help));
        }
    }
}
