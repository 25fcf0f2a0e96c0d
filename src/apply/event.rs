//! What an apply tells its readers: progress bars, plain lines, JSON. A closed set.

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
