//! `--log-file`: what happens inside, for whoever has to find out later.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::error::CliError;
use super::output::say;

/// Starts logging, where a file is named. Nothing logged holds a secret.
///
/// # Errors
/// The file cannot be opened.
pub fn start(path: Option<&Path>) -> Result<(), CliError> {
    let Some(path) = path else { return Ok(()) };
    let file =
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(|error| {
            CliError::new(
                format!("failed to open the log file {}: {error}", path.display()),
                "name another file",
            )
        })?;
    let log = LogFile { file, path: path.to_owned(), failed: false };
    let filter =
        EnvFilter::try_from_env("BOMA_LOG").unwrap_or_else(|_| EnvFilter::new("boma=debug"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(log))
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// A log is a help, not the work: that it cannot be written is said once, and the work goes on.
struct LogFile {
    file: File,
    path: PathBuf,
    failed: bool,
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.failed
            && let Err(error) = self.file.write_all(bytes)
        {
            self.failed = true;
            let path = self.path.display();
            say(&format!(
                "warning: the log {path} ends here: {error}; the command goes on without it"
            ));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
