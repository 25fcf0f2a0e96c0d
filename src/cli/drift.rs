//! `boma drift`

use super::args::{DriftArgs, Format};
use super::error::{CliError, Exit};
use super::load::load;
use super::output::{Terminal, print, print_json};
use super::plan::say_unread;
use super::{home, refresh, world};
use crate::plan::{Desired, drift};
use crate::render;
use crate::state::load as load_state;

/// Compares what is there with what was recorded; pending spec edits do not count.
pub fn run(args: &DriftArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.target.spec, terminal)?;
    let dir = home::state_dir(&args.target.home, &loaded.spec);
    let state = match load_state(&dir)? {
        Some(state) => state,
        None => world::new_state()?,
    };
    let (state, refreshed) = world::with_reader(&loaded, &args.target.home, async |world| {
        refresh::unlocked(world, &Desired::default(), &dir, state).await
    })?;
    let report = drift(&loaded.spec.name, &state, &refreshed.live);
    match args.output.format {
        Format::Text => print(&render::drift_text(&report, &terminal.text(&args.output)))?,
        Format::Json => print_json(&render::json::drift_json(&report))?,
    }
    say_unread(report.unread.len());
    Ok(match (report.unread.is_empty(), report.drifted.is_empty()) {
        (false, _) => Exit::Error,
        (true, false) => Exit::Pending,
        (true, true) => Exit::Done,
    })
}
