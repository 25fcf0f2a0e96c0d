//! `boma schema`

use super::args::SchemaArgs;
use super::error::{CliError, Exit};
use super::output::{Terminal, print_json};
use crate::{render, spec};

/// Prints a schema, or writes all of them.
pub fn run(args: &SchemaArgs, _terminal: Terminal) -> Result<Exit, CliError> {
    let schemas = all();
    if let Some(folder) = &args.write {
        for (file, schema) in &schemas {
            let path = folder.join(file);
            let text = format!("{schema:#}\n");
            std::fs::write(&path, text).map_err(|error| {
                CliError::new(
                    format!("failed to write {}: {error}", path.display()),
                    "name a folder that can be written",
                )
            })?;
        }
        return Ok(Exit::Done);
    }
    let wanted = |file: &str| {
        file == format!("{}.schema.json", args.what) || (args.what == "spec" && file == SPEC)
    };
    let names: Vec<&str> =
        schemas.iter().filter_map(|(file, _)| file.strip_suffix(".schema.json")).collect();
    match schemas.iter().find(|(file, _)| wanted(file)) {
        Some((_, schema)) => print_json(schema).map(|()| Exit::Done),
        None => Err(CliError::new(
            format!("there is no schema of {}", args.what),
            format!(
                "there are spec, {}",
                names.into_iter().filter(|name| *name != "boma").collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}

const SPEC: &str = "boma.schema.json";

/// Every schema with its file in `schema/`.
fn all() -> Vec<(&'static str, serde_json::Value)> {
    let mut schemas = vec![(SPEC, spec::schema())];
    schemas.extend(render::json::schemas());
    schemas
}
