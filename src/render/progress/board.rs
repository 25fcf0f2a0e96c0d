//! How far each project is, in a line each: a country has more objects than anybody reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::Event;
use crate::render::clean;
use crate::render::words::{self, count, names, number};
use crate::resource::Address;

/// A project that waits this long for one object is worth a line in a log, in seconds.
const LONG_S: u64 = 60;

/// The projects of an apply, as its events told of them.
#[derive(Debug, Default)]
pub struct Board {
    projects: BTreeMap<String, Project>,
    unreached: BTreeSet<String>,
    stopping: bool,
    ready: usize,
    failed: usize,
}

#[derive(Debug, Default)]
struct Project {
    total: usize,
    over: usize,
    begun: bool,
    /// What is under way, and in which words.
    doing: BTreeMap<Address, String>,
    /// What waits, and for what.
    waiting: BTreeMap<Address, String>,
    /// Waits that were told.
    told: BTreeSet<Address>,
    /// What failed: where, what happened, what to do.
    failures: Vec<(Address, String, String)>,
    /// Why the first one that was not begun was not.
    skipped: Option<String>,
}

impl Board {
    /// Takes an event in. `None` where it is of no project and of no rollout; else what a log says
    /// of it, each line with its line break: mostly nothing.
    pub fn take(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Began { projects, .. } => {
                let project = |(name, total): (&String, &usize)| {
                    (name.clone(), Project { total: *total, ..Project::default() })
                };
                self.projects = projects.iter().map(project).collect();
                None
            }
            Event::Stopping { .. } => {
                self.stopping = true;
                None
            }
            Event::Wave { number, of, canary, projects } => {
                Some(wave(*number, *of, *canary, projects))
            }
            Event::Halted { failed, unreached } => {
                self.unreached.extend(unreached.iter().cloned());
                Some(halted(failed, unreached))
            }
            Event::Project { name, .. } => Some(self.ended(name, event)),
            Event::Ended { .. } => None,
            Event::Started { address, .. }
            | Event::Step { address, .. }
            | Event::Progress { address, .. }
            | Event::Waiting { address, .. }
            | Event::Finished { address, .. }
            | Event::Failed { address, .. }
            | Event::Skipped { address, .. } => self.of_project(address, event),
        }
    }

    /// Projects that have begun and are not over.
    pub fn under_way(&self) -> impl Iterator<Item = &str> {
        let is_under_way = |project: &Project| project.begun && project.over < project.total;
        self.projects
            .iter()
            .filter(move |(_, one)| is_under_way(one))
            .map(|(name, _)| name.as_str())
    }

    /// `12/24  waiting for Deployment/cht-couchdb-2: it is not there`.
    pub fn status(&self, name: &str) -> String {
        let Some(project) = self.projects.get(name) else { return String::new() };
        let waiting = project.waiting.iter().next();
        let doing = project.doing.iter().next();
        let what = match (waiting, doing) {
            (Some((address, text)), _) => format!("  waiting for {}: {text}", short(address)),
            (None, Some((address, text))) => format!("  {}: {text}", short(address)),
            (None, None) => String::new(),
        };
        format!("{}/{}{what}", project.over, project.total)
    }

    /// `projects 31/50 ready, 2 failed`. Empty where there is no project.
    pub fn totals(&self) -> String {
        if self.projects.is_empty() {
            return String::new();
        }
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {} failed", number(failed)),
        };
        format!("projects {}/{} ready{failed}", number(self.ready), number(self.projects.len()))
    }

    fn of_project(&mut self, address: &Address, event: &Event) -> Option<String> {
        let name = address.project()?;
        let project = self.projects.get_mut(name)?;
        match event {
            Event::Started { action, .. } => {
                project.begun = true;
                project.doing.insert(address.clone(), words::action(*action).into());
            }
            Event::Step { operation, .. } => {
                project.waiting.remove(address);
                project.doing.insert(address.clone(), words::operation(*operation));
            }
            Event::Progress { text, .. } => {
                project.doing.insert(address.clone(), clean(text));
            }
            Event::Waiting { text, waited_s, .. } => {
                project.waiting.insert(address.clone(), clean(text));
                if *waited_s >= LONG_S && project.told.insert(address.clone()) {
                    return Some(project.waits(name, address, *waited_s));
                }
            }
            Event::Failed { message, help, .. } => {
                project.leave(address);
                project.failures.push((address.clone(), message.clone(), help.clone()));
            }
            Event::Skipped { reason, .. } => {
                project.leave(address);
                project.skipped.get_or_insert(reason.clone());
            }
            _ => project.leave(address),
        }
        Some(String::new())
    }

    fn ended(&mut self, name: &str, event: &Event) -> String {
        let Event::Project { done, failed, skipped, elapsed_s, .. } = event else {
            return String::new();
        };
        self.ready += usize::from(*failed + *skipped == 0);
        self.failed += usize::from(*failed > 0);
        let unasked = self.unreached.contains(name) || self.stopping;
        if unasked && *done + *failed == 0 {
            return String::new();
        }
        let (totals, shown) = (self.totals(), clean(name));
        let Some(project) = self.projects.get(name) else { return String::new() };
        let all = count(project.total, "change");
        if *failed + *skipped == 0 {
            return format!("{shown}: {all} done after {elapsed_s} s ({totals})\n");
        }
        let said =
            if *failed > 0 { format!("failed after {elapsed_s} s") } else { "not done".into() };
        let mut text = format!("{shown}: {said}: {} of {all} done", number(*done));
        if *skipped > 0 {
            text += &format!(", {} not begun", number(*skipped));
        }
        text += &format!(" ({totals})\n");
        for (address, message, help) in &project.failures {
            text += &format!("  {}: {}\n", short(address), clean(message));
            text += &format!("    help: {}\n", clean(help));
        }
        if let Some(reason) = project.skipped.as_ref().filter(|_| project.failures.is_empty()) {
            text += &format!("  {}\n", clean(reason));
        }
        text
    }
}

impl Project {
    fn leave(&mut self, address: &Address) {
        self.over += 1;
        self.doing.remove(address);
        self.waiting.remove(address);
    }

    fn waits(&self, name: &str, address: &Address, waited_s: u64) -> String {
        let text = self.waiting.get(address).map_or("", String::as_str);
        format!(
            "{}: {} of {} done, waiting for {waited_s} s for {}: {text}\n",
            clean(name),
            number(self.over),
            count(self.total, "change"),
            short(address),
        )
    }
}

/// The address below its project.
fn short(address: &Address) -> String {
    let project = address.project().map(|name| format!("project/{name}/"));
    let below = project.and_then(|project| address.as_str().strip_prefix(&project));
    clean(below.unwrap_or(address.as_str()))
}

fn wave(at: usize, of: usize, canary: bool, projects: &[String]) -> String {
    let names = names(projects.iter().map(String::as_str), false);
    let canary = if canary { ", before all others" } else { "" };
    format!("rollout: wave {} of {}: {names}{canary}\n", number(at), number(of))
}

fn halted(failed: &[String], unreached: &[String]) -> String {
    let list = |list: &[String]| names(list.iter().map(String::as_str), false);
    format!(
        "rollout: no further wave begins, because of {}; not reached: {}\n",
        list(failed),
        list(unreached)
    )
}
