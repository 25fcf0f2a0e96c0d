//! Why something on a host was not done.

use thiserror::Error;

use super::HostError;
use crate::provider::{ProviderError, Retry};

/// What went wrong. Becomes a [`ProviderError`] once it is known what it was for.
#[derive(Debug, Error)]
pub enum Failure {
    /// The connection, or a command that failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// boma itself refuses, or found something missing.
    #[error("{message}")]
    Refused {
        /// What is the matter.
        message: String,
        /// What to do next.
        help: String,
        /// Whether a retry can help.
        retry: Retry,
    },
    /// Already said in full.
    #[error(transparent)]
    Told(#[from] ProviderError),
}

impl Failure {
    /// Refuses with a reason that stays until somebody changes something.
    pub fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), help: help.into(), retry: Retry::Never }
    }

    /// Gives up for now.
    pub fn later(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), help: help.into(), retry: Retry::Later }
    }

    /// The error for one operation: `install k3s v1.35.9+k3s1 on server-1 (10.20.0.11)`.
    pub fn explain(self, operation: &str) -> ProviderError {
        if let Self::Told(error) = self {
            return error;
        }
        ProviderError {
            operation: operation.to_owned(),
            message: self.to_string(),
            help: self.help(),
            retry: self.retry(),
        }
    }

    /// What happened and what to do, as the text of an
    /// [`Unread`](crate::resource::Reading::Unread).
    pub fn reason(&self) -> String {
        format!("{self}; {}", self.help())
    }

    fn help(&self) -> String {
        match self {
            Self::Host(error) => error.help(),
            Self::Refused { help, .. } => help.clone(),
            Self::Told(error) => error.help.clone(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Host(error) => error.retry(),
            Self::Refused { retry, .. } => *retry,
            Self::Told(error) => error.retry,
        }
    }
}
