//! What all connections of a lab share: its memory, its log, and the ports of its hosts.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::control::Status;
use super::host::{HostAction, HostAnswer, HostDesk, HostEndpoint, HostRecord, Network, Verdict};
use super::journal::Journal;
use super::k3s::ClusterEffect;
use super::kubernetes::{Site, Staging, settle};
use super::staged::FaultRule;
use super::vsphere::{Desk, Entry, Settings, World, guests, status};
use super::world::{Picture, Record};

/// A lab at work.
pub(super) struct Core {
    pub desk: Desk,
    pub hosts: HostDesk,
    pub network: Network,
    pub journal: Journal,
    pub settings: Settings,
    /// How much later the answer to each command of a host comes.
    pub command_delay_ms: u64,
    /// Faults and counts of the clusters' API.
    pub api: Staging,
    pub token: String,
    /// How programs in clusters reach the vCenter.
    pub site: Site,
    pub rest: Rest,
    /// A record could not be written: the world in memory is ahead of the one on disk.
    pub broken: bool,
}

/// When clusters last stood still, so that nothing is asked again before something happens.
#[derive(Default)]
pub(super) struct Rest {
    /// Revisions of all clusters, and how much the vCenter had done.
    at: Option<(u64, u64)>,
    /// When time alone changes something.
    due_ms: Option<u64>,
    /// What the vCenter has done since this process opened the world.
    entries: u64,
}

impl Core {
    /// Carries out a change that was asked for by the side door; the inner error says why not.
    pub(super) fn change(
        &mut self,
        make: impl FnOnce(&World) -> Result<Entry, String>,
    ) -> io::Result<Result<(), String>> {
        self.settle()?;
        let entry = match make(&self.desk.world) {
            Ok(entry) => entry,
            Err(reason) => return Ok(Err(reason)),
        };
        self.desk.world.apply(&entry);
        self.keep(vec![entry])?;
        Ok(Ok(()))
    }

    /// Does something at a host's console; the inner error says why not.
    pub(super) fn hand(
        &mut self,
        host: &str,
        action: &HostAction,
    ) -> io::Result<Result<HostAnswer, String>> {
        self.settle()?;
        match self.hosts.hand(host, action, now()) {
            Ok((answer, records)) => {
                self.keep_hosts(records)?;
                Ok(Ok(answer))
            }
            Err(reason) => Ok(Err(reason)),
        }
    }

    pub(super) fn status(&mut self) -> io::Result<Status> {
        self.settle()?;
        let mut status = status(&self.desk);
        status.faults.extend(self.hosts.faults().iter().cloned());
        status.faults.extend(self.api.rules().iter().cloned());
        status.requests.extend(self.api.counts.clone());
        status.writes = self.api.writes();
        status.hosts = self.hosts.told();
        status.history = self.hosts.history();
        status.clusters = super::k3s::status(&self.hosts.clusters, now());
        Ok(status)
    }

    /// Stages faults in place of those that were.
    pub(super) fn stage(&mut self, faults: Vec<FaultRule>) {
        let (api, faults): (Vec<FaultRule>, Vec<FaultRule>) =
            faults.into_iter().partition(FaultRule::is_for_kubernetes);
        let (hosts, vsphere) = faults.into_iter().partition(FaultRule::is_for_hosts);
        self.api.set(api);
        self.desk.staging.set(vsphere);
        self.hosts.stage(hosts);
    }

    /// Hosts that listen, by name.
    pub(super) fn endpoints(&self) -> Vec<HostEndpoint> {
        let hosts = self.hosts.hosts.iter().filter_map(|host| {
            let port = self.network.port(&host.facts.id)?;
            Some(self.hosts.endpoint(host, port))
        });
        let mut all: Vec<HostEndpoint> = hosts.collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The port of the host at an address of the world.
    pub(super) fn port_of(&self, address: &str) -> Option<u16> {
        let host = self.hosts.hosts.at(address).filter(|host| host.answers())?;
        self.network.port(&host.facts.id)
    }

    /// Runs a command on a host. `None` when the connection is to be cut.
    pub(super) fn command(
        &mut self,
        id: &str,
        user: &str,
        line: &str,
        stdin: Vec<u8>,
        now: u64,
    ) -> Option<(Verdict, Duration)> {
        if self.broken || self.settle().is_err() {
            return None;
        }
        let mut verdict = self.hosts.command(id, user, line, stdin, now)?;
        // What is not in the log has not happened: no answer leaves.
        self.keep_hosts(std::mem::take(&mut verdict.records)).ok()?;
        let delay = Duration::from_millis(self.command_delay_ms + verdict.delay_ms);
        Some((verdict, delay))
    }

    /// Does what time brings.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        let entries = self.desk.settle(now());
        self.keep(entries)?;
        let records = self.hosts.settle(now());
        self.keep_hosts(records)?;
        self.control()
    }

    /// Lets everything that moves by itself in clusters come to rest.
    pub(super) fn control(&mut self) -> io::Result<()> {
        let now = now();
        if self.rest.at == Some(self.moment()) && self.rest.due_ms.is_none_or(|due| now < due) {
            return Ok(());
        }
        let late = self.rest.due_ms.take_if(|due| *due <= now).is_some();
        if late || self.rest.at.is_none_or(|(_, entries)| entries != self.rest.entries) {
            // The vCenter may have done anything to any node.
            let clusters = self.hosts.clusters.all.values_mut();
            clusters.for_each(|cluster| cluster.unsettled.everywhere = true);
        }
        let ids: Vec<String> = self.hosts.clusters.all.keys().cloned().collect();
        for id in ids {
            let Some(cluster) = self.hosts.clusters.all.remove(&id) else { continue };
            let settled = settle(cluster, &self.desk.world, &self.site, now);
            self.hosts.clusters.all.insert(id, settled.cluster);
            self.rest.due_ms = self.rest.due_ms.into_iter().chain(settled.due_ms).min();
            // The vCenter first: what it has done already is not done again.
            settled.vsphere.iter().for_each(|entry| self.desk.world.apply(entry));
            self.keep_settled(settled.vsphere, settled.effects)?;
        }
        self.rest.at = Some(self.moment());
        Ok(())
    }

    /// Writes what controllers did to the log, in one: it has all happened already.
    fn keep_settled(&mut self, entries: Vec<Entry>, effects: Vec<ClusterEffect>) -> io::Result<()> {
        let moves = entries.iter().any(Entry::touches_machines);
        self.rest.entries += entries.len() as u64;
        let mut records: Vec<Record> = entries.into_iter().map(Record::Vsphere).collect();
        if !effects.is_empty() {
            let record = HostRecord { hosts: Vec::new(), clusters: effects };
            records.push(Record::Host(record));
        }
        self.append(records)?;
        if moves { self.follow() } else { Ok(()) }
    }

    fn moment(&self) -> (u64, u64) {
        let revisions = self.hosts.clusters.all.values().map(|cluster| cluster.revision);
        (revisions.sum(), self.rest.entries)
    }

    /// Writes what the vCenter did to the log; the hosts follow.
    pub(super) fn keep(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let moves = entries.iter().any(Entry::touches_machines);
        self.rest.entries += entries.len() as u64;
        self.append(entries.into_iter().map(Record::Vsphere).collect())?;
        if moves { self.follow() } else { Ok(()) }
    }

    /// Has the hosts follow their machines.
    pub(super) fn follow(&mut self) -> io::Result<()> {
        let records = self.hosts.follow(&guests(&self.desk.world), now());
        let kept = self.keep_hosts(records);
        self.network.follow(&self.hosts.hosts);
        kept
    }

    /// Writes what happened on hosts and to clusters to the log.
    pub(super) fn keep_hosts(&mut self, records: Vec<HostRecord>) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.append(records.into_iter().map(Record::Host).collect())?;
        self.network.follow(&self.hosts.hosts);
        Ok(())
    }

    fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        let picture = Picture {
            vsphere: &self.desk.world,
            hosts: &self.hosts.hosts,
            clusters: &self.hosts.clusters,
        };
        let kept = self.journal.append(&records, picture);
        self.broken |= kept.is_err();
        kept
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
