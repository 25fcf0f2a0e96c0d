//! The state on disk as an apply's ledger.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;

use super::error::chain;
use crate::apply::{Ledger, LedgerError};
use crate::resource::{Endpoint, Reference};
use crate::state::{Entry, Store, StoreError};

/// A store that many nodes write to.
pub struct StoreLedger(Mutex<Store>);

impl StoreLedger {
    /// Takes an open store.
    pub fn new(store: Store) -> Self {
        Self(Mutex::new(store))
    }

    /// Folds the journal and gives the lock back.
    ///
    /// # Errors
    /// The files cannot be written; what was recorded stays in the journal.
    pub fn close(self) -> Result<(), StoreError> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).close()
    }

    /// Which thing answers behind an endpoint. `None` where nobody wrote it down yet.
    pub fn identity(&self, endpoint: &Endpoint) -> Option<String> {
        self.store().state().identities.get(endpoint.as_str()).cloned()
    }

    /// Writes down which thing answers behind an endpoint.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn remember(&self, endpoint: &Endpoint, identity: String) -> Result<(), StoreError> {
        self.store().append(Entry::Identity { endpoint: endpoint.to_string(), identity })
    }

    // A panic elsewhere while it was held leaves whole entries only.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for StoreLedger {
    fn append(&self, entry: Entry) -> Result<(), LedgerError> {
        self.store().append(entry).map_err(|error| LedgerError(chain(&error)))
    }

    fn value(&self, reference: &Reference) -> Option<Json> {
        let store = self.store();
        let record = store.state().resources.get(&reference.address)?;
        let find = |tree: Json| {
            reference
                .path
                .split('.')
                .try_fold(&tree, |tree, key| tree.get(key))
                .filter(|found| !found.is_null())
                .cloned()
        };
        find(record.outputs.tree()).or_else(|| find(record.attributes.tree()))
    }
}
