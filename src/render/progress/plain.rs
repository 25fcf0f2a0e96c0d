//! One line for each event, for logs.

use std::io::Write;

use super::Reporter;
use crate::apply::{Event, Outcome};
use crate::plan::{Action, Half};
use crate::render::clean;
use crate::render::words::{self, count};

/// Writes lines: `vsphere/vm/server-1: create started`.
#[derive(Debug)]
pub struct PlainReporter<W> {
    to: W,
}

impl<W: Write> PlainReporter<W> {
    /// Writes to anything, one flushed line at a time.
    pub fn new(to: W) -> Self {
        Self { to }
    }
}

impl<W: Write> Reporter for PlainReporter<W> {
    fn event(&mut self, event: &Event) {
        // A reader that went away must not stop an apply; see [`Reporter`].
        let _ = writeln!(self.to, "{}", line(event)).and_then(|()| self.to.flush());
    }
}

/// The event in words; a failure has its help on a second line.
pub fn line(event: &Event) -> String {
    match event {
        Event::Began { total } => format!("apply: {} to make", count(*total, "change")),
        Event::Started { address, action, half } => {
            format!("{}: {} started", words::address(address), verb(*action, *half))
        }
        Event::Step { address, operation } => {
            format!("{}: {}", words::address(address), words::operation(*operation))
        }
        Event::Progress { address, text } => {
            format!("{}: {}", words::address(address), clean(text))
        }
        Event::Finished { address, action, half, elapsed_s } => {
            format!(
                "{}: {} done after {elapsed_s} s",
                words::address(address),
                verb(*action, *half)
            )
        }
        Event::Failed { address, message, help } => {
            format!(
                "{}: failed: {}\n  help: {}",
                words::address(address),
                clean(message),
                clean(help)
            )
        }
        Event::Skipped { address, reason } => {
            format!("{}: skipped: {}", words::address(address), clean(reason))
        }
        Event::Stopping { running } => {
            format!("stopping: nothing new is started, {} under way", count(*running, "change"))
        }
        Event::Ended { summary } => ended(summary),
    }
}

/// The action, and which half of a replace it is.
pub fn verb(action: Action, half: Half) -> String {
    let part = match half {
        Half::Whole => "",
        Half::Delete => " (delete)",
        Half::Create => " (create)",
        Half::Open => return "opening the window of".into(),
        Half::Close => return "closing the window of".into(),
    };
    format!("{}{part}", words::action(action))
}

fn ended(outcome: &Outcome) -> String {
    let said = if outcome.interrupted { "interrupted" } else { "ended" };
    format!(
        "apply {said}: {} done, {} failed, {} skipped",
        outcome.done, outcome.failed, outcome.skipped
    )
}
