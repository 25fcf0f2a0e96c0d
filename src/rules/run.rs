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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::plan::Action;
    use crate::rules::testing::{TODAY, change, findings, findings_on, nothing, plan, spec};

    const OFF: (&str, &str) = ("datacenter", "insecure = true\ndatacenter");

    /// Each finding as `rule level waived`.
    fn check(today: Date, edits: &[(&str, &str)], expected: &[(&str, Level, bool)]) {
        let found = findings_on(today, &spec(edits), &nothing());
        let found: Vec<_> =
            found.iter().map(|found| (found.rule, found.level, found.waived.is_some())).collect();
        assert_eq!(found, expected);
    }

    fn waiver(rule: &str, rest: &str) -> String {
        format!(
            "[[waivers]]\nrule = \"{rule}\"\nreason = \"lab\"\nexpires = 2026-12-31\n{rest}\n[storage]"
        )
    }

    #[test]
    fn the_spec_sets_levels() {
        let level = |level: &str| format!("[rules]\ntls-off = \"{level}\"");
        check(TODAY, &[OFF], &[("tls-off", Level::Deny, false)]);
        check(TODAY, &[OFF, ("[rules]", &level("warn"))], &[("tls-off", Level::Warn, false)]);
        check(TODAY, &[OFF, ("[rules]", &level("allow"))], &[]);
    }

    #[test]
    fn a_waiver_holds_until_its_last_day() {
        let edits = [OFF, ("[storage]", &waiver("tls-off", ""))];
        let old = ("end-of-life", Level::Warn, false);
        check(date(2026, 12, 31), &edits, &[("tls-off", Level::Deny, true), old]);
        let expired = ("waiver-expired", Level::Warn, false);
        check(date(2027, 1, 1), &edits, &[("tls-off", Level::Deny, false), old, expired]);
    }

    #[test]
    fn a_waiver_with_a_pattern_covers_only_addresses() {
        let pattern = "address = \"vsphere/**\"";
        check(
            TODAY,
            &[OFF, ("[storage]", &waiver("tls-off", pattern))],
            &[("tls-off", Level::Deny, false), ("waiver-unused", Level::Warn, false)],
        );
    }

    #[test]
    fn a_waiver_of_what_no_rule_is_called_is_told_once() {
        check(
            TODAY,
            &[("[storage]", &waiver("tls-of", ""))],
            &[("unknown-rule", Level::Deny, false)],
        );
    }

    #[test]
    fn data_loss_is_waived_with_a_reason_and_not_by_level() {
        let two =
            || plan(vec![change("server-1", Action::Replace), change("server-2", Action::Replace)]);
        let allow = "[rules]\ndata-loss = \"allow\"";
        let allowed = findings(&spec(&[("[rules]", allow)]), &two());
        assert!(allowed.iter().any(|found| found.rule == "data-loss" && found.refuses()));
        let waived = findings(&spec(&[("[storage]", &waiver("data-loss", ""))]), &two());
        let reasons: Vec<_> = waived.iter().map(|found| found.waived.as_deref()).collect();
        assert_eq!(reasons, [Some("lab")]);
    }

    #[test]
    fn without_a_plan_nobody_knows_whether_data_loss_is_waived_for_nothing() {
        let edits = [("[storage]", &*waiver("data-loss", ""))];
        check(TODAY, &edits, &[]);
        let found = findings(&spec(&edits), &plan(Vec::new()));
        assert_eq!(found.iter().map(|found| found.rule).collect::<Vec<_>>(), ["waiver-unused"]);
    }
}
