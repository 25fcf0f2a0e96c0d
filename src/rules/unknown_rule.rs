//! `unknown-rule`: a mistyped name would leave a guard on that somebody means to be off, or off
//! that somebody means to be on, and nobody would see it.

use super::{Facts, Problem, Rule, known};
use crate::spec::Sp;

/// See the file's head.
pub const RULE: Rule = Rule::deny("unknown-rule", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let waived = facts.spec.waivers.iter().map(|waiver| (&waiver.rule, "[[waivers]]"));
    let levels = facts.spec.rules.iter().map(|level| (&level.rule, "[rules]"));
    for (name, table) in waived.chain(levels) {
        if !known().contains(&name.value.as_str()) {
            report.push(problem(name, table));
        }
    }
}

fn problem(name: &Sp<String>, table: &str) -> Problem {
    let distance = |known: &&&str| strsim::damerau_levenshtein(known, &name.value);
    let nearest = known().iter().min_by_key(distance).filter(|known| distance(known) <= 3);
    let help = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the rules are {}", known().join(", ")),
    };
    Problem::at(&name.place, format!("{table} names a rule `{name}` that does not exist"), help)
}
