//! Errors of whole commands, and the exit code of each.

use std::fmt;

use crate::state::{LockError, StoreError};

/// What a command ends with. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// An error; something could not be read.
    Error = 1,
    /// Changes are pending, or drift was found.
    Pending = 2,
    /// The spec or the plan is refused.
    Refused = 3,
    /// Some changes failed; what was done is saved.
    Partly = 4,
    /// Somebody interrupted it.
    Interrupted = 130,
}

/// Why a command could not do its work.
#[derive(Clone, Debug)]
pub struct CliError {
    /// What it ends with.
    pub exit: Exit,
    /// What happened and where, with its causes.
    pub message: String,
    /// What to do next. `None` where the message says it.
    pub help: Option<String>,
}

impl CliError {
    /// An error with a way out.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Error, message: message.into(), help: Some(help.into()) }
    }

    /// The same with another exit code.
    pub fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error with all its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self { exit: Exit::Error, message: chain(&error), help: None }
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> Self {
        Self { exit: Exit::Error, message: chain(&error), help: None }
    }
}

impl From<crate::provider::ProviderError> for CliError {
    fn from(error: crate::provider::ProviderError) -> Self {
        Self::new(error.to_string(), error.help)
    }
}
