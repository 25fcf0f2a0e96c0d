//! Files that are written whole or not at all.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Who may read what is written.
#[derive(Clone, Copy)]
pub enum Readers {
    /// Its owner only.
    Owner,
    /// Everybody on the machine.
    All,
}

/// Puts a file in the place of another one once all of it is on the disk.
///
/// # Errors
/// The folder cannot be written, or is full: what was there is as it was.
pub fn replace(path: &Path, readers: Readers, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.as_file().set_permissions(Permissions::from_mode(readers.mode()))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }
}
