//! `boma validate`

use super::args::{Format, ValidateArgs};
use super::error::{CliError, Exit};
use super::load;
use super::output::{Terminal, print, print_json};
use super::plan::today;
use crate::diag::Finding;
use crate::lower::lower_with;
use crate::render;
use crate::rules;

/// Checks a spec by itself: nothing is resolved, run or fetched.
pub fn run(args: &ValidateArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let checked = load::check(&args.spec)?;
    let findings = checked.loaded.as_ref().map(|loaded| {
        let desired = lower_with(&loaded.spec, &loaded.sources);
        rules::run(&rules::Facts {
            spec: &loaded.spec,
            lock: Some(&loaded.standing),
            desired: &desired,
            prior: None,
            live: None,
            plan: None,
            today: today(),
        })
    });
    let findings = findings.unwrap_or_default();
    let valid = checked.loaded.is_some() && !findings.iter().any(Finding::refuses);
    match args.output.format {
        Format::Json => print_json(&render::json::validate_json(&checked.diagnostics, &findings))?,
        Format::Text => print(&text(args, &checked, &findings, valid, terminal))?,
    }
    Ok(if valid { Exit::Done } else { Exit::Refused })
}

fn text(
    args: &ValidateArgs,
    checked: &load::Checked,
    findings: &[Finding],
    valid: bool,
    terminal: Terminal,
) -> String {
    let options = terminal.text(&args.output);
    let file = args.spec.display().to_string();
    let mut text = String::new();
    if !checked.diagnostics.is_empty() {
        text += &render::diagnostics(
            &checked.text,
            &file,
            &checked.diagnostics,
            options.color,
            options.width,
        );
        text.push('\n');
    }
    if !findings.is_empty() {
        text += &render::findings_text(findings, &options);
        text.push('\n');
    }
    text += &match (valid, &checked.loaded) {
        (true, Some(loaded)) => {
            let spec = &loaded.spec;
            format!(
                "{file} is valid: {} servers, {} agents, {} projects.\n",
                spec.servers.len(),
                spec.agents.len(),
                spec.projects.len()
            )
        }
        _ => format!("{file} is refused.\n"),
    };
    text
}
