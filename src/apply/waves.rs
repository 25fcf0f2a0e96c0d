//! Where a rollout stands: which wave is open, who failed, and whether another wave may begin.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Plan, Wave};

/// What follows on the end of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// This wave begins.
    Begin(usize),
    /// No further wave begins.
    Halt,
}

/// The waves of a plan; of a plan without a rollout there are none, and nothing is held back.
pub(super) struct Waves {
    waves: Vec<Wave>,
    failures_max: usize,
    /// Wave and project, by node.
    place: BTreeMap<usize, (usize, usize)>,
    /// Nodes of each wave that are not over.
    left: Vec<usize>,
    /// The wave that is open: those before it are over. `None` before the first one.
    open: Option<usize>,
    failed: BTreeSet<(usize, usize)>,
    halted: bool,
}

impl Waves {
    pub(super) fn new(plan: &Plan) -> Self {
        let waves = plan.rollout.as_ref().map(|rollout| rollout.waves.clone()).unwrap_or_default();
        let mut place = BTreeMap::new();
        for (at, wave) in waves.iter().enumerate() {
            for (project, rolled) in wave.projects.iter().enumerate() {
                place.extend(rolled.nodes.iter().map(|&node| (node, (at, project))));
            }
        }
        let mut left = vec![0; waves.len()];
        place.values().for_each(|&(wave, _)| left[wave] += 1);
        let failures_max = plan.rollout.as_ref().map_or(0, |rollout| rollout.failures_max);
        let (failed, halted) = (BTreeSet::new(), false);
        Self { waves, failures_max, place, left, open: None, failed, halted }
    }

    /// Whether a node's wave is open, or it is in none.
    pub(super) fn is_open(&self, node: usize) -> bool {
        self.place.get(&node).is_none_or(|&(wave, _)| self.open.is_some_and(|open| wave <= open))
    }

    /// Takes in that a node is over.
    pub(super) fn settled(&mut self, node: usize) {
        if let Some((wave, _)) = self.place.get(&node) {
            self.left[*wave] -= 1;
        }
    }

    /// Takes in that a node failed, or cannot begin because something else did.
    pub(super) fn failed(&mut self, node: usize) {
        self.failed.extend(self.place.get(&node));
    }

    /// What the end of the open wave leads to. `None` while it is not over, and after the last.
    pub(super) fn turn(&mut self) -> Option<Turn> {
        if self.open.is_some_and(|open| self.left[open] > 0) || self.halted {
            return None;
        }
        self.halted = self.must_halt() && self.next().is_some();
        if self.halted { Some(Turn::Halt) } else { self.begin() }
    }

    /// Opens the next wave whether or not this one is over: whatever is left of it waits for the
    /// next one's work.
    pub(super) fn begin(&mut self) -> Option<Turn> {
        let next = self.next().filter(|_| !self.halted)?;
        self.open = Some(next);
        Some(Turn::Begin(next))
    }

    /// The names of the projects that failed.
    pub(super) fn failures(&self) -> Vec<String> {
        let name =
            |&(wave, project): &(usize, usize)| self.waves[wave].projects[project].name.clone();
        self.failed.iter().map(name).collect()
    }

    /// The nodes of the waves that have not begun.
    pub(super) fn held(&self) -> Vec<usize> {
        self.place.keys().copied().filter(|&node| !self.is_open(node)).collect()
    }

    /// The names of the projects whose turn has not come, and that did not fail before it.
    pub(super) fn unreached(&self) -> Vec<String> {
        let next = self.open.map_or(0, |open| open + 1);
        let failed = self.failures();
        let names = self.waves.iter().skip(next).flat_map(Wave::names);
        names.filter(|name| !failed.contains(name)).collect()
    }

    /// The next wave with anything left to do.
    fn next(&self) -> Option<usize> {
        let next = self.open.map_or(0, |open| open + 1);
        (next..self.waves.len()).find(|&wave| self.left[wave] > 0)
    }

    /// A failed canary has proved that the change is not good for anybody.
    fn must_halt(&self) -> bool {
        let canary_failed = self.failed.iter().any(|&(wave, _)| self.waves[wave].canary);
        canary_failed || self.failed.len() > self.failures_max
    }
}
