//! The first line of a plan, and its last ones.

use super::words::{clean, count, duration, number};
use crate::plan::{Action, BlockCause, Review};

/// `national · live read in 1.2 s, 37 requests · state serial 41`.
pub fn header(review: &Review) -> String {
    let basis = review.basis();
    let mut parts = vec![clean(&basis.name)];
    if basis.destroy {
        parts.push("destroy".into());
    }
    if basis.lab {
        parts.push("lab".into());
    }
    match (basis.offline, review.read) {
        (true, _) => parts.push("offline: prior stands for live".into()),
        (false, Some(read)) => {
            let requests = count(usize::try_from(read.requests).unwrap_or(usize::MAX), "request");
            parts.push(format!("live read in {}, {requests}", duration(read.elapsed_ms)));
        }
        (false, None) => {}
    }
    parts.push(format!("state serial {}", basis.serial));
    parts.join(" · ")
}

/// Terraform's last line, with what Terraform does not know appended: `Plan: 3 to add, 1 to
/// change, 0 to destroy.` A replace is added and destroyed; an adopted resource that is changed
/// too counts twice.
pub fn totals(review: &Review) -> String {
    let summary = review.plan.summary();
    let changed =
        |change: &&crate::plan::Change| change.action == Action::Adopt && !change.steps.is_empty();
    let adopted_and_changed = review.plan.changes.iter().filter(changed).count();
    let mut text = format!(
        "Plan: {} to add, {} to change, {} to destroy",
        summary.create + summary.replace,
        summary.update + adopted_and_changed,
        summary.delete + summary.replace,
    );
    for (count, what) in [(summary.adopt, "adopt"), (summary.forget, "forget")] {
        if count > 0 {
            text.push_str(&format!(", {count} to {what}"));
        }
    }
    text + "."
}

/// What stands between the changes and the last line: what is not part of the plan and why it
/// cannot be applied.
pub fn notes(review: &Review) -> Vec<String> {
    let mut notes = Vec::new();
    let blocked = review.plan.blocked.len();
    if blocked > 0 {
        let verb = if blocked == 1 { "is" } else { "are" };
        notes.push(format!(
            "{} {verb} blocked: nothing is done to what is listed above as unread, \
                            refused or waiting.",
            count(blocked, "resource")
        ));
    }
    if review.is_refused() {
        let denials = review.findings.iter().filter(|finding| finding.refuses()).count();
        let impossible = |cause: &BlockCause| matches!(cause, BlockCause::Refused { .. });
        let refusals =
            review.plan.blocked.iter().filter(|blocked| impossible(&blocked.cause)).count();
        let what = [(denials, "denial"), (refusals, "refusal")];
        let what =
            what.iter().filter(|(count, _)| *count > 0).map(|(number, one)| count(*number, one));
        let what = what.collect::<Vec<_>>().join(" and ");
        notes.push(format!("This plan is refused: resolve {what} first."));
    }
    notes
}

/// What is said before `No changes.` `None` where there is nothing to compare.
pub fn all_equal(review: &Review) -> Option<String> {
    let resources = review.plan.changes.len();
    let said =
        if review.basis().offline { "recorded as the spec wants" } else { "as the spec wants" };
    match resources {
        0 => None,
        1 => Some(format!("The one resource is {said} it.")),
        _ => Some(format!("All {} resources are {said} them.", number(resources))),
    }
}

/// Parts of the spec that have no resources yet, on one line.
pub fn unplanned(review: &Review) -> Option<String> {
    let parts: Vec<String> = review.plan.unplanned.iter().map(|part| clean(&part.what)).collect();
    (!parts.is_empty()).then(|| format!("not planned yet: {}", parts.join(", ")))
}
