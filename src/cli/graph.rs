//! `boma graph`

use super::args::{GraphArgs, GraphFormat};
use super::error::{CliError, Exit};
use super::load::load;
use super::output::{Terminal, print, print_json};
use crate::lower::lower_with;
use crate::render::json::graph_json;
use crate::render::{Drawing, dot_text, mermaid_text};

/// Draws what a spec asks for. Nobody is asked, nothing is resolved.
pub fn run(args: &GraphArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.spec, terminal)?;
    let drawing = Drawing::of(&loaded.spec.name, &lower_with(&loaded.spec, &loaded.sources))
        .map_err(|cycle| {
            CliError::new(
                format!("resources need each other in a circle: {cycle}"),
                "this is a defect of boma: please report it",
            )
        })?;
    match args.format {
        GraphFormat::Dot => print(&dot_text(&drawing))?,
        GraphFormat::Mermaid => print(&mermaid_text(&drawing))?,
        GraphFormat::Json => print_json(&graph_json(&drawing))?,
    }
    Ok(Exit::Done)
}
