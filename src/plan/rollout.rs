//! Changes of projects that run, wave after wave: a mistake in a default stops at the first county.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Change, Live, Node};
use crate::resource::{Address, Reading};

/// How the spec wants changes of many projects spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Projects that are changed before all others, by name.
    pub canary: Vec<String>,
    /// How many are changed at a time.
    pub wave: usize,
    /// How many may fail before no further wave begins.
    pub failures_max: usize,
    /// Every project of the spec, in its order, with the resource that stands where the project
    /// runs.
    pub projects: Vec<(String, Address)>,
}

/// In which order the projects that run are changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// More failed projects than this, or one among the canaries, and no further wave begins.
    pub failures_max: usize,
    /// A wave begins when the one before it is over. Empty waves do not occur.
    pub waves: Vec<Wave>,
}

/// Projects that are changed at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// They prove the change before any other project gets it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
    /// The projects, in the spec's order.
    pub projects: Vec<Rolled>,
}

/// One project of a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolled {
    /// Its name.
    pub name: String,
    /// Indices into [`super::Plan::nodes`]: everything that is written or deleted of it.
    pub nodes: Vec<usize>,
}

impl Wave {
    /// The projects' names.
    pub fn names(&self) -> Vec<String> {
        self.projects.iter().map(|project| project.name.clone()).collect()
    }
}

/// The waves of a plan. `None` where fewer than two projects that run are changed.
///
/// A project runs where the resource stands that shows it, or where nobody could see. Everything
/// that is called for it belongs to its wave, additions too: a new policy can cut a county off. A
/// project that does not run yet has nobody to disturb, one that left the spec nothing to prove.
pub fn rollout(
    spread: &Spread,
    live: &Live,
    changes: &[Change],
    nodes: &[Node],
) -> Option<Rollout> {
    let mut work = work(changes, nodes);
    let runs = |shown_by: &Address| !matches!(live.get(shown_by), Some(Reading::Absent));
    let running = spread.projects.iter().filter(|(_, shown_by)| runs(shown_by));
    let rolled: Vec<Rolled> = running
        .filter_map(|(name, _)| {
            Some(Rolled { name: name.clone(), nodes: work.remove(name.as_str())? })
        })
        .collect();
    if rolled.len() < 2 {
        return None;
    }
    let (canaries, others): (Vec<Rolled>, Vec<Rolled>) =
        rolled.into_iter().partition(|project| spread.canary.contains(&project.name));
    let first = (!canaries.is_empty()).then_some(Wave { canary: true, projects: canaries });
    let others = others.chunks(spread.wave.max(1));
    let others = others.map(|projects| Wave { canary: false, projects: projects.to_vec() });
    let waves = first.into_iter().chain(others).collect();
    Some(Rollout { failures_max: spread.failures_max, waves })
}

/// The nodes that call something, by project. What is only recorded or forgotten waits for nobody.
pub(super) fn work<'a>(changes: &'a [Change], nodes: &[Node]) -> BTreeMap<&'a str, Vec<usize>> {
    let mut work: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let change = changes.get(node.change).filter(|change| !change.steps.is_empty());
        if let Some(project) = change.and_then(|change| change.address.project()) {
            work.entry(project).or_default().push(at);
        }
    }
    work
}
