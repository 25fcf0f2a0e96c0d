//! `--log-file`: what happens inside, for whoever has to find out later.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::error::CliError;

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
    let filter =
        EnvFilter::try_from_env("BOMA_LOG").unwrap_or_else(|_| EnvFilter::new("boma=debug"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}
