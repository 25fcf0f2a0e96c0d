//! Events of an apply as JSON, one object a line.

use schemars::JsonSchema;
use serde::Serialize;

use super::{OutcomeJson, names};
use crate::apply::Event;
use crate::plan::{Action, Half, Operation};

/// One line of `--progress json`: something that happened during an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
#[schemars(title = "boma event")]
pub enum EventJson {
    /// Work begins.
    Began {
        /// Changes to make; a replace counts twice.
        total: usize,
    },
    /// A change, or one half of a replace, begins.
    Started {
        /// Which resource.
        address: String,
        /// What happens to it.
        #[schemars(schema_with = "names::action")]
        action: Action,
        /// Which part.
        #[schemars(schema_with = "names::half")]
        half: Half,
    },
    /// A step of a change begins.
    Step {
        /// Which resource.
        address: String,
        /// What is done.
        #[schemars(schema_with = "names::operation")]
        operation: Operation,
    },
    /// A step says how far it is.
    Progress {
        /// Which resource.
        address: String,
        /// In words.
        text: String,
    },
    /// A change, or one half of a replace, is done.
    Finished {
        /// Which resource.
        address: String,
        /// What happened to it.
        #[schemars(schema_with = "names::action")]
        action: Action,
        /// Which part.
        #[schemars(schema_with = "names::half")]
        half: Half,
        /// Seconds it took.
        elapsed_s: u64,
    },
    /// A change failed.
    Failed {
        /// Which resource.
        address: String,
        /// What happened.
        message: String,
        /// What to do next.
        help: String,
    },
    /// A change was not begun.
    Skipped {
        /// Which resource.
        address: String,
        /// Why, in words.
        reason: String,
    },
    /// Somebody asked to stop; what is under way is finished.
    Stopping {
        /// Changes under way.
        running: usize,
    },
    /// Work is over.
    Ended {
        /// What was done.
        summary: OutcomeJson,
    },
}

impl From<&Event> for EventJson {
    fn from(event: &Event) -> Self {
        let text = ToString::to_string;
        match event {
            Event::Began { total } => Self::Began { total: *total },
            Event::Started { address, action, half } => {
                Self::Started { address: text(address), action: *action, half: *half }
            }
            Event::Step { address, operation } => {
                Self::Step { address: text(address), operation: *operation }
            }
            Event::Progress { address, text: said } => {
                Self::Progress { address: text(address), text: said.clone() }
            }
            Event::Finished { address, action, half, elapsed_s } => Self::Finished {
                address: text(address),
                action: *action,
                half: *half,
                elapsed_s: *elapsed_s,
            },
            Event::Failed { address, message, help } => Self::Failed {
                address: text(address),
                message: message.clone(),
                help: help.clone(),
            },
            Event::Skipped { address, reason } => {
                Self::Skipped { address: text(address), reason: reason.clone() }
            }
            Event::Stopping { running } => Self::Stopping { running: *running },
            Event::Ended { summary } => Self::Ended { summary: summary.into() },
        }
    }
}
