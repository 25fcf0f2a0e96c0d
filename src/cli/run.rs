//! From the command line to an exit code.

use std::process::ExitCode;

use clap::Parser;

use super::args::{Cli, Command, Format, GraphFormat, InventoryFormat, LabCommand, StateCommand};
use super::error::{CliError, Exit};
use super::output::Terminal;
use super::{
    apply, completions, destroy, drift, export, graph, import, inventory, lab, lock, log, man,
    plan, schema, show, state, validate,
};

/// Runs `boma`.
pub fn main() -> ExitCode {
    // Both TLS ends need a process-wide provider; a second install is an error that says nothing
    // new.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let terminal = Terminal::new(cli.color);
    let format = cli.command.format();
    let result = log::start(cli.log_file.as_deref()).and_then(|()| run(cli.command, terminal));
    let exit = result.unwrap_or_else(|error| {
        terminal.error(&error, format);
        error.exit
    });
    ExitCode::from(exit as u8)
}

/// Help and version are no errors; every usage error is exit code 1.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Error as u8 } else { Exit::Done as u8 })
}

fn run(command: Command, terminal: Terminal) -> Result<Exit, CliError> {
    match command {
        Command::Validate(args) => validate::run(&args, terminal),
        Command::Plan(args) => plan::run(&args, terminal),
        Command::Apply(args) => apply::run(&args, terminal),
        Command::Destroy(args) => destroy::run(&args, terminal),
        Command::Drift(args) => drift::run(&args, terminal),
        Command::Show(args) => show::run(&args, terminal),
        Command::State(command) => state::run(&command, terminal),
        Command::Lab(command) => lab::run(&command, terminal),
        Command::Inventory(args) => inventory::run(&args, terminal),
        Command::Import(args) => import::run(&args, terminal),
        Command::Secrets(command) => export::run(&command, terminal),
        Command::Lock(args) => lock::run(&args, terminal),
        Command::Graph(args) => graph::run(&args, terminal),
        Command::Schema(args) => schema::run(&args, terminal),
        Command::Completions(args) => completions::run(&args, terminal),
        Command::Man(args) => man::run(&args, terminal),
    }
}

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Validate(args) => args.output.format,
            Self::Plan(args) => args.output.format,
            Self::Apply(args) => args.output.format,
            Self::Destroy(args) => args.output.format,
            Self::Drift(args) => args.output.format,
            Self::Show(args) => args.output.format,
            Self::Import(args) => args.output.format,
            Self::Inventory(args) if args.format == InventoryFormat::Json => Format::Json,
            Self::Graph(args) if args.format == GraphFormat::Json => Format::Json,
            Self::State(StateCommand::List(args)) => args.output.format,
            Self::State(StateCommand::Show(args) | StateCommand::Rm(args)) => args.output.format,
            Self::Lab(LabCommand::Status(args)) => args.output.format,
            Self::Lab(LabCommand::Drift(_)) => Format::Json,
            Self::State(StateCommand::Mv(_) | StateCommand::Unlock(_))
            | Self::Lab(LabCommand::Serve(_) | LabCommand::Reset(_) | LabCommand::Fault(_))
            | Self::Inventory(_)
            | Self::Graph(_)
            | Self::Secrets(_)
            | Self::Lock(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_) => Format::Text,
        }
    }
}
