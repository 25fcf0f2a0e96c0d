//! `volume-expansion`: upgrades of CHT need up to five times the space of the data (cht-docs,
//! `requirements.md`), and a full disk in the middle of one is the most frequent outage.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("volume-expansion", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let expansion = &facts.spec.storage.expansion;
    if !expansion.value {
        let help = "set `expansion` in [storage] to true";
        report.push(Problem::at(&expansion.place, "volumes cannot grow", help));
    }
}
