//! `boma destroy`

use super::abandon;
use super::apply::{self, Work};
use super::args::{Consent, DestroyArgs};
use super::error::{CliError, Exit};
use super::load::load;
use super::output::Terminal;

/// Plans that nothing is desired, or that some projects are given up with their data, and applies
/// it.
pub fn run(args: &DestroyArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.target.spec, terminal)?;
    apply::carry_out(
        &Work {
            loaded: &loaded,
            home: &args.target.home,
            scope: &args.scope,
            consent: &Consent { yes: args.yes, allow_disruption: true },
            output: &args.output,
            destroy: true,
            abandon: abandon::names(&args.abandon_data)?,
            keep_disks: args.keep_disks,
            saved: None,
        },
        terminal,
    )
}
