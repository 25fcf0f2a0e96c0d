//! `boma man`

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::{Cli, ManArgs};
use super::error::{CliError, Exit};
use super::output::{Terminal, print_bytes};

/// Prints the page of boma, or writes a page for each command.
pub fn run(args: &ManArgs, _terminal: Terminal) -> Result<Exit, CliError> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &args.out {
        None => {
            let mut text = Vec::new();
            page(&command).render(&mut text).map_err(|error| failed("boma.1", &error))?;
            print_bytes(&text)?;
        }
        Some(folder) => std::fs::create_dir_all(folder)
            .and_then(|()| write(&command, folder))
            .map_err(|error| failed(&folder.display().to_string(), &error))?,
    }
    Ok(Exit::Done)
}

fn page(command: &clap::Command) -> Man {
    Man::new(command.clone()).source(format!("boma {}", env!("CARGO_PKG_VERSION")))
}

/// The page of a command and of all below it: `boma.1`, `boma-state.1`, `boma-state-mv.1`.
fn write(command: &clap::Command, folder: &Path) -> io::Result<()> {
    page(command).generate_to(folder)?;
    command.get_subcommands().try_for_each(|below| write(below, folder))
}

fn failed(what: &str, error: &io::Error) -> CliError {
    CliError::new(
        format!("failed to write {what}: {error}"),
        "name a folder that can be written with --out",
    )
}
