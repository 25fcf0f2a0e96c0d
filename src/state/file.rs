//! The two files of a state: reading them together, replacing one at a stroke.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::journal::Format;
use super::{FORMAT, Journal, JournalError, State, StoreError, fold, parse_journal};

/// Reads the state in a directory without a lock. `None` where there is none.
///
/// A fold may replace both files while they are read. It replaces `state.json` first and that is
/// read first, so a pair that does not match is either read in between, and matches when read
/// again, or never will.
///
/// # Errors
/// All of [`StoreError`] but [`StoreError::Locked`].
pub fn load(dir: &Path) -> Result<Option<State>, StoreError> {
    let mut again = REREADS;
    loop {
        match read(dir).and_then(|(state, journal)| fold_pair(dir, state, &journal)) {
            Err(error) if may_pass(&error) && again > 0 => again -= 1,
            outcome => return outcome,
        }
    }
}

/// Name of the state's file in its directory.
pub(super) const STATE: &str = "state.json";

/// Name of the journal's file in the same directory.
pub(super) const JOURNAL: &str = "journal";

/// Each reading in vain takes a whole fold that ended meanwhile; nobody folds that often.
const REREADS: usize = 10;

/// Reads both files as they are: state first, see [`load`].
pub(super) fn read(dir: &Path) -> Result<(Option<State>, Journal), StoreError> {
    let state = read_state(&dir.join(STATE))?;
    let journal = read_journal(&dir.join(JOURNAL))?;
    if state.is_none() && journal.header.is_some() {
        return Err(StoreError::Missing { path: dir.join(STATE) });
    }
    Ok((state, journal))
}

/// Applies the journal to the state, where there is one.
pub(super) fn fold_pair(
    dir: &Path,
    state: Option<State>,
    journal: &Journal,
) -> Result<Option<State>, StoreError> {
    let folded = state.map(|state| fold(state, journal)).transpose();
    folded.map_err(|source| StoreError::Fold { path: dir.to_owned(), source })
}

/// Creates a directory for its owner only, with those above it.
pub(super) fn create_dir(dir: &Path) -> Result<(), StoreError> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !is_there(dir)).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| io_error(dir, "create", source))?;
    missing.iter().filter_map(|dir| dir.parent()).try_for_each(sync_dir)
}

/// Replaces a file by what `write` writes: at no moment is there half a file under its name. The
/// new name is on disk for good only after [`sync_dir`]. Returns the file, open for appending.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<File, StoreError> {
    let temporary = path.with_added_extension("tmp");
    write_through(&temporary, write)
        .and_then(|file| std::fs::rename(&temporary, path).map(|()| file))
        .map_err(|source| {
            // What is left of it would only take up a full disk; the next try overwrites it.
            let _ = std::fs::remove_file(&temporary);
            io_error(path, "write", source)
        })
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir)
        .and_then(|file| file.sync_all())
        .map_err(|source| io_error(dir, "synchronise", source))
}

/// Says where an operation failed.
pub(super) fn io_error(path: &Path, operation: &'static str, source: io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), operation, source }
}

fn may_pass(error: &StoreError) -> bool {
    use StoreError::{Fold, Journal, Missing};
    matches!(error, Fold { .. } | Journal { .. } | Missing { .. })
}

fn is_there(dir: &Path) -> bool {
    dir.as_os_str().is_empty() || dir.exists()
}

fn write_through(
    path: &PathBuf,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_len(0)?;
    let mut buffer = BufWriter::new(&file);
    write(&mut buffer)?;
    buffer.flush()?;
    drop(buffer);
    file.sync_all()?;
    Ok(file)
}

fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io_error(path, "read", source)),
    }
}

/// The format alone is looked at only where the whole makes no sense: looking first would scan
/// the file twice at every reading.
fn read_state(path: &Path) -> Result<Option<State>, StoreError> {
    let Some(bytes) = read_bytes(path)? else {
        return Ok(None);
    };
    let parsed = serde_json::from_slice::<State>(&bytes);
    let found = match &parsed {
        Ok(state) => state.format,
        Err(_) => serde_json::from_slice(&bytes).map_or(0, |Format { format }| format),
    };
    let path = path.to_owned();
    if found > FORMAT {
        return Err(StoreError::Newer { path, found, supported: FORMAT });
    }
    parsed.map(Some).map_err(|error| StoreError::Corrupt { path, detail: error.to_string() })
}

fn read_journal(path: &Path) -> Result<Journal, StoreError> {
    let bytes = read_bytes(path)?.unwrap_or_default();
    parse_journal(&bytes).map_err(|error| {
        let path = path.to_owned();
        match error {
            JournalError::Newer { found, supported } => {
                StoreError::Newer { path, found, supported }
            }
            source => StoreError::Journal { path, source },
        }
    })
}
