//! Standard output and standard error: the result on one, the rest on the other.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::args::{Color, Format, Output};
use super::error::CliError;
use crate::render::TextOptions;
use crate::render::json::{ErrorJson, FaultJson};

/// What is known of the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    color: Color,
}

/// What a file or pipe gets.
const WIDTH_OF_A_FILE: usize = 100;

impl Terminal {
    /// Takes the user's wish for colours.
    pub fn new(color: Color) -> Self {
        Self { color }
    }

    /// How text is laid out on standard output.
    pub fn text(self, output: &Output) -> TextOptions {
        TextOptions {
            color: self.wants_color(std::io::stdout().is_terminal()),
            full: output.full,
            width: Self::width(),
        }
    }

    /// Whether standard error gets colours.
    pub fn color_on_stderr(self) -> bool {
        self.wants_color(std::io::stderr().is_terminal())
    }

    /// Columns: the terminal's, where standard output is one.
    pub fn width() -> usize {
        if !std::io::stdout().is_terminal() {
            return WIDTH_OF_A_FILE;
        }
        console::Term::stdout()
            .size_checked()
            .map_or(WIDTH_OF_A_FILE, |(_, columns)| usize::from(columns).max(60))
    }

    fn wants_color(self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }

    /// Prints an error: JSON on standard output where JSON was asked for, text on standard error
    /// always.
    pub fn error(self, error: &CliError, format: Format) {
        let mut text = format!("error: {}\n", crate::render::clean(&error.message));
        if let Some(help) = &error.help {
            text.push_str(&format!("  help: {}\n", crate::render::clean(help)));
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
        if format == Format::Json {
            let fault = FaultJson {
                message: error.message.clone(),
                help: error.help.clone(),
                code: error.exit as u8,
            };
            let _ = print_json(&ErrorJson { error: fault });
        }
    }
}

/// Prints text to standard output.
///
/// # Errors
/// It is closed or full.
pub fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.as_bytes())
}

/// Prints bytes to standard output as they are.
///
/// # Errors
/// It is closed or full.
pub fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| closed(&error))
}

/// Prints one JSON document to standard output.
///
/// # Errors
/// It is closed or full.
pub fn print_json(document: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(document).map_err(|error| {
        CliError::new(
            format!("failed to write JSON: {error}"),
            "this is a defect of boma: please report it",
        )
    })?;
    print(&(text + "\n"))
}

/// Says something on standard error.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

fn closed(error: &std::io::Error) -> CliError {
    CliError::new(
        format!("failed to write to standard output: {error}"),
        "see where it is redirected to",
    )
}
