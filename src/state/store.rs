//! A state that is being changed.

use std::path::{Path, PathBuf};

use super::file::{STATE, create_dir, fold_pair, read, replace, sync_dir};
use super::log::Log;
use super::{Entry, FORMAT, Header, Lock, Owner, State, StoreError, apply};

/// The state of a directory, locked, with its journal open.
///
/// Dropping it only frees the lock, as a kill does: the journal holds everything, and whoever
/// opens the state next folds it.
pub struct Store {
    dir: PathBuf,
    state: State,
    /// `None` between writing `state.json` and beginning its journal: the one on disk is folded
    /// already, and what was appended to it would be ignored.
    log: Option<Log>,
    lock: Lock,
}

impl Store {
    /// Locks and reads the state of a directory, with what an interrupted run left in the
    /// journal; writes the one that `new` makes where there is none.
    ///
    /// # Errors
    /// Any [`StoreError`]; what is on disk then still means the same.
    pub fn open(dir: &Path, new: impl FnOnce() -> State, owner: Owner) -> Result<Self, StoreError> {
        create_dir(dir)?;
        let lock = Lock::acquire(dir, &owner)?;
        let (state, journal) = read(dir)?;
        let written = state.as_ref().map(|state| state.serial);
        let has_news = !journal.entries.is_empty()
            && written == journal.header.as_ref().map(|header| header.serial);
        let state = fold_pair(dir, state, &journal)?.unwrap_or_else(new);
        let mut store = Self { dir: dir.to_owned(), state, log: None, lock };
        if written.is_none() || has_news {
            store.write_state()?;
        }
        store.settle()?;
        Ok(store)
    }

    /// What is recorded now.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Who had the state open and was killed. `None` where the last one ended well.
    pub fn left_behind(&self) -> Option<&Owner> {
        self.lock.left_behind()
    }

    /// Gives an empty state the lineage that the marks in the world bear: a lost state is
    /// recovered under its old name.
    ///
    /// # Errors
    /// The state cannot be written, or already knows something of another lineage.
    pub fn recover(&mut self, lineage: &str) -> Result<(), StoreError> {
        if self.state.lineage == lineage {
            return Ok(());
        }
        if !self.state.is_empty() {
            let detail =
                format!("it belongs to lineage {}, the plan to {lineage}", self.state.lineage);
            return Err(StoreError::Corrupt { path: self.dir.join(STATE), detail });
        }
        self.state.lineage = lineage.to_owned();
        self.fold()
    }

    /// Records an entry: it is on disk when this returns. Costs the same at any size of state,
    /// but for the fold of a journal that got long.
    ///
    /// # Errors
    /// The entry is not recorded; the state is as it was. Appending may be tried again.
    pub fn append(&mut self, entry: Entry) -> Result<(), StoreError> {
        if self.log.as_ref().is_some_and(Log::is_long) {
            self.fold()?;
        }
        self.settle()?.append(&entry)?;
        apply(&mut self.state, entry);
        Ok(())
    }

    /// Writes `state.json` anew and begins an empty journal.
    ///
    /// # Errors
    /// Nothing recorded is lost; folding may be tried again.
    pub fn fold(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        self.write_state()?;
        self.settle()?;
        Ok(())
    }

    /// Folds if anything was appended, and frees the lock.
    ///
    /// # Errors
    /// Nothing recorded is lost: it is in the journal.
    pub fn close(mut self) -> Result<(), StoreError> {
        if self.settle()?.is_empty() { Ok(()) } else { self.fold() }
    }

    fn write_state(&mut self) -> Result<(), StoreError> {
        let path = self.dir.join(STATE);
        let before = (self.state.format, self.state.serial);
        self.state.format = FORMAT;
        self.state.serial = self.state.serial.saturating_add(1);
        let state = &self.state;
        match replace(&path, |out| Ok(serde_json::to_writer(out, state)?)) {
            Ok(_) => self.log = None,
            Err(error) => {
                (self.state.format, self.state.serial) = before;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sees to it that the journal extends the written state. The new `state.json` must be
    /// durable before the journal that it was folded with is replaced.
    fn settle(&mut self) -> Result<&mut Log, StoreError> {
        let log = match self.log.take() {
            Some(log) => log,
            None => {
                sync_dir(&self.dir)?;
                let State { lineage, serial, .. } = &self.state;
                let header = Header { format: FORMAT, lineage: lineage.clone(), serial: *serial };
                Log::begin(&self.dir, &header)?
            }
        };
        Ok(self.log.insert(log))
    }
}
