//! Events of an apply as JSON, one object a line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{OutcomeJson, names};
use crate::apply::Event;
use crate::plan::{Action, Half, Operation};
use crate::resource::Address;

/// One line of `--progress json`: something that happened during an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
#[schemars(title = "boma event")]
pub enum EventJson {
    /// Work begins.
    Began {
        /// Changes to make; a replace counts twice.
        total: usize,
        /// How many of them are of each project.
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
        address: String,
        /// Its project. Absent where it is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<String>,
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
        /// Its project. Absent where it is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<String>,
        /// What is done.
        #[schemars(schema_with = "names::operation")]
        operation: Operation,
    },
    /// A step says how far it is.
    Progress {
        /// Which resource.
        address: String,
        /// Its project. Absent where it is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<String>,
        /// In words.
        text: String,
    },
    /// A step waits: said when it begins to, when what is missing changes, and ever more seldom.
    Waiting {
        /// Which resource.
        address: String,
        /// Its project. Absent where it is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<String>,
        /// What is missing.
        text: String,
        /// Seconds since it began to wait.
        waited_s: u64,
    },
    /// A change, or one half of a replace, is done.
    Finished {
        /// Which resource.
        address: String,
        /// Its project. Absent where it is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<String>,
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
        /// Its project. Absent where it is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<String>,
        /// What happened.
        message: String,
        /// What to do next.
        help: String,
    },
    /// A change was not begun.
    Skipped {
        /// Which resource.
        address: String,
        /// Its project. Absent where it is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<String>,
        /// Why, in words.
        reason: String,
    },
    /// Everything of a project is over, one way or the other.
    Project {
        /// Its name.
        name: String,
        /// Changes done.
        done: usize,
        /// Changes that failed.
        failed: usize,
        /// Changes not begun.
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
        let of = |address: &Address| (address.to_string(), address.project().map(str::to_owned));
        match event.clone() {
            Event::Began { total, projects } => Self::Began { total, projects },
            Event::Wave { number, of, canary, projects } => {
                Self::Wave { number, of, canary, projects }
            }
            Event::Started { address, action, half } => {
                let (address, project) = of(&address);
                Self::Started { address, project, action, half }
            }
            Event::Step { address, operation } => {
                let (address, project) = of(&address);
                Self::Step { address, project, operation }
            }
            Event::Progress { address, text } => {
                let (address, project) = of(&address);
                Self::Progress { address, project, text }
            }
            Event::Waiting { address, text, waited_s } => {
                let (address, project) = of(&address);
                Self::Waiting { address, project, text, waited_s }
            }
            Event::Finished { address, action, half, elapsed_s } => {
                let (address, project) = of(&address);
                Self::Finished { address, project, action, half, elapsed_s }
            }
            Event::Failed { address, message, help } => {
                let (address, project) = of(&address);
                Self::Failed { address, project, message, help }
            }
            Event::Skipped { address, reason } => {
                let (address, project) = of(&address);
                Self::Skipped { address, project, reason }
            }
            Event::Project { name, done, failed, skipped, elapsed_s } => {
                Self::Project { name, done, failed, skipped, elapsed_s }
            }
            Event::Halted { failed, unreached } => Self::Halted { failed, unreached },
            Event::Stopping { running } => Self::Stopping { running },
            Event::Ended { summary } => Self::Ended { summary: (&summary).into() },
        }
    }
}
