//! Reading a spec.

use std::path::{Path, PathBuf};

use super::error::{CliError, Exit};
use super::lock;
use super::output::{Terminal, say};
use super::sources;
use crate::diag::Diagnostic;
use crate::lock::{Lock, Standing, read_spec};
use crate::lower::Sources;
use crate::render;
use crate::resource::Digest;
use crate::secret::expand;
use crate::spec::Spec;

/// A spec that can be used.
pub struct Loaded {
    /// The spec.
    pub spec: Spec,
    /// The file as named.
    pub file: String,
    /// SHA-256 of its text and of the releases that stand in for what it leaves open.
    pub digest: Digest,
    /// The folder that relative paths in it start from.
    pub folder: PathBuf,
    /// What it leaves open, and what is locked of that.
    pub standing: Standing,
    /// Manifests that it names, as far as they were read.
    pub sources: Sources,
}

/// A spec's text and everything that is to be said about it.
pub struct Checked {
    /// `None` where a diagnostic is an error.
    pub loaded: Option<Loaded>,
    /// The text.
    pub text: String,
    /// All diagnostics.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks a spec.
///
/// # Errors
/// The file, the lock beside it or a manifest that it names cannot be read.
pub fn check(path: &Path) -> Result<Checked, CliError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        CliError::new(
            format!("failed to read the spec {file}: {error}"),
            "name a TOML file; examples/ has two to start from",
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        CliError::new(
            format!("the spec {file} is not UTF-8 text: byte {at} is no part of a character"),
            "save it as UTF-8",
        )
        .exit(Exit::Refused)
    })?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let (mut parsed, standing) = read_spec(&file, &text, &lock::read(&folder)?);
    if let Some(directory) = parsed.spec.as_mut().and_then(|spec| spec.k3s.directory.as_mut()) {
        directory.value = expand(&directory.value, &folder).display().to_string();
    }
    let sources = parsed.spec.as_ref().map(|spec| sources::local(spec, &folder)).transpose()?;
    let loaded = parsed.spec.zip(standing).map(|(spec, standing)| {
        let (digest, sources) = (digest(&text, &spec, &standing), sources.unwrap_or_default());
        Loaded { spec, file, digest, folder, standing, sources }
    });
    Ok(Checked { loaded, text, diagnostics: parsed.diagnostics })
}

/// Whoever wrote the lock meanwhile, from what the spec was read with, changed nothing.
fn digest(text: &str, spec: &Spec, standing: &Standing) -> Digest {
    let held = Lock { specs: [(spec.name.value.clone(), standing.held.clone())].into() };
    Digest::of(format!("{text}\0{held}").as_bytes())
}

/// Reads a spec for use; prints what is wrong with it on standard error.
///
/// # Errors
/// The file cannot be read, or the spec is refused.
pub fn load(path: &Path, terminal: Terminal) -> Result<Loaded, CliError> {
    let checked = check(path)?;
    let file = path.display().to_string();
    if !checked.diagnostics.is_empty() {
        let color = terminal.color_on_stderr();
        say(render::diagnostics(
            &checked.text,
            &file,
            &checked.diagnostics,
            color,
            Terminal::width(),
        )
        .trim_end());
    }
    checked.loaded.ok_or_else(|| {
        let count = checked.diagnostics.len();
        CliError::new(
            format!(
                "the spec {file} is refused: {count} problem{}",
                if count == 1 { "" } else { "s" }
            ),
            "mend what is shown above; nothing was changed",
        )
        .exit(Exit::Refused)
    })
}
