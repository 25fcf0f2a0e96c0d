//! One JSON object a line.

use std::io::Write;

use super::Reporter;
use crate::apply::Event;
use crate::render::json::EventJson;

/// Writes events as `schema/event.schema.json` describes them.
#[derive(Debug)]
pub struct JsonReporter<W> {
    to: W,
}

impl<W: Write> JsonReporter<W> {
    /// Writes to anything, one flushed line at a time.
    pub fn new(to: W) -> Self {
        Self { to }
    }
}

impl<W: Write> Reporter for JsonReporter<W> {
    fn event(&mut self, event: &Event) {
        let Ok(mut line) = serde_json::to_string(&EventJson::from(event)) else { return };
        line.push('\n');
        // A reader that went away must not stop an apply; see [`Reporter`].
        let _ = self.to.write_all(line.as_bytes()).and_then(|()| self.to.flush());
    }
}
