//! Where an apply writes down what it does before and after it does it.

use serde_json::Value as Json;
use thiserror::Error;

use crate::resource::Reference;
use crate::state::Entry;

/// The journal cannot be written: nothing more may be done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct LedgerError(pub String);

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
