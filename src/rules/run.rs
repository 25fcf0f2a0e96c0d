//! Runs all rules, then applies the spec's levels and waivers.

use std::cmp::Reverse;

use super::waiver_unused;
use super::{Facts, RULES, is_fixed};
use crate::diag::{Finding, Level};
use crate::spec::{Spec, Waiver};

/// Every finding, waived ones too: denials first, then by rule, place and address.
pub fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = check(facts);
    let used = waive(facts, &mut findings);
    findings.extend(unused(facts, &used));
    findings.retain(|finding| finding.level != Level::Allow);
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
    findings
}

fn key(finding: &Finding) -> impl Ord {
    let Finding { rule, level, message, place, address, .. } = finding;
    (Reverse(*level), *rule, place.clone(), address.clone(), message.clone())
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        let mut problems = Vec::new();
        (rule.check)(facts, &mut problems);
        let set = level(facts.spec, rule.name);
        let found = problems.into_iter().map(|problem| problem.finding(rule.name, rule.level, set));
        findings.extend(found);
    }
    findings
}

/// The level that the spec sets for a rule. `None` where it sets none that counts.
fn level(spec: &Spec, rule: &str) -> Option<Level> {
    let set = spec.rules.iter().find(|set| set.rule.value == rule)?;
    (!is_fixed(rule, set.level.value)).then_some(set.level.value)
}

/// Marks what the spec waives today, and tells which waivers did.
fn waive(facts: &Facts<'_>, findings: &mut [Finding]) -> Vec<bool> {
    let waivers = &facts.spec.waivers;
    let mut used = vec![false; waivers.len()];
    for finding in findings.iter_mut().filter(|finding| finding.level != Level::Allow) {
        for (waiver, used) in waivers.iter().zip(&mut used) {
            if waiver.expires.value >= facts.today && covers(waiver, finding) {
                *used = true;
                finding.waived.get_or_insert_with(|| waiver.reason.value.clone());
            }
        }
    }
    used
}

/// Whether a waiver is about a finding. Its pattern covers nothing that has no address.
fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    let about = waiver.address.as_ref().is_none_or(|glob| {
        finding.address.as_ref().is_some_and(|address| glob.value.matches(address))
    });
    about && waiver.rule.value == finding.rule
}

fn unused(facts: &Facts<'_>, used: &[bool]) -> Vec<Finding> {
    let set = level(facts.spec, waiver_unused::NAME);
    let unused = facts.spec.waivers.iter().zip(used).filter(|(_, used)| !**used);
    unused
        .filter_map(|(waiver, _)| waiver_unused::problem(facts, waiver))
        .map(|problem| problem.finding(waiver_unused::NAME, Level::Warn, set))
        .collect()
}
