//! What a provider says when it could not do what was asked.

use thiserror::Error;

/// Whether trying the same call again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The answer will be the same until somebody changes something.
    Never,
    /// A passing fault: load, a dropped connection, somebody else's write.
    Later,
    /// A passing fault that the provider has met with patience of its own already: trying again at
    /// once would be the second patience with it. The next apply may find it over.
    NextApply,
}

/// A refusal or a failure of the remote side.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{operation}: {message}")]
pub struct ProviderError {
    /// What was being done, in words: `clone ubuntu-22.04 to /DC1/vm/cht/server-1`.
    pub operation: String,
    /// The remote's own text, or what happened on the way.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// Whether a retry can help.
    pub retry: Retry,
}
