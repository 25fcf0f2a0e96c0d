//! What one county asks for is that county's, whatever the number of the others.

use boma::plan::{Action, Plan};

use crate::engine::data::{data, lowered, wish};
use crate::engine::system::System;

const NATIONAL: &str = include_str!("../../examples/national-50-counties.toml");
const SMALL: &str = include_str!("../fixtures/small.toml");

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// Addresses that a plan does something to.
fn touched(plan: &Plan) -> Vec<&str> {
    assert_eq!(plan.blocked, []);
    let acting = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    acting.map(|change| change.address.as_str()).collect()
}

#[track_caller]
fn only(plan: &Plan, project: &str, action: Action) -> usize {
    let prefix = format!("project/{project}/");
    let touched = touched(plan);
    assert!(touched.iter().all(|address| address.starts_with(&prefix)), "{touched:#?}");
    let mut acting = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    assert!(acting.all(|change| change.action == action || change.action == Action::Forget));
    touched.len()
}

/// One more county, one less, and one that is different, of a spec with so many.
fn check(text: &str, count: usize) {
    let (last, next) = (format!("county-{count:02}"), format!("county-{:02}", count + 1));
    let mut system = System::new(lowered(text), 1);
    system.converge();
    let counted = |number: usize| {
        let line = text.lines().skip_while(|line| *line != "[projects]");
        let line = line.into_iter().find(|line| line.starts_with("count")).unwrap();
        let at = text.find("[projects]").unwrap();
        let (before, after) = text.split_at(at);
        format!("{before}{}", replaced(after, line, &format!("count = {number}")))
    };
    wish(&mut system, &counted(count + 1));
    assert!(only(&system.plan(), &next, Action::Create) > 12);
    let different = format!("{text}\n[projects.overrides.{last}]\nlog_level = \"debug\"\n");
    wish(&mut system, &different);
    assert!(only(&system.plan(), &last, Action::Update) >= 1);
    let kept = data(&system);
    wish(&mut system, &counted(count - 1));
    let plan = system.plan();
    only(&plan, &last, Action::Delete);
    let forgotten = plan.changes.iter().filter(|change| change.action == Action::Forget);
    assert!(forgotten.count() >= 3);
    let run = system.apply_plan(plan);
    assert_eq!(run.report.failures, []);
    assert_eq!(data(&system), kept);
    system.expect_converged();
}

#[test]
fn one_more_or_less_of_two() {
    check(SMALL, 2);
}

#[test]
fn one_more_or_less_of_fifty() {
    // Who is no longer there cannot go first.
    check(&replaced(NATIONAL, "canary = [\"county-50\"]", "canary = [\"county-02\"]"), 50);
}
