//! What a reviewer must not miss: machines that go off, what cannot be undone, findings.

use std::collections::BTreeMap;

use super::TextOptions;
use super::kept::kept;
use super::page::Block;
use super::paint::{Span, Style};
use super::words::{count, names, number};
use crate::plan::{Action, Change, Operation, Plan, Review, Wave, Window};

/// The width of the labels' column.
const LABEL: usize = "irreversible".len();

/// Adds the whole section, or nothing.
pub fn attention(block: &mut Block, review: &Review, options: &TextOptions) {
    let mut section = Block::default();
    windows(&mut section, &review.plan, options);
    outage(&mut section, &review.plan, options);
    rollout(&mut section, &review.plan, options);
    irreversible(&mut section, &review.plan, options);
    if let Some(text) = kept(&review.plan, options) {
        labelled(&mut section, "data stays", Style::Note, &text, options);
    }
    super::findings::add(&mut section, &review.findings, "    ", LABEL, options);
    if !section.is_empty() {
        block.line(options.paint().span(Style::Strong, "  attention"));
        block.append(section);
    }
}

fn windows(block: &mut Block, plan: &Plan, options: &TextOptions) {
    let mut machines: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
    for window in plan.windows.iter().filter(|window| window.disrupts) {
        let (what, drained) = disturbance(plan, window);
        machines.entry((what, drained)).or_default().push(window.machine.name());
    }
    for ((what, drained), machines) in machines {
        let turns = if machines.len() > 1 { ", one at a time" } else { "" };
        let turns = if drained { format!("{turns}, drained first") } else { turns.to_owned() };
        let permit = if plan.basis.destroy { "" } else { "; needs --allow-disruption" };
        let text = names(machines.iter().copied(), options.full);
        labelled(block, what, Style::Warn, &format!("{text}{turns}{permit}"), options);
    }
}

/// What a window does to its machine, by its steps, and whether its pods are moved away before.
fn disturbance(plan: &Plan, window: &Window) -> (&'static str, bool) {
    let nodes = window.nodes.iter().filter_map(|node| plan.nodes.get(*node));
    let operations: Vec<Operation> =
        nodes.flat_map(|node| plan.steps(node)).map(|step| step.operation).collect();
    let what = if operations.contains(&Operation::PowerOn) {
        "power cycle"
    } else if operations.contains(&Operation::PowerOff) {
        "power off"
    } else if operations.contains(&Operation::Restart) {
        "restart"
    } else {
        "disturbed"
    };
    (what, operations.contains(&Operation::Drain))
}

/// Projects that are down for a moment: with one replica of everything, a restart is an outage.
fn outage(block: &mut Block, plan: &Plan, options: &TextOptions) {
    let projects = plan.interrupted();
    if projects.is_empty() {
        return;
    }
    let restarts = if projects.len() == 1 { "restarts" } else { "restart" };
    let total = count(projects.len(), "project");
    let names = names(projects.into_iter().collect::<Vec<_>>().into_iter(), options.full);
    labelled(block, "outage", Style::Warn, &format!("{total} {restarts}: {names}"), options);
}

/// In which order projects that run are changed.
fn rollout(block: &mut Block, plan: &Plan, options: &TextOptions) {
    let Some(rollout) = &plan.rollout else { return };
    let (canaries, others): (Vec<&Wave>, Vec<&Wave>) =
        rollout.waves.iter().partition(|wave| wave.canary);
    let first: Vec<&str> = canaries
        .iter()
        .flat_map(|wave| &wave.projects)
        .map(|project| project.name.as_str())
        .collect();
    let largest = others.iter().map(|wave| wave.projects.len()).max().unwrap_or(0);
    let waves = match others.len() {
        0 => None,
        1 => Some(format!("{} at a time", number(largest))),
        waves => Some(format!("{} waves of {}", number(waves), number(largest))),
    };
    let first =
        (!first.is_empty()).then(|| format!("{} first", names(first.into_iter(), options.full)));
    let order = first.into_iter().chain(waves).collect::<Vec<_>>().join(", then ");
    let limit = match rollout.failures_max {
        0 => "at the first failed project".into(),
        most => {
            let canary = if canaries.is_empty() { "" } else { " or a failed canary" };
            format!("after more than {}{canary}", count(most, "failed project"))
        }
    };
    labelled(block, "rollout", Style::Note, &format!("{order}; stops {limit}"), options);
}

fn irreversible(block: &mut Block, plan: &Plan, options: &TextOptions) {
    for (action, what) in [(Action::Delete, "deleted"), (Action::Replace, "replaced")] {
        let changes: Vec<&Change> = plan
            .changes
            .iter()
            .filter(|change| change.is_irreversible() && change.action == action)
            .collect();
        if changes.is_empty() {
            continue;
        }
        let text = names(changes.iter().map(|change| change.address.as_str()), options.full);
        let text = format!("{} {what}: {text}", super::words::number(changes.len()));
        labelled(block, "irreversible", Style::Bad, &text, options);
    }
}

fn labelled(block: &mut Block, label: &str, style: Style, text: &str, options: &TextOptions) {
    let label = options.paint().span(style, label);
    let pad = " ".repeat(LABEL.saturating_sub(label.columns()) + 2);
    block.line(Span::plain("    ").then(label).then(Span::plain(format!("{pad}{text}"))));
}
