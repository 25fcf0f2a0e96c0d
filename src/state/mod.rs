//! Prior as data: what boma recorded of the objects it manages. `state.json` and the journal
//! beside it together are the state; only `file.rs`, `log.rs` and `lock.rs` touch the disk.

mod data;
mod error;
mod file;
mod fold;
mod journal;
mod lock;
mod log;
mod store;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use data::{FORMAT, Open, Record, State};
pub use error::StoreError;
pub use file::load;
pub use fold::{FoldError, apply, fold};
pub use journal::{
    Entry, Header, Journal, JournalError, encode_entry, encode_header, parse_journal,
};
pub use lock::{Lock, LockError, Owner};
pub use store::Store;
