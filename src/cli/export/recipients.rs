//! For whom credentials are encrypted.

use std::path::Path;

use age::x25519::Recipient;

use super::super::args::SecretsExportArgs;
use super::super::error::{CliError, Exit};

/// What a private key begins with: it is never for a command line, and opens what is exported.
const PRIVATE: &str = "AGE-SECRET-KEY-";

/// The recipients of the command line and of the files it names.
///
/// # Errors
/// There is none; one is no age key, or a private one; a file cannot be read.
pub fn read(args: &SecretsExportArgs) -> Result<Vec<Recipient>, CliError> {
    let mut recipients = Vec::new();
    for text in &args.recipient {
        recipients.push(parse(text, "--recipient")?);
    }
    for path in &args.recipients_file {
        recipients.extend(of_file(path)?);
    }
    if recipients.is_empty() {
        return Err(refused(
            "nobody could read what is exported: no recipient is named".into(),
            "add --recipient age1… or --recipients-file FILE; credentials are never written in plain text",
        ));
    }
    Ok(recipients)
}

/// One key a line; empty lines and those that begin with `#` are left out.
fn of_file(path: &Path) -> Result<Vec<Recipient>, CliError> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = "name a file with one age recipient a line";
        CliError::new(format!("failed to read {file}: {error}"), help)
    })?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    keys.map(|(at, line)| parse(line, &format!("{file}:{at}"))).collect()
}

/// The key is not repeated in the message: it may be the wrong one of a pair.
fn parse(text: &str, place: &str) -> Result<Recipient, CliError> {
    if text.to_ascii_uppercase().starts_with(PRIVATE) {
        return Err(refused(
            format!("{place} is a private key"),
            "name its public one: `age-keygen -y KEYFILE` prints it; and since others may have \
             seen the private one by now, make a new pair",
        ));
    }
    text.parse().map_err(|problem| {
        refused(
            format!("{place} is no age recipient: {problem}"),
            "a recipient looks like age1…; `age-keygen` makes a pair",
        )
    })
}

fn refused(message: String, help: &str) -> CliError {
    CliError::new(message, help).exit(Exit::Refused)
}
