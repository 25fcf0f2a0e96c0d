//! `not-ready`: an object that is as the spec wants it and still does not work. Nothing is planned
//! for it, so without this rule a plan without changes would look as if all were well.

use super::{Facts, Problem, Rule};
use crate::plan::Action;

/// See the file's head.
pub const RULE: Rule = Rule::warn("not-ready", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let Some((plan, live)) = facts.plan.zip(facts.live) else { return };
    for change in plan.changes.iter().filter(|change| change.action == Action::NoOp) {
        let Some(object) = live.get(&change.address).and_then(|reading| reading.object()) else {
            continue;
        };
        let object = object.attributes.tree();
        if object["ready"] != false {
            continue;
        }
        let waiting = object["waiting"].as_str().unwrap_or("nothing says why");
        let message = format!("{} is as it should be and not ready: {waiting}", change.address);
        let help = "mend what it waits for: no plan of boma changes anything about it";
        report.push(Problem::new(message, help).about(&change.address));
    }
}
