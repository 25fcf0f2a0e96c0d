//! Bars on a terminal.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Reporter;
use super::board::Board;
use super::plain::{line, verb};
use crate::apply::Event;
use crate::render::{clean, words};
use crate::resource::Address;

/// Often enough that a line looks alive, seldom enough that it costs nothing.
const TICK: Duration = Duration::from_millis(200);

/// Projects that have a line at the same time: the others are counted, and get one when it is
/// free. More would not fit a screen.
const PROJECTS_SHOWN: usize = 12;

/// Shows one bar for the whole, a line for each change under way, and one for each project.
/// Failures and skips stay on the screen above them. Shows nothing at all where standard error is
/// no terminal.
#[derive(Debug)]
pub struct BarReporter {
    bars: MultiProgress,
    whole: ProgressBar,
    running: BTreeMap<Address, Running>,
    board: Board,
    projects: BTreeMap<String, ProgressBar>,
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
        let style = style("{bar:30} {pos}/{len}  {elapsed}  {msg}");
        let whole = bars.add(ProgressBar::new(0).with_style(style));
        let (running, projects) = (BTreeMap::new(), BTreeMap::new());
        Self { bars, whole, running, board: Board::default(), projects }
    }

    /// Whether nobody sees the bars; a caller then takes lines instead.
    pub fn is_hidden(&self) -> bool {
        self.bars.is_hidden()
    }

    /// How many changes are over, of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.whole.position(), self.whole.length().unwrap_or(0))
    }

    /// The lines of projects, as they stand.
    pub fn projects(&self) -> Vec<String> {
        let line = |(name, bar): (&String, &ProgressBar)| format!("{name}  {}", bar.message());
        self.projects.iter().map(line).collect()
    }

    fn spinner(&self, prefix: String) -> ProgressBar {
        let bar =
            ProgressBar::new_spinner().with_style(style("{spinner} {prefix}  {msg}  {elapsed}"));
        let bar = self.bars.add(bar);
        bar.set_prefix(prefix);
        if !self.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        bar
    }

    fn start(&mut self, address: &Address, verb: String) {
        let bar = self.spinner(words::address(address));
        bar.set_message(verb.clone());
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

    fn keep(&self, text: &str) {
        if !text.is_empty() {
            // A terminal that went away must not stop an apply; see [`Reporter`].
            let _ = self.bars.println(text.trim_end());
        }
    }

    /// Brings the projects' lines up to date: those that are over go, others take their place.
    fn follow(&mut self) {
        let under_way: Vec<&str> = self.board.under_way().collect();
        let (bars, old) = (&self.bars, std::mem::take(&mut self.projects));
        let (kept, over): (BTreeMap<_, _>, BTreeMap<_, _>) =
            old.into_iter().partition(|(name, _)| under_way.contains(&name.as_str()));
        for bar in over.values() {
            bar.finish_and_clear();
            bars.remove(bar);
        }
        let room = PROJECTS_SHOWN.saturating_sub(kept.len());
        let new = under_way.iter().filter(|name| !kept.contains_key(**name)).take(room);
        let new: Vec<String> = new.map(|name| (*name).to_owned()).collect();
        self.projects = kept;
        for name in new {
            let bar = self.spinner(clean(&name));
            self.projects.insert(name, bar);
        }
        for (name, bar) in &self.projects {
            bar.set_message(self.board.status(name));
        }
        self.whole.set_message(self.board.totals());
    }

    /// An event of a project or a rollout.
    fn project(&mut self, event: &Event, text: &str) {
        let is_over =
            matches!(event, Event::Finished { .. } | Event::Failed { .. } | Event::Skipped { .. });
        self.whole.inc(u64::from(is_over));
        // Its own line shows that it waits.
        if !matches!(event, Event::Waiting { .. }) {
            self.keep(text);
        }
        self.follow();
    }
}

impl Reporter for BarReporter {
    fn event(&mut self, event: &Event) {
        if let Some(text) = self.board.take(event) {
            return self.project(event, &text);
        }
        match event {
            Event::Began { total, .. } => {
                self.whole.set_length(u64::try_from(*total).unwrap_or(u64::MAX));
                self.whole.set_message(self.board.totals());
                if !self.is_hidden() {
                    self.whole.enable_steady_tick(TICK);
                }
            }
            Event::Started { address, action, half } => self.start(address, verb(*action, *half)),
            Event::Step { address, operation } => self.say(address, &words::operation(*operation)),
            Event::Progress { address, text } | Event::Waiting { address, text, .. } => {
                self.say(address, &clean(text));
            }
            Event::Finished { address, .. } => self.end(address),
            Event::Failed { address, .. } | Event::Skipped { address, .. } => {
                self.keep(&line(event));
                self.end(address);
            }
            Event::Ended { .. } => {
                self.running.clear();
                self.projects.clear();
                self.whole.finish_and_clear();
                // Clearing is for the eye; the lines that matter are printed already.
                let _ = self.bars.clear();
                self.keep(&line(event));
            }
            _ => self.keep(&line(event)),
        }
    }
}

/// A template that indicatif does not take leaves its own style: bars are for the eye.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
