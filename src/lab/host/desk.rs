//! The hosts at work: one command at a time, with what is counted and staged.

use std::collections::BTreeMap;

use russh::keys::HashAlg;
use serde::{Deserialize, Serialize};

use crate::lab::k3s::{ClusterEffect, Clusters, cut_off};
use crate::lab::{FaultRule, StagedFault};

use super::cluster::{API, connects, reachable};
use super::effect::{Change, HostEffect};
use super::exec::{Ran, Scene, program};
use super::hosts::Hosts;
use super::key::host_key;
use super::model::Host;
use super::session::{Output, Session};
use super::standing::Standing;
use super::status::{Counts, HostEndpoint, StatusCommand};
use super::{systemd, ufw};

/// The hosts and clusters of a world with what does not outlive the process.
pub(in crate::lab) struct HostDesk {
    pub(super) seed: u64,
    pub(in crate::lab) hosts: Hosts,
    pub(in crate::lab) clusters: Clusters,
    pub(super) standing: Standing,
    pub(super) faults: Vec<FaultRule>,
    /// By machine name.
    pub(super) counts: BTreeMap<String, Counts>,
    pub(super) history: Vec<StatusCommand>,
    /// Whether nodes may be cut off, or no longer so, since it was last looked.
    rewired: bool,
}

/// One record of the log: what a command did, all of it or nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::lab) struct HostRecord {
    pub hosts: Vec<HostEffect>,
    #[serde(default)]
    pub clusters: Vec<ClusterEffect>,
}

/// What becomes of a command.
pub(in crate::lab) struct Verdict {
    pub output: Output,
    pub records: Vec<HostRecord>,
    /// The connection is cut before the command has done anything, or before its answer is whole.
    pub cut: bool,
    pub delay_ms: u64,
}

/// The most commands that are remembered.
const HISTORY_MAX: usize = 20_000;

impl HostDesk {
    pub(in crate::lab) fn new(
        seed: u64,
        hosts: Hosts,
        clusters: Clusters,
        standing: Standing,
    ) -> Self {
        let (faults, counts, history) = (Vec::new(), BTreeMap::new(), Vec::new());
        let rewired = true;
        Self { seed, hosts, clusters, standing, faults, counts, history, rewired }
    }

    /// Stages these rules in place of those that were.
    pub(in crate::lab) fn stage(&mut self, rules: Vec<FaultRule>) {
        self.faults = rules;
        self.faults.retain(|rule| rule.times > 0);
    }

    /// Faults that have not all happened.
    pub(in crate::lab) fn faults(&self) -> &[FaultRule] {
        &self.faults
    }

    /// Runs a command line that came over SSH. `None` for a host that does not answer any more.
    pub(in crate::lab) fn command(
        &mut self,
        id: &str,
        user: &str,
        line: &str,
        stdin: Vec<u8>,
        now: u64,
    ) -> Option<Verdict> {
        let host = self.hosts.get(id).filter(|host| host.answers())?.clone();
        let program = program(line);
        let hits = self.count(&host, &program);
        let counts = self.counts.entry(host.facts.name.clone()).or_default();
        counts.commands += 1;
        *counts.programs.entry(program).or_default() += 1;
        let mut verdict =
            Verdict { output: Output::done(), records: Vec::new(), cut: false, delay_ms: 0 };
        for hit in &hits {
            if let StagedFault::SlowTask { ms } = hit {
                verdict.delay_ms = *ms;
            }
        }
        if self.prevented(&host, &hits, now, &mut verdict) {
            return Some(verdict);
        }
        let mut seen = host.clone();
        seen.state.disk_full |= hits.contains(&StagedFault::DiskFull);
        if hits.contains(&StagedFault::SudoRefused) {
            // No password is this one.
            seen.state.sudo_password = Some("\n".to_owned());
        }
        let scene = Scene { hosts: &self.hosts, clusters: &self.clusters, seed: self.seed, now };
        let Ran { output, hosts, clusters, reboots } = scene.command(&seen, user, line, stdin);
        self.remember(&host, line, &output, !hosts.is_empty() || !clusters.is_empty(), now);
        verdict.output = output;
        if hits.contains(&StagedFault::DropAfter) {
            verdict.cut = true;
            verdict.output.stdout.truncate(verdict.output.stdout.len() / 2);
        }
        if !hosts.is_empty() || !clusters.is_empty() {
            let hosts = restored(hosts, &host, &seen);
            verdict.records.push(self.keep(hosts, clusters));
        }
        if reboots {
            verdict.records.extend(self.reboot(id, now));
            verdict.cut = true;
        }
        Some(verdict)
    }

    /// Where a host that listens at a port is reached.
    pub(in crate::lab) fn endpoint(&self, host: &Host, port: u16) -> HostEndpoint {
        let key = host_key(self.seed, &host.facts.id, host.state.keys);
        HostEndpoint {
            name: host.facts.name.clone(),
            address: host.facts.address.clone(),
            port,
            fingerprint: key.public_key().fingerprint(HashAlg::Sha256).to_string(),
        }
    }

    /// Keeps what clusters did by themselves.
    pub(in crate::lab) fn keep_clusters(&mut self, clusters: Vec<ClusterEffect>) -> HostRecord {
        self.keep(Vec::new(), clusters)
    }

    /// Does what time brings. Applies and returns the records.
    pub(in crate::lab) fn settle(&mut self, now: u64) -> Vec<HostRecord> {
        let due = self.hosts.iter().filter(|host| systemd::is_due(host, &self.clusters, now));
        let due: Vec<Host> = due.cloned().collect();
        let mut records = Vec::new();
        for host in &due {
            records.extend(self.act(host, now, |session| {
                systemd::settle(session);
                Output::done()
            }));
        }
        if std::mem::take(&mut self.rewired) {
            let reaches = |from: &str, to: &str, port| connects(&self.hosts, from, to, port);
            let cut = cut_off(&self.clusters, &reaches, now);
            records.extend((!cut.is_empty()).then(|| self.keep(Vec::new(), cut)));
        }
        records
    }

    /// Has something done on a host by root; `None` where nothing changed.
    pub(super) fn act(
        &mut self,
        host: &Host,
        now: u64,
        act: impl FnOnce(&mut Session<'_>) -> Output,
    ) -> Option<HostRecord> {
        let scene = Scene { hosts: &self.hosts, clusters: &self.clusters, seed: self.seed, now };
        let ran = scene.act(host, act);
        let nothing = ran.hosts.is_empty() && ran.clusters.is_empty();
        (!nothing).then(|| self.keep(ran.hosts, ran.clusters))
    }

    /// Applies effects and returns their record.
    pub(super) fn keep(
        &mut self,
        hosts: Vec<HostEffect>,
        clusters: Vec<ClusterEffect>,
    ) -> HostRecord {
        self.rewired |=
            hosts.iter().any(rewires) || clusters.iter().any(ClusterEffect::moves_nodes);
        hosts.iter().for_each(|effect| self.hosts.apply(effect));
        clusters.iter().for_each(|effect| self.clusters.apply(effect));
        HostRecord { hosts, clusters }
    }

    /// The machine whose API server a connection from a host to an address reaches, where the
    /// packets arrive.
    pub(in crate::lab) fn api_host(&self, from: &str, address: &str) -> Option<&str> {
        let from = self.hosts.get(from)?;
        if !reachable(&self.hosts, from, address, API) {
            return None;
        }
        let host = match address {
            "127.0.0.1" | "localhost" => from,
            address => self.hosts.at(address)?,
        };
        Some(&host.facts.name)
    }

    /// Goes down and comes up again.
    pub(super) fn reboot(&mut self, id: &str, now: u64) -> Option<HostRecord> {
        let host = self.hosts.get(id)?.clone();
        self.act(&host, now, |session| {
            let booted_ms = session.host.state.booted_ms;
            systemd::halt(session);
            systemd::boot(session, booted_ms);
            Output::done()
        })
    }

    pub(super) fn change(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Host),
    ) -> Option<HostRecord> {
        let host = self.hosts.get(id)?.clone();
        self.act(&host, 0, |session| {
            change(&mut session.host);
            Output::done()
        })
    }

    /// Faults that keep a command from being carried out.
    fn prevented(
        &mut self,
        host: &Host,
        hits: &[StagedFault],
        now: u64,
        verdict: &mut Verdict,
    ) -> bool {
        let id = &host.facts.id;
        for hit in hits {
            match hit {
                StagedFault::Hang => verdict.output = Output::hanging(),
                StagedFault::DropBefore => verdict.cut = true,
                StagedFault::Reboot => {
                    verdict.records.extend(self.reboot(id, now));
                    verdict.cut = true;
                }
                StagedFault::Dead => {
                    verdict.records.extend(self.change(id, |host| host.state.dead = true));
                    verdict.cut = true;
                }
                _ => continue,
            }
            return true;
        }
        false
    }

    /// Counts one command, and tells what hits it.
    fn count(&mut self, host: &Host, program: &str) -> Vec<StagedFault> {
        let mut hits = Vec::new();
        let named = |wanted: &String| *wanted == host.facts.name || *wanted == host.facts.address;
        for rule in &mut self.faults {
            let here = rule.host.as_ref().is_none_or(named);
            if !here || rule.method.as_ref().is_some_and(|wanted| wanted != program) {
                continue;
            }
            if rule.nth > 1 {
                rule.nth -= 1;
            } else {
                rule.times -= 1;
                hits.push(rule.fault.clone());
            }
        }
        self.faults.retain(|rule| rule.times > 0);
        hits
    }

    fn remember(&mut self, host: &Host, line: &str, output: &Output, changed: bool, now: u64) {
        if self.history.len() < HISTORY_MAX {
            self.history.push(StatusCommand {
                at_ms: now,
                host: host.facts.name.clone(),
                command: line.chars().take(400).collect(),
                status: output.status,
                changed,
            });
        }
    }
}

/// Whether a change may make connections between hosts possible or impossible.
fn rewires(effect: &HostEffect) -> bool {
    match effect {
        HostEffect::Put(_) | HostEffect::Remove(_) => true,
        HostEffect::Change { change, .. } => match change {
            Change::Facts(_) | Change::State(_) => true,
            Change::File { path, .. } => ufw::FILES.contains(&path.as_str()),
            Change::Unit { .. } | Change::Timer { .. } => false,
        },
    }
}

/// The effects without what a staged fault only pretended.
fn restored(effects: Vec<HostEffect>, host: &Host, seen: &Host) -> Vec<HostEffect> {
    if host.state == seen.state {
        return effects;
    }
    let restore = |effect: HostEffect| match effect {
        HostEffect::Change { host: id, change: Change::State(mut state) } => {
            state.disk_full = host.state.disk_full;
            state.sudo_password.clone_from(&host.state.sudo_password);
            let change = Change::State(state);
            HostEffect::Change { host: id, change }
        }
        other => other,
    };
    effects.into_iter().map(restore).collect()
}
