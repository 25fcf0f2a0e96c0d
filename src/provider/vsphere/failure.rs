//! Why a call gave no result, from the cable to vCenter's refusals.

use thiserror::Error;

use super::fault::Fault;
use crate::provider::{ProviderError, Retry};

/// A call that gave no result. Becomes a [`ProviderError`] once it is known what it was for.
#[derive(Clone, Debug, Error)]
pub enum Failure {
    /// The request never arrived.
    #[error("vCenter at {server} cannot be reached: {cause}")]
    Unreachable {
        /// `host:port`.
        server: String,
        /// The operating system's words.
        cause: String,
    },
    /// The server's certificate was not accepted; nothing was sent.
    #[error("the certificate of {server} is not trusted: {cause}")]
    Untrusted {
        /// `host:port`.
        server: String,
        /// What is wrong with it, with its thumbprint where it could be read.
        cause: String,
        /// Which keys of the spec to set.
        help: String,
    },
    /// The request may have arrived, and its answer did not.
    #[error("the connection to vCenter broke before {method} was answered: {cause}")]
    Dropped {
        /// The SOAP method.
        method: String,
        /// What happened.
        cause: String,
    },
    /// vCenter answered, but not as vim25 does.
    #[error("vCenter's answer to {method} is not understood: {cause}")]
    Unexpected {
        /// The SOAP method.
        method: String,
        /// What is odd about it.
        cause: String,
    },
    /// vCenter refused.
    #[error(transparent)]
    Fault(#[from] Fault),
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

    /// An answer without something that vim25 says is there.
    pub fn missing(method: &str, what: &str) -> Self {
        Self::Unexpected { method: method.into(), cause: format!("it has no {what}") }
    }

    /// The fault, where vCenter gave one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Whether it says that an object is gone.
    pub fn is_gone(&self) -> bool {
        matches!(self.fault(), Some(Fault::ManagedObjectNotFound { .. }))
    }

    /// The error for one operation: `clone ubuntu-22.04 to /DC1/vm/cht/server-1`.
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

    fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. } | Self::Dropped { .. } => Retry::Later,
            Self::Untrusted { .. } | Self::Unexpected { .. } => Retry::Never,
            Self::Fault(fault) => fault.retry(),
            Self::Refused { retry, .. } => *retry,
            Self::Told(error) => error.retry,
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "check [vcenter] server and port, the network from here, and that vCenter is up".into()
            }
            Self::Dropped { .. } => {
                "whether it was done is not known: the next read shows it, and boma plans from there".into()
            }
            Self::Unexpected { .. } => {
                "check that [vcenter] server names a vCenter 7.0 or later, not a proxy or an ESXi host".into()
            }
            Self::Fault(fault) => fault.help(),
            Self::Untrusted { help, .. } | Self::Refused { help, .. } => help.clone(),
            Self::Told(error) => error.help.clone(),
        }
    }
}

/// The text of an [`Unread`](crate::resource::Reading::Unread): what happened and what to do.
pub fn reason(error: &ProviderError) -> String {
    format!("{error}; {}", error.help)
}
