//! `not-ready`: an object that is as the spec wants it and still does not work. Nothing is planned
//! for it, so without this rule a plan without changes would look as if all were well. What waits
//! for something that the plan changes is left out: the next plan tells whether that has helped.
//! A namespace that is being deleted refuses what the plan writes into it, so it refuses the plan.

use std::collections::{BTreeMap, BTreeSet};

use super::words::names;
use super::{Facts, Problem, Rule};
use crate::plan::{Action, Change, Live, Plan};
use crate::resource::{Address, EdgeKind};

/// See the file's head.
pub const RULE: Rule = Rule::deny("not-ready", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let Some((plan, live)) = facts.plan.zip(facts.live) else { return };
    let around = Around::of(plan);
    report.extend(plan.changes.iter().filter_map(|change| vanishing(change, live)));
    for change in plan.changes.iter().filter(|change| change.action == Action::NoOp) {
        let Some(object) = live.get(&change.address).and_then(|reading| reading.object()) else {
            continue;
        };
        let object = object.attributes.tree();
        if object["ready"] != false {
            continue;
        }
        let waiting = object["waiting"].as_str().unwrap_or("nothing says why");
        let address = &change.address;
        // Namespaces are ready until they are deleted.
        let inside = match change.kind.name.ends_with("Namespace") {
            true => around.written_into(address),
            false => Vec::new(),
        };
        if !inside.is_empty() {
            report.push(ending(address, &inside, waiting));
        } else if !around.mends(change) {
            let message = format!("{address} is as it should be and not ready: {waiting}");
            let help = "mend what it waits for: no plan of boma changes anything about it";
            report.push(Problem::new(message, help).about(address).warn());
        }
    }
}

/// How a provider tells of an object whose end somebody asked for.
const ENDING: &str = "it is being deleted";

/// A change of what goes away as soon as its finalizers let it: it is lost with the object, and
/// until then nobody would hear of it.
fn vanishing(change: &Change, live: &Live) -> Option<Problem> {
    let writes = matches!(change.action, Action::Update | Action::Adopt);
    let object = live.get(&change.address)?.object().filter(|_| writes)?.attributes.tree();
    let waiting = object["waiting"].as_str().filter(|waiting| waiting.starts_with(ENDING))?;
    let message = format!("the plan changes {}, and {waiting}", change.address);
    let help = "take away what it waits for, then plan again: it is made anew as the spec wants it";
    Some(Problem::new(message, help).about(&change.address).warn())
}

/// What the plan knows, and what of it is made or changed.
struct Around<'a> {
    known: BTreeMap<&'a Address, &'a Change>,
    changing: BTreeSet<&'a Address>,
}

impl<'a> Around<'a> {
    fn of(plan: &'a Plan) -> Self {
        let writes = |one: &&Change| match one.action {
            Action::Create | Action::Update | Action::Replace => true,
            Action::Adopt => !one.steps.is_empty(),
            _ => false,
        };
        Self {
            known: plan.changes.iter().map(|one| (&one.address, one)).collect(),
            changing: plan.changes.iter().filter(writes).map(|one| &one.address).collect(),
        }
    }

    /// What the plan writes into a namespace.
    fn written_into(&self, namespace: &Address) -> Vec<&'a str> {
        let lives_in = |change: &Change| {
            let mut edges = change.edges.iter();
            edges.any(|edge| edge.kind == EdgeKind::LivesIn && edge.to == *namespace)
        };
        let inside = self.changing.iter().filter(|one| lives_in(self.known[*one]));
        inside.map(|one| one.as_str()).collect()
    }

    /// Whether anything that it needs, near or far, is among the changes.
    fn mends(&self, change: &'a Change) -> bool {
        let (mut seen, mut next) = (BTreeSet::new(), vec![change]);
        while let Some(change) = next.pop() {
            for edge in &change.edges {
                if self.changing.contains(&edge.to) {
                    return true;
                }
                if seen.insert(&edge.to) {
                    next.extend(self.known.get(&edge.to));
                }
            }
        }
        false
    }
}

fn ending(namespace: &Address, inside: &[&str], waiting: &str) -> Problem {
    let message = format!(
        "{namespace} takes nothing any more, and the plan writes {}: {waiting}",
        names(inside)
    );
    let below = inside.first().and_then(|first| first.rsplitn(3, '/').nth(2)).unwrap_or_default();
    let help = format!(
        "wait until it is gone, or take away what it waits for, then plan again: all of it is made \
         anew; --exclude '{below}/**' plans the rest meanwhile"
    );
    Problem::new(message, help).about(namespace)
}
