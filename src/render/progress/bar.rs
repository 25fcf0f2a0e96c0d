//! Bars on a terminal.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Reporter;
use super::plain::{line, verb};
use crate::apply::Event;
use crate::render::{clean, words};
use crate::resource::Address;

/// Often enough that a line looks alive, seldom enough that it costs nothing.
const TICK: Duration = Duration::from_millis(200);

/// Shows one bar for the whole and a line for each change under way. Failures and skips stay on
/// the screen above them. Shows nothing at all where standard error is no terminal.
#[derive(Debug)]
pub struct BarReporter {
    bars: MultiProgress,
    whole: ProgressBar,
    running: BTreeMap<Address, Running>,
}

#[derive(Debug)]
struct Running {
    bar: ProgressBar,
    verb: String,
}

impl BarReporter {
    /// Draws on standard error.
    pub fn stderr() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    /// Draws anywhere.
    pub fn on(target: ProgressDrawTarget) -> Self {
        let bars = MultiProgress::with_draw_target(target);
        let whole =
            bars.add(ProgressBar::new(0).with_style(style("{bar:30} {pos}/{len}  {elapsed}")));
        Self { bars, whole, running: BTreeMap::new() }
    }

    /// Whether nobody sees the bars; a caller then takes lines instead.
    pub fn is_hidden(&self) -> bool {
        self.bars.is_hidden()
    }

    /// How many changes are over, of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.whole.position(), self.whole.length().unwrap_or(0))
    }

    fn start(&mut self, address: &Address, verb: String) {
        let bar =
            ProgressBar::new_spinner().with_style(style("{spinner} {prefix}  {msg}  {elapsed}"));
        let bar = self.bars.add(bar);
        bar.set_prefix(words::address(address));
        bar.set_message(verb.clone());
        if !self.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        self.running.insert(address.clone(), Running { bar, verb });
    }

    fn say(&self, address: &Address, text: &str) {
        if let Some(running) = self.running.get(address) {
            running.bar.set_message(format!("{}: {text}", running.verb));
        }
    }

    fn end(&mut self, address: &Address) {
        if let Some(running) = self.running.remove(address) {
            running.bar.finish_and_clear();
            self.bars.remove(&running.bar);
        }
        self.whole.inc(1);
    }

    fn keep(&self, event: &Event) {
        // A terminal that went away must not stop an apply; see [`Reporter`].
        let _ = self.bars.println(line(event));
    }
}

impl Reporter for BarReporter {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Began { total } => {
                self.whole.set_length(u64::try_from(*total).unwrap_or(u64::MAX));
                if !self.is_hidden() {
                    self.whole.enable_steady_tick(TICK);
                }
            }
            Event::Started { address, action, half } => self.start(address, verb(*action, *half)),
            Event::Step { address, operation } => self.say(address, &words::operation(*operation)),
            Event::Progress { address, text } => self.say(address, &clean(text)),
            Event::Finished { address, .. } => self.end(address),
            Event::Failed { address, .. } | Event::Skipped { address, .. } => {
                self.keep(event);
                self.end(address);
            }
            Event::Stopping { .. } => self.keep(event),
            Event::Ended { .. } => {
                self.running.clear();
                self.whole.finish_and_clear();
                // Clearing is for the eye; the lines that matter are printed already.
                let _ = self.bars.clear();
                self.keep(event);
            }
        }
    }
}

/// A template that indicatif does not take leaves its own style: bars are for the eye.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
