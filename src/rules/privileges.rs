//! `privileges`: what boma's own account may not do and the plan needs. vCenter would say it one
//! object at a time, after the first half of the work is done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Facts, Problem, Rule, site};
use crate::plan::{Plan, Step};

/// See the file's head.
pub const RULE: Rule = Rule::deny("privileges", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let (Some(seen), Some(plan)) = (site::seen(facts), facts.plan) else { return };
    let mut lacking: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for need in seen["lacking"].as_array().into_iter().flatten() {
        if let (Some(path), Some(privilege)) = (need["path"].as_str(), need["privilege"].as_str())
            && is_needed(plan, need)
        {
            lacking.entry(path).or_default().insert(privilege);
        }
    }
    for (path, privileges) in lacking {
        let privileges: Vec<&str> = privileges.into_iter().collect();
        let privileges = privileges.join(", ");
        let message = format!("boma's account lacks on {path}: {privileges}");
        let help = "give it a role with these privileges there, or above with propagation";
        report.push(Problem::at(&facts.spec.vcenter.username.place, message, help));
    }
}

fn is_needed(plan: &Plan, need: &Json) -> bool {
    let fits = |step: &Step| {
        let operation = serde_json::to_value(step.operation).unwrap_or_default();
        let written = |field: &str| step.fields.iter().any(|written| written == field);
        need["kind"] == step.kind.name
            && need["operation"] == operation
            && need["field"].as_str().is_none_or(written)
            && need["address"].as_str().is_none_or(|only| step.address.as_str() == only)
    };
    plan.changes.iter().flat_map(|change| &change.steps).any(fits)
}
