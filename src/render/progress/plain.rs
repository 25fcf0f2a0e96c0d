//! One line for each event, for logs; of projects only what is worth one.

use std::io::Write;

use super::Reporter;
use super::board::Board;
use crate::apply::{Event, Outcome};
use crate::plan::{Action, Half};
use crate::render::clean;
use crate::render::words::{self, count};

/// Writes lines: `vsphere/vm/server-1: create started`, `county-07: 24 changes done after 41 s`.
#[derive(Debug)]
pub struct PlainReporter<W> {
    to: W,
    board: Board,
}

impl<W: Write> PlainReporter<W> {
    /// Writes to anything, one flushed line at a time.
    pub fn new(to: W) -> Self {
        Self { to, board: Board::default() }
    }
}

impl<W: Write> Reporter for PlainReporter<W> {
    fn event(&mut self, event: &Event) {
        let text = self.board.take(event).unwrap_or_else(|| line(event));
        // A reader that went away must not stop an apply; see [`Reporter`].
        let _ = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush());
    }
}

/// The event in words, with its line break; a failure has its help on a second line. Empty where
/// a log says nothing of it.
pub fn line(event: &Event) -> String {
    let text = match event {
        Event::Began { total, .. } => format!("apply: {} to make", count(*total, "change")),
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
        // The board has words for projects and waves; others that wait are under way.
        Event::Waiting { .. }
        | Event::Wave { .. }
        | Event::Project { .. }
        | Event::Halted { .. } => return String::new(),
    };
    text + "\n"
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
