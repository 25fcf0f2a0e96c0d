//! Why a state could not be read or written.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::{FoldError, JournalError, LockError};

/// Why a state could not be read or written. What was recorded before stays as it was.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("{operation} {}: {}", path.display(), advice(source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// A later format.
    #[error(
        "{} was written by a newer boma (format {found}, this one reads up to {supported}): use \
         that version; nothing was changed",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// See [`super::FORMAT`].
        supported: u32,
    },
    /// `state.json` is not what boma wrote.
    #[error(
        "{} cannot be read as a state ({detail}): restore the directory from a backup, or move it \
         away and plan again, which adopts what bears boma's marks",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        detail: String,
    },
    /// There is a journal, and the state that it extends is gone.
    #[error(
        "{} is missing beside its journal: restore it from a backup, or move the directory away \
         and plan again, which adopts what bears boma's marks",
        path.display()
    )]
    Missing {
        /// Where the state should be.
        path: PathBuf,
    },
    /// The journal is damaged.
    #[error("journal {}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        source: JournalError,
    },
    /// The two files do not belong together.
    #[error("state in {}", path.display())]
    Fold {
        /// The directory.
        path: PathBuf,
        /// What is wrong and what to do.
        source: FoldError,
    },
    /// Somebody else writes.
    #[error(transparent)]
    Locked(#[from] LockError),
}

/// What to do about a refusal of the operating system.
pub(super) fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; free some space and run the command again (nothing recorded is lost)"
        }
        io::ErrorKind::PermissionDenied => {
            "run boma as the user who owns the directory, or give this one access to it"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the disk is read-only; remount it or give --state another path"
        }
        io::ErrorKind::Unsupported => {
            "this file system cannot do it; keep the state on a local disk (--state)"
        }
        _ => "see the cause; once it is gone, run the command again (nothing recorded is lost)",
    }
}
