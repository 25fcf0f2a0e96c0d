//! How far each project is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Event;
use crate::plan::Plan;
use crate::resource::Address;

/// How one node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Failed,
    Skipped,
}

/// Counts of every project that a plan changes.
pub(super) struct Tally(BTreeMap<String, Counts>);

#[derive(Default)]
struct Counts {
    total: usize,
    done: usize,
    failed: usize,
    skipped: usize,
    begun: Option<Duration>,
}

impl Tally {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
        let changes = plan.nodes.iter().filter_map(|node| plan.changes.get(node.change));
        for project in changes.filter_map(|change| change.address.project()) {
            counts.entry(project.to_owned()).or_default().total += 1;
        }
        Self(counts)
    }

    /// How many nodes each project has.
    pub(super) fn totals(&self) -> BTreeMap<String, usize> {
        self.0.iter().map(|(name, counts)| (name.clone(), counts.total)).collect()
    }

    /// Takes in that a node begins.
    pub(super) fn begun(&mut self, address: &Address, now: Duration) {
        if let Some(counts) = address.project().and_then(|name| self.0.get_mut(name)) {
            counts.begun.get_or_insert(now);
        }
    }

    /// Takes in that a node is over; the event where it was its project's last one.
    pub(super) fn over(&mut self, address: &Address, end: End, now: Duration) -> Option<Event> {
        let name = address.project()?;
        let counts = self.0.get_mut(name)?;
        *match end {
            End::Done => &mut counts.done,
            End::Failed => &mut counts.failed,
            End::Skipped => &mut counts.skipped,
        } += 1;
        let Counts { total, done, failed, skipped, begun } = *counts;
        (done + failed + skipped == total).then(|| Event::Project {
            name: name.to_owned(),
            done,
            failed,
            skipped,
            elapsed_s: begun.map_or(0, |begun| now.saturating_sub(begun).as_secs()),
        })
    }
}
