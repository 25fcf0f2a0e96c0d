//! A journal in memory, byte for byte what the file would hold.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;

use crate::apply::{Ledger, LedgerError};
use crate::resource::Reference;
use crate::state::{
    Entry, FORMAT, Header, JournalError, State, apply, encode_entry, encode_header,
};

/// A state with an open journal, without a disk.
pub struct MemoryLedger(Mutex<Held>);

struct Held {
    state: State,
    journal: Vec<u8>,
}

impl MemoryLedger {
    /// Begins an empty journal over a state.
    ///
    /// # Errors
    /// [`JournalError::Unwritable`], which no header causes.
    pub fn new(state: State) -> Result<Self, JournalError> {
        let header =
            Header { format: FORMAT, lineage: state.lineage.clone(), serial: state.serial };
        let journal = encode_header(&header)?;
        Ok(Self(Mutex::new(Held { state, journal })))
    }

    /// What is recorded now.
    pub fn state(&self) -> State {
        self.held().state.clone()
    }

    /// The bytes of the journal, header included.
    pub fn journal(&self) -> Vec<u8> {
        self.held().journal.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for MemoryLedger {
    fn append(&self, entry: Entry) -> Result<(), LedgerError> {
        let record = encode_entry(&entry).map_err(|error| LedgerError(error.to_string()))?;
        let mut held = self.held();
        held.journal.extend(record);
        apply(&mut held.state, entry);
        Ok(())
    }

    fn value(&self, reference: &Reference) -> Option<Json> {
        let held = self.held();
        let record = held.state.resources.get(&reference.address)?;
        let at = |tree: &Json| {
            reference
                .path
                .split('.')
                .try_fold(tree, |tree, key| tree.get(key))
                .filter(|value| !value.is_null())
                .cloned()
        };
        at(&record.outputs.tree()).or_else(|| at(&record.attributes.tree()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::state::{fold, parse_journal};

    #[test]
    fn the_bytes_say_what_the_state_says() {
        let before = State::new("lineage-1".into(), &[7; 32]);
        let ledger = MemoryLedger::new(before.clone()).unwrap();
        ledger
            .append(Entry::Identity { endpoint: "vcenter".into(), identity: "a".into() })
            .unwrap();
        let journal = parse_journal(&ledger.journal()).unwrap();
        assert_eq!(fold(before, &journal).unwrap(), ledger.state());
        assert_eq!(ledger.state().identities["vcenter"], "a");
    }
}
