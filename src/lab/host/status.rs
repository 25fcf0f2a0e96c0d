//! What hosts look like from outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::desk::HostDesk;

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusHost {
    /// Its machine's name.
    pub name: String,
    /// The address that it has within the world.
    pub address: String,
    /// What it calls itself.
    pub hostname: String,
    /// Whether it runs and answers.
    pub answers: bool,
    /// How often it has booted.
    pub boots: u64,
    /// SSH connections that were authenticated since this process opened the world.
    pub connections: u64,
    /// Commands over SSH, likewise.
    pub commands: u64,
    /// The same by program: `install`, `systemctl`, `boma-probe`.
    pub programs: BTreeMap<String, u64>,
}

/// One command that came over SSH and was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCommand {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The machine's name.
    pub host: String,
    /// The command line as it came, its first 400 characters.
    pub command: String,
    /// How it ended.
    pub status: u32,
    /// Whether it changed anything.
    pub changed: bool,
}

/// Where a host is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEndpoint {
    /// Its machine's name.
    pub name: String,
    /// The address that it has within the world.
    pub address: String,
    /// The port on 127.0.0.1 where its SSH server listens.
    pub port: u16,
    /// `SHA256:…` of its host key.
    pub fingerprint: String,
}

/// What is counted for one host.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub connections: u64,
    pub commands: u64,
    pub programs: BTreeMap<String, u64>,
}

impl HostDesk {
    /// Notes that somebody logged in.
    pub(in crate::lab) fn connected(&mut self, id: &str) {
        if let Some(host) = self.hosts.get(id) {
            self.counts.entry(host.facts.name.clone()).or_default().connections += 1;
        }
    }

    /// All hosts, by name.
    pub(in crate::lab) fn told(&self) -> Vec<StatusHost> {
        let mut told: Vec<StatusHost> = self
            .hosts
            .iter()
            .map(|host| {
                let counts = self.counts.get(&host.facts.name).cloned().unwrap_or_default();
                StatusHost {
                    name: host.facts.name.clone(),
                    address: host.facts.address.clone(),
                    hostname: host.state.hostname.clone(),
                    answers: host.answers(),
                    boots: host.state.boots,
                    connections: counts.connections,
                    commands: counts.commands,
                    programs: counts.programs,
                }
            })
            .collect();
        told.sort_by(|a, b| a.name.cmp(&b.name));
        told
    }

    /// Commands in the order in which they were carried out.
    pub(in crate::lab) fn history(&self) -> Vec<StatusCommand> {
        self.history.clone()
    }
}
