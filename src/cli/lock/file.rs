//! The lock file on disk.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::error::{CliError, Exit};
use super::super::load::Loaded;
use super::super::output::say;
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
    let written = replace(&path, &lock.to_string());
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

/// Whole or not at all, and readable by everybody: it holds nothing but releases.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
