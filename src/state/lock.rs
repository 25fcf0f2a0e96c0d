//! One writer at a time: the operating system's file lock, and a note of who holds it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error::advice;

/// Who holds a lock, for whoever finds it held. Clock and environment come from the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its process id.
    pub pid: u32,
    /// The machine that it runs on.
    pub host: String,
    /// Who started it.
    pub user: String,
    /// What was started; holds no secret.
    pub command: String,
    /// When the lock was taken.
    pub since: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, user, command, since } = self;
        write!(f, "process {pid} on {host}, user {user}, `{command}`, since {since}")
    }
}

/// A lock that is held until it is dropped or its process ends, however that happens: the
/// operating system frees it, so no lock is ever left behind.
///
/// The locked file is `lock`, which nothing renames or removes: a lock on a replaced file would
/// no longer keep anybody out.
#[derive(Debug)]
pub struct Lock {
    file: File,
    left_behind: Option<Owner>,
}

/// Why a lock was not taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error(
        "{} is locked by {}: wait, or end that process; the lock goes away with it; `boma state \
         unlock` only clears a stale owner note",
        path.display(),
        owner.as_ref().map_or_else(|| "another process".into(), ToString::to_string)
    )]
    Held {
        /// Who. `None` where the holder has not written it yet.
        owner: Option<Box<Owner>>,
        /// The locked file.
        path: PathBuf,
    },
    /// The file cannot be used.
    #[error("lock {}: {}", path.display(), advice(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock of a directory and writes who has it.
    ///
    /// # Errors
    /// It is held, or the file cannot be used.
    pub fn acquire(dir: &Path, owner: &Owner) -> Result<Self, LockError> {
        let mut lock = Self::take(dir)?;
        lock.write_note(Some(owner)).map_err(|source| io_error(dir, source))?;
        Ok(lock)
    }

    /// Clears the note that a killed process left, and returns it. `None` where there was none.
    ///
    /// # Errors
    /// The lock is held: its note is not stale. Or the file cannot be used.
    pub fn clear(dir: &Path) -> Result<Option<Owner>, LockError> {
        let mut lock = Self::take(dir)?;
        lock.write_note(None).map_err(|source| io_error(dir, source))?;
        Ok(lock.left_behind.take())
    }

    /// Who held it before and was killed. `None` where the last holder ended well.
    pub fn left_behind(&self) -> Option<&Owner> {
        self.left_behind.as_ref()
    }

    fn take(dir: &Path) -> Result<Self, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join(LOCK))
            .map_err(|source| io_error(dir, source))?;
        let locked = file.try_lock();
        let owner = read_note(&mut file);
        match locked {
            Ok(()) => Ok(Self { file, left_behind: owner }),
            Err(TryLockError::WouldBlock) => {
                Err(LockError::Held { owner: owner.map(Box::new), path: dir.join(LOCK) })
            }
            Err(TryLockError::Error(source)) => Err(io_error(dir, source)),
        }
    }

    fn write_note(&mut self, owner: Option<&Owner>) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        match owner {
            Some(owner) => self.file.write_all(&serde_json::to_vec(owner)?),
            None => Ok(()),
        }
    }
}

impl Drop for Lock {
    /// A note that stays behind says only that its writer was killed, so failing here is harmless.
    fn drop(&mut self) {
        let _ = self.write_note(None);
    }
}

const LOCK: &str = "lock";

/// An unreadable note is no note: it is for people, the lock is what counts.
fn read_note(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn io_error(dir: &Path, source: io::Error) -> LockError {
    LockError::Io { path: dir.join(LOCK), source }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::state::samples::owner;

    fn check_held(dir: &Path, expected: &str) {
        let error = Lock::acquire(dir, &owner()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn the_second_learns_who_was_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::acquire(dir.path(), &owner()).unwrap();
        check_held(
            dir.path(),
            "locked by process 4242 on ops-1, user alice, `boma apply national.toml`, since \
             2026-03-01T08:00:00Z: wait, or end that process",
        );
        assert!(matches!(Lock::clear(dir.path()), Err(LockError::Held { .. })));
        drop(first);
        let second = Lock::acquire(dir.path(), &owner()).unwrap();
        assert_eq!(second.left_behind(), None);
    }

    #[test]
    fn a_holder_without_a_note_is_another_process() {
        let dir = tempfile::tempdir().unwrap();
        let _held = Lock::take(dir.path()).unwrap();
        check_held(dir.path(), "locked by another process: wait");
    }

    /// A kill closes the file without running [`Drop`], which leaves what is written here: the
    /// note, and no lock.
    #[test]
    fn a_killed_holder_leaves_a_note_and_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        let note = serde_json::to_vec(&owner()).unwrap();
        std::fs::write(dir.path().join(LOCK), &note).unwrap();
        let lock = Lock::acquire(dir.path(), &owner()).unwrap();
        assert_eq!(lock.left_behind(), Some(&owner()));
        drop(lock);

        std::fs::write(dir.path().join(LOCK), &note).unwrap();
        assert_eq!(Lock::clear(dir.path()).unwrap(), Some(owner()));
        assert_eq!(Lock::clear(dir.path()).unwrap(), None);
    }
}
