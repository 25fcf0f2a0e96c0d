//! `boma lock`

mod file;

pub use file::{complete, read};

use super::args::LockArgs;
use super::error::{CliError, Exit};
use super::load::load;
use super::output::{Terminal, print};
use crate::lock::{FILE, Move};

/// Pins what a spec leaves open.
pub fn run(args: &LockArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.spec, terminal)?;
    let (name, standing) = (&loaded.spec.name.value, &loaded.standing);
    let moves = if args.upgrade { standing.upgraded() } else { standing.owed() };
    let pins = if args.upgrade { &standing.newest } else { &standing.held };
    if moves.is_empty() && standing.locked.is_some() {
        let count = pins.values.len();
        print(&format!("{FILE} is current for {name}: {count} releases are pinned.\n"))?;
        return Ok(Exit::Done);
    }
    print(&list(&moves))?;
    if args.check {
        let state = if standing.locked.is_some() { "is stale for" } else { "pins nothing for" };
        let help = format!("run `boma lock {}` and commit {FILE}", args.spec.display());
        return Err(CliError::new(format!("{FILE} {state} {name}"), help).exit(Exit::Refused));
    }
    file::write(&loaded.folder, name, pins)?;
    print(&format!("{FILE} is written for {name}: {} releases are pinned.\n", pins.values.len()))?;
    Ok(Exit::Done)
}

/// A line a move, values in a column.
fn list(moves: &[Move]) -> String {
    let width = moves.iter().map(|moved| moved.key.len()).max().unwrap_or(0);
    let line = |moved: &Move| {
        let (mark, value) = match (&moved.from, &moved.to) {
            (Some(from), Some(to)) => ('~', format!("{from} -> {to}")),
            (None, Some(to)) => ('+', to.clone()),
            (Some(from), None) => ('-', format!("{from} (the spec does not leave it open)")),
            (None, None) => (' ', String::new()),
        };
        format!("{mark} {:width$}  {value}\n", moved.key)
    };
    moves.iter().map(line).collect()
}
