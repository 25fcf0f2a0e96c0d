//! What systemd remembers of a unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct Unit {
    /// The unit file as it was read last; a change on disk counts after `daemon-reload`.
    pub loaded: String,
    pub active: Phase,
    /// Milliseconds since 1970 of the main process's last start.
    pub started_ms: u64,
    /// How often systemd started it again by itself.
    pub restarts: u64,
    /// When systemd tries again; meaningful while it is activating.
    pub again_ms: u64,
    /// The process itself goes on trying; meaningful while it is activating.
    #[serde(default)]
    pub retries: bool,
    pub journal: Vec<String>,
    /// What the process that runs was started with.
    #[serde(default)]
    pub running: Option<Running>,
}

/// `ActiveState`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) enum Phase {
    Active,
    #[default]
    Inactive,
    Failed,
    Activating,
}

/// A process of k3s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct Running {
    pub version: String,
    pub arguments: BTreeMap<String, Vec<String>>,
}

/// The most lines that a unit's journal keeps.
const JOURNAL_MAX: usize = 200;

impl Unit {
    pub(super) fn say(&mut self, line: impl Into<String>) {
        self.journal.push(line.into());
        let over = self.journal.len().saturating_sub(JOURNAL_MAX);
        self.journal.drain(..over);
    }

    /// The values of a setting in the loaded file, continued lines joined.
    pub(super) fn settings(&self, name: &str) -> Vec<String> {
        let text = self.loaded.replace("\\\n", " ");
        let lines = text.lines().filter_map(|line| line.trim().split_once('='));
        lines
            .filter(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }
}

impl Unit {
    /// `SubState`
    pub(super) fn sub(&self) -> &'static str {
        match self.active {
            Phase::Active => "running",
            Phase::Inactive => "dead",
            Phase::Failed => "failed",
            Phase::Activating if self.retries => "start",
            Phase::Activating => "auto-restart",
        }
    }
}

impl Phase {
    /// `ActiveState`
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Activating => "activating",
        }
    }
}
