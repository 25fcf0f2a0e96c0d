//! `secrets`: what only the cluster knows.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EXIT_CODES, Target};

/// `secrets`
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Write the projects' credentials, encrypted with age, for a safe place
    ///
    /// They are read from the cluster, which has the only copy of what boma made up. The result is
    /// armored text; `age --decrypt` makes JSON of it: `projects`, then by name `namespace`,
    /// `secret` and `data`. Nothing is ever written in plain text. A Secret that is not there is
    /// named, and ends it with exit code 1.
    #[command(after_help = EXIT_CODES)]
    Export(SecretsExportArgs),
}

/// `secrets export`
#[derive(Debug, Args)]
pub struct SecretsExportArgs {
    #[command(flatten)]
    pub target: Target,
    /// Only this project; may be given again [default: all]
    #[arg(long, value_name = "NAME")]
    pub project: Vec<String>,
    /// Who can decrypt it: a public key of age; may be given again
    #[arg(long, value_name = "AGE_KEY")]
    pub recipient: Vec<String>,
    /// The same from a file: one key a line, lines that begin with # left out
    #[arg(long, value_name = "FILE")]
    pub recipients_file: Vec<PathBuf>,
    /// Write it to a file, for its owner only [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
