//! Where an apply writes down what it does before and after it does it.

use std::sync::Arc;

use serde_json::Value as Json;
use thiserror::Error;

use crate::resource::{Reference, SecretSource};
use crate::state::Entry;

/// The journal cannot be written: nothing more may be done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct LedgerError(pub String);

/// The secrets of a run, by where they come from.
pub type SecretValues = Arc<dyn Fn(&SecretSource) -> Option<Json> + Send + Sync>;

/// A journal, and the recorded values that references point at.
pub trait Ledger: Send + Sync {
    /// Appends one entry; it is on disk when this returns.
    ///
    /// # Errors
    /// It is not on disk; the caller stops before it acts.
    fn append(&self, entry: Entry) -> Result<(), LedgerError>;

    /// The recorded value of another resource's attribute. `None` where there is none yet.
    fn value(&self, reference: &Reference) -> Option<Json>;
}
