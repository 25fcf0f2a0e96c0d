//! The lock file on disk.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::error::{CliError, Exit};
use super::super::load::Loaded;
use super::super::output::say;
use super::super::whole::{self, Readers};
use crate::lock::{FILE, Lock};
use crate::spec::Pins;

/// Reads the lock of a folder; an empty one where there is none.
///
/// # Errors
/// The file cannot be read, or is no lock that this version can use.
pub fn read(folder: &Path) -> Result<Lock, CliError> {
    let path = path(folder);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Lock::default()),
        Err(error) => {
            let message = format!("failed to read {}: {error}", path.display());
            return Err(CliError::new(message, "make it readable; nothing was changed"));
        }
    };
    Lock::parse(&text).map_err(|fault| {
        let message = format!("{}:{}: {}", path.display(), fault.line, fault.message);
        CliError::new(message, fault.help).exit(Exit::Refused)
    })
}

/// Pins for one spec; what the file holds for others stays.
///
/// # Errors
/// The file cannot be read or written.
pub fn write(folder: &Path, spec: &str, pins: &Pins) -> Result<(), CliError> {
    let mut lock = read(folder)?;
    lock.specs.insert(spec.to_owned(), pins.clone());
    // A link stays one: what it leads to is replaced.
    let path = path(folder);
    let path = path.canonicalize().unwrap_or(path);
    // It holds nothing but releases.
    let written = whole::replace(&path, Readers::All, lock.to_string().as_bytes());
    written.map_err(|error| {
        CliError::new(
            format!("failed to write {}: {error}", path.display()),
            "run `boma lock` where the folder can be written, and commit the file; nothing was \
             changed",
        )
    })
}

/// Pins what a spec leaves open before the spec is applied for the first time.
///
/// # Errors
/// See [`write`].
pub fn complete(loaded: &Loaded) -> Result<(), CliError> {
    let count = loaded.standing.unpinned().len();
    if count == 0 {
        return Ok(());
    }
    write(&loaded.folder, &loaded.spec.name, &loaded.standing.held)?;
    say(&format!("{FILE} now pins {count} releases that the spec leaves open: commit it"));
    Ok(())
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
