//! Saved plans.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::{CliError, Exit};
use super::whole::{self, Readers};
use crate::diag::{Finding, Level, Place};
use crate::plan::{FORMAT, Plan, ReadStats, Review, check_saved};
use crate::resource::{Address, Digest};
use crate::rules;

/// The file: a review, and the SHA-256 of its bytes, so that what was reviewed is what is applied.
#[derive(Serialize, Deserialize)]
struct Sealed {
    digest: String,
    review: Box<RawValue>,
}

/// A review as data. Attribute trees are raw text, so no part of it may be tagged from within
/// or flattened.
#[derive(Serialize, Deserialize)]
struct Saved {
    plan: Plan,
    findings: Vec<SavedFinding>,
    read: Option<ReadStats>,
}

#[derive(Serialize, Deserialize)]
struct SavedFinding {
    rule: String,
    level: Level,
    message: String,
    help: String,
    place: Option<Place>,
    address: Option<Address>,
    waived: Option<String>,
}

/// Writes a plan: whole or not at all, readable by its owner only.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, review: &Review) -> Result<(), CliError> {
    let saved = Saved {
        plan: review.plan.clone(),
        findings: review.findings.iter().map(SavedFinding::from).collect(),
        read: review.read,
    };
    refuse_what_is_no_file(path)?;
    let written = sealed(&saved)
        .map_err(std::io::Error::from)
        .and_then(|text| whole::replace(path, Readers::Owner, &text));
    written.map_err(|error| {
        CliError::new(
            format!("failed to save the plan to {}: {error}", path.display()),
            "name another file; nothing was changed",
        )
    })
}

fn sealed(saved: &Saved) -> Result<Vec<u8>, serde_json::Error> {
    let review = serde_json::value::to_raw_value(saved)?;
    let digest = Digest::of(review.get().as_bytes()).to_string();
    let mut text = serde_json::to_vec(&Sealed { digest, review })?;
    text.push(b'\n');
    Ok(text)
}

/// Saving replaces the name, so a link, a pipe or a device would be lost.
fn refuse_what_is_no_file(path: &Path) -> Result<(), CliError> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => Err(CliError::new(
            format!("{} is no regular file: a plan is not saved there", path.display()),
            "name a file; `--format json` prints the plan to standard output",
        )),
        _ => Ok(()),
    }
}

/// Whether a file is a saved plan rather than a spec: a spec never begins with a brace.
pub fn is_plan(path: &Path) -> bool {
    std::fs::read(path)
        .is_ok_and(|bytes| bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{'))
}

/// Reads a plan back.
///
/// # Errors
/// The file cannot be read, is no plan, is of another format, or breaks a plan's invariants.
pub fn read(path: &Path) -> Result<Review, CliError> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::new(
            format!("failed to read the plan {file}: {error}"),
            "name a file made by `boma plan --out`",
        )
    })?;
    let sealed: Sealed = serde_json::from_str(&text)
        .map_err(|error| refused(path, &format!("it is no saved plan: {error}")))?;
    let text = sealed.review.get();
    check_format(text, path)?;
    if Digest::of(text.as_bytes()).to_string() != sealed.digest {
        return Err(refused(path, "it was edited after it was saved"));
    }
    let saved: Saved = serde_json::from_str(text)
        .map_err(|error| refused(path, &format!("it is damaged: {error}")))?;
    if let Some(note) = check_saved(&saved.plan).first() {
        return Err(refused(path, &format!("it is damaged: {note}")));
    }
    let findings: Option<Vec<Finding>> =
        saved.findings.into_iter().map(SavedFinding::finding).collect();
    let findings =
        findings.ok_or_else(|| refused(path, "it names a rule that this version does not have"))?;
    Ok(Review { plan: saved.plan, findings, read: saved.read })
}

/// The format is looked at before the rest, which a newer version may have changed.
fn check_format(text: &str, path: &Path) -> Result<(), CliError> {
    #[derive(Deserialize)]
    struct Outer {
        plan: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        format: u32,
    }
    match serde_json::from_str::<Outer>(text) {
        Ok(outer) if outer.plan.format == FORMAT => Ok(()),
        Ok(outer) => Err(refused(
            path,
            &format!("it has format {}, this version reads {FORMAT}", outer.plan.format),
        )),
        Err(error) => Err(refused(path, &format!("it is no saved plan: {error}"))),
    }
}

fn refused(path: &Path, why: &str) -> CliError {
    CliError::new(
        format!("the plan {} is refused: {why}", path.display()),
        "plan again with `boma plan --out`; nothing was changed",
    )
    .exit(Exit::Refused)
}

impl From<&Finding> for SavedFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.to_owned(),
            level: finding.level,
            message: finding.message.clone(),
            help: finding.help.clone(),
            place: finding.place.clone(),
            address: finding.address.clone(),
            waived: finding.waived.clone(),
        }
    }
}

impl SavedFinding {
    fn finding(self) -> Option<Finding> {
        Some(Finding {
            rule: rules::known().iter().find(|name| **name == self.rule)?,
            level: self.level,
            message: self.message,
            help: self.help,
            place: self.place,
            address: self.address,
            waived: self.waived,
        })
    }
}
