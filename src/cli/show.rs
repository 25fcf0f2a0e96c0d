//! `boma show`

use super::args::ShowArgs;
use super::error::{CliError, Exit};
use super::output::Terminal;
use super::{plan, saved};

/// Prints a saved plan. It speaks to nobody.
pub fn run(args: &ShowArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let review = saved::read(&args.plan)?;
    plan::show(&review, &args.output, terminal)?;
    Ok(Exit::Done)
}
