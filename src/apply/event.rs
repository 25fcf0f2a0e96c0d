//! What an apply tells its readers: progress bars, plain lines, JSON. A closed set.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::{Action, Half, Operation};
use crate::resource::Address;

/// One thing that happened during an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// Work begins.
    Began {
        /// Nodes to do.
        total: usize,
        /// How many of them are of each project; of others none.
        projects: BTreeMap<String, usize>,
    },
    /// A wave of projects begins.
    Wave {
        /// Its number, from one.
        number: usize,
        /// How many there are.
        of: usize,
        /// The projects in it prove the change for all others.
        canary: bool,
        /// The projects' names.
        projects: Vec<String>,
    },
    /// A change, or one half of a replace, begins.
    Started {
        /// Which resource.
        address: Address,
        /// What happens to it.
        action: Action,
        /// Which part.
        half: Half,
    },
    /// A step of it begins.
    Step {
        /// Which resource.
        address: Address,
        /// What is done.
        operation: Operation,
    },
    /// A step says how far it is.
    Progress {
        /// Which resource.
        address: Address,
        /// In words.
        text: String,
    },
    /// A step waits: said when it begins to, when what is missing changes, and ever more seldom.
    Waiting {
        /// Which resource.
        address: Address,
        /// What is missing.
        text: String,
        /// Seconds since it began to wait.
        waited_s: u64,
    },
    /// A change, or one half of a replace, is done.
    Finished {
        /// Which resource.
        address: Address,
        /// What happened to it.
        action: Action,
        /// Which part.
        half: Half,
        /// Seconds it took.
        elapsed_s: u64,
    },
    /// A change failed.
    Failed {
        /// Which resource.
        address: Address,
        /// What happened.
        message: String,
        /// What to do next.
        help: String,
    },
    /// A change was not begun.
    Skipped {
        /// Which resource.
        address: Address,
        /// Why, in words.
        reason: String,
    },
    /// Everything of a project is over, one way or the other.
    Project {
        /// Its name.
        name: String,
        /// Nodes done.
        done: usize,
        /// Nodes that failed.
        failed: usize,
        /// Nodes not begun.
        skipped: usize,
        /// Seconds since the first of them began; 0 where none did.
        elapsed_s: u64,
    },
    /// Too many projects failed: no further wave begins.
    Halted {
        /// Those that failed.
        failed: Vec<String>,
        /// Those whose turn does not come.
        unreached: Vec<String>,
    },
    /// Somebody asked to stop; what is under way is finished.
    Stopping {
        /// Nodes under way.
        running: usize,
    },
    /// Work is over.
    Ended {
        /// What was done.
        summary: Outcome,
    },
}

/// What an apply came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Nodes done.
    pub done: usize,
    /// Nodes that failed.
    pub failed: usize,
    /// Nodes not begun because of a failure or an interruption.
    pub skipped: usize,
    /// Somebody interrupted it.
    pub interrupted: bool,
}
