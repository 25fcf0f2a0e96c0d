//! `boma completions`

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};
use super::error::{CliError, Exit};
use super::output::{Terminal, print_bytes};

/// Prints a script that a shell reads at its start.
pub fn run(args: &CompletionsArgs, _terminal: Terminal) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "boma", &mut script);
    print_bytes(&script)?;
    Ok(Exit::Done)
}
