//! The provider behind the endpoints `host/*`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::arguments::Disk;
use super::clock;
use super::cluster::Cluster;
use super::deed::Deed;
use super::kubectl::Servers;
use super::reading::{self, Surroundings};
use super::unit::Role;
use crate::plan::{Operation, Step};
use crate::provider::host::docker::{self, DOCKER};
use crate::provider::host::firewall::{self, FIREWALL};
use crate::provider::host::{Failure, Hosts, Now, Probe, Remote, Target, machine};
use crate::provider::{Act, BoxFuture, Inputs, Provider, Run, Wanted};
use crate::resource::{Address, Attributes, Object, Reading};

/// The kind that is only looked at.
const MACHINE: &str = "host/machine";

/// All machines, through one connection each.
pub struct Machines {
    hosts: Arc<Hosts>,
    pub(super) now: Now,
    pub(super) revert_after: Duration,
    /// The servers of the spec.
    fleet: Vec<Target>,
    seen: Mutex<Seen>,
    /// How often the API was looked for on another server.
    pub(super) turn: AtomicUsize,
}

/// What readings of this run showed, for those that come later.
#[derive(Default)]
struct Seen {
    /// By machine name.
    servers: BTreeMap<String, Server>,
    /// Seconds that clocks are ahead of boma's, by machine name.
    skews: BTreeMap<String, i64>,
    /// BIOS UUIDs by node name.
    uuids: BTreeMap<String, String>,
}

struct Server {
    target: Target,
    active: bool,
    /// Of the cluster's CA as it lies on that server.
    ca_hash: Option<String>,
}

/// Hosts with what they said, or why they did not.
type Probes = BTreeMap<Target, Result<Probe, String>>;

impl Machines {
    /// Prepares it; nothing is opened until something is asked. `now` is boma's clock, `servers`
    /// are those of the spec.
    pub fn new(hosts: Arc<Hosts>, now: Now, servers: Vec<Target>) -> Self {
        let (revert_after, seen) = (firewall::REVERT_AFTER, Mutex::default());
        let turn = AtomicUsize::new(0);
        Self { hosts, now, revert_after, fleet: servers, seen, turn }
    }

    /// The same where a host waits so long for boma's word that new firewall rules let it in.
    pub fn with_firewall_revert(self, revert_after: Duration) -> Self {
        Self { revert_after, ..self }
    }

    /// All connections.
    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// How many commands were run on hosts.
    pub fn requests(&self) -> u64 {
        self.hosts.requests()
    }

    /// Ends all connections. To be called on every way out.
    pub async fn close(&self) {
        self.hosts.close().await;
    }

    async fn look(&self, wanted: &[Wanted]) -> Vec<(Address, Reading)> {
        let places: Vec<Option<Place>> = wanted.iter().map(Place::of).collect();
        let places_known: BTreeSet<Place> = places.iter().flatten().cloned().collect();
        let probes = self.probes(places_known).await;
        let wants_k3s = wanted.iter().any(|wanted| Role::of_kind(wanted.kind.name).is_some());
        let cluster = self.cluster(&probes, wants_k3s).await;
        let uuids = self.seen().uuids.clone();
        let around = Surroundings { cluster: cluster.as_ref(), uuids: &uuids };
        let now = (self.now)();
        let readings = wanted.iter().zip(places).map(|(wanted, place)| {
            let probe = place.and_then(|place| probes.get(&place.target));
            let reading = match probe {
                Some(Ok(probe)) => read(wanted.kind.name, probe, &around, now),
                Some(Err(reason)) => Reading::Unread(reason.clone()),
                None => Reading::Unread("its host is not recorded; plan again".into()),
            };
            (wanted.address.clone(), reading)
        });
        readings.collect()
    }

    /// Reads hosts, all at once.
    async fn probes(&self, places: BTreeSet<Place>) -> Probes {
        let mut tasks = JoinSet::new();
        let mut probes = Probes::new();
        for place in places {
            let (hosts, now) = (self.hosts.clone(), self.now.clone());
            let lost = Err("the reading was given up".to_owned());
            probes.insert(place.target.clone(), lost);
            tasks.spawn(async move {
                let remote = Remote { hosts: &hosts, target: &place.target };
                let probe = Probe::of(remote, &now).await;
                (place, probe.map_err(|failure| failure.reason()))
            });
        }
        while let Some(done) = tasks.join_next().await {
            let Ok((place, probe)) = done else { continue };
            self.remember(&place, probe.as_ref().ok());
            probes.insert(place.target, probe);
        }
        probes
    }

    fn remember(&self, place: &Place, probe: Option<&Probe>) {
        let mut seen = self.seen();
        if place.is_server {
            let active = probe.is_some_and(|probe| reading::service(probe) == "active");
            let hash = probe.and_then(|probe| probe.word("cacert-hash"));
            let hash = hash.and_then(|line| line.split_whitespace().next()).map(str::to_owned);
            let server = Server { target: place.target.clone(), active, ca_hash: hash };
            seen.servers.insert(place.target.machine.clone(), server);
        }
        if let Some(skew) = probe.and_then(|probe| probe.clock_skew_s) {
            seen.skews.insert(place.target.machine.clone(), skew);
        }
        if let Some(probe) = probe
            && let (Some(uuid), Ok(disk)) = (machine::bios_uuid(probe), Disk::of(probe))
        {
            seen.uuids.insert(disk.node_name(probe), uuid);
        }
    }

    /// The nodes from the first of the hosts that shows them, else from another live server.
    async fn cluster(&self, probes: &Probes, wanted: bool) -> Option<Cluster> {
        let answers = probes.values().flatten().filter_map(|probe| probe.text("nodes"));
        let cluster = answers.filter_map(Cluster::parse).next();
        if cluster.is_some() || !wanted {
            return cluster;
        }
        let mut servers = self.servers(None);
        let running = self.running();
        servers.targets.retain(|target| running.contains(target) && !probes.contains_key(target));
        if servers.targets.is_empty() { None } else { servers.cluster().await }
    }

    /// The servers that were seen running.
    fn running(&self) -> Vec<Target> {
        let seen = self.seen();
        let running = seen.servers.values().filter(|server| server.active);
        running.map(|server| server.target.clone()).collect()
    }

    /// The servers in the order to ask them: those seen running, then those of the spec that were
    /// not read; the machine's own goes last.
    pub(super) fn servers(&self, own: Option<&Target>) -> Servers<'_> {
        let mut targets = self.running();
        let seen = self.seen();
        let unread = |target: &&Target| !seen.servers.contains_key(&target.machine);
        targets.extend(self.fleet.iter().filter(unread).cloned());
        targets.sort_by_key(|target| Some(target) == own);
        Servers { hosts: &self.hosts, targets }
    }

    /// The CA hashes as they lie on other servers that run.
    pub(super) fn ca_hashes(&self, own: &Target) -> Vec<String> {
        let seen = self.seen();
        let others = seen.servers.values().filter(|server| server.active && server.target != *own);
        let hashes: BTreeSet<String> = others.filter_map(|server| server.ca_hash.clone()).collect();
        hashes.into_iter().collect()
    }

    /// Refuses to begin anything on a machine whose clock is wrong.
    ///
    /// # Errors
    /// How far it is apart.
    pub(super) fn check_clock(&self, target: &Target, probe: &Probe) -> Result<(), Failure> {
        let mut seen = self.seen();
        if let Some(skew) = probe.clock_skew_s {
            seen.skews.insert(target.machine.clone(), skew);
        }
        clock::check(&target.machine, &seen.skews)
    }

    /// A server that runs and is not this one.
    pub(super) fn another_server(&self, own: &Target) -> Option<Target> {
        self.running().into_iter().find(|target| target != own)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry_out(
        &self,
        step: &Step,
        inputs: &Inputs,
        place: &Place,
        run: &dyn Run,
    ) -> Result<(), Failure> {
        if let Some(fingerprint) = inputs.attributes["host_key"].as_str() {
            self.hosts.learn(&place.target.machine, fingerprint);
        }
        let remote = Remote { hosts: &self.hosts, target: &place.target };
        let deed = Deed { machines: self, step, inputs, remote, run };
        match (step.kind.name, Role::of_kind(step.kind.name)) {
            (_, Some(role)) => deed.k3s(role).await,
            (FIREWALL, _) => deed.firewall().await,
            (DOCKER, _) => deed.docker().await,
            _ => Err(deed.unknown()),
        }
    }
}

impl Provider for Machines {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        Box::pin(self.look(wanted))
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            let wanted = Wanted {
                address: step.address.clone(),
                kind: step.kind,
                locator: inputs.locator.clone(),
            };
            let outcome = match Place::of(&wanted) {
                Some(place) => self.carry_out(step, inputs, &place, run).await,
                None => Err(Failure::refused("its host is not recorded", "plan again")),
            };
            outcome.map_err(|failure| failure.explain(&words(step)))?;
            let reading = self.look(std::slice::from_ref(&wanted)).await.pop();
            Ok(reading.map_or(Reading::Absent, |(_, reading)| afterwards(step, inputs, reading)))
        })
    }
}

/// A node is deleted through another machine, and its own may be gone for good: that it cannot be
/// read then changes nothing.
fn afterwards(step: &Step, inputs: &Inputs, reading: Reading) -> Reading {
    if step.operation != Operation::Expel || !matches!(reading, Reading::Unread(_)) {
        return reading;
    }
    let Some(object) = &inputs.object else { return Reading::Absent };
    let mut tree = object.attributes.tree();
    tree["node"] = "absent".into();
    Reading::Present(Object { attributes: Attributes::new(&tree), ..object.clone() })
}

/// Where a machine is found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    target: Target,
    is_server: bool,
}

impl Place {
    fn of(wanted: &Wanted) -> Option<Self> {
        let place = wanted.locator.place.tree();
        let text = |key: &str| place[key].as_str().map(str::to_owned);
        let target = Target { machine: text("machine")?, address: text("address")? };
        Some(Self { target, is_server: place["role"] == "server" })
    }
}

fn read(kind: &str, probe: &Probe, around: &Surroundings<'_>, now: i64) -> Reading {
    match (kind, Role::of_kind(kind)) {
        (_, Some(role)) => reading::read(role, probe, around),
        (FIREWALL, _) => firewall::read(probe),
        (DOCKER, _) => docker::read(probe),
        (MACHINE, _) => Reading::Present(machine::read(probe, now)),
        _ => Reading::Unread(format!("hosts have no {kind}: plan with the boma that made this")),
    }
}

/// What a step does, in words.
fn words(step: &Step) -> String {
    let (address, name) = (&step.address, step.address.name());
    match step.operation {
        Operation::Create => format!("install {address}"),
        Operation::Update => format!("change {address}"),
        Operation::Delete => format!("remove {address}"),
        Operation::InitCluster => format!("found the cluster on {name}"),
        Operation::Join => format!("let {name} join the cluster"),
        Operation::Start => format!("start {address}"),
        Operation::Restart => format!("restart {address}"),
        Operation::Drain => format!("drain {name}"),
        Operation::Uncordon => format!("uncordon {name}"),
        Operation::EtcdSnapshot => format!("take an etcd snapshot before {name} is changed"),
        Operation::Expel => format!("delete the node {name}"),
        Operation::RotateToken => "change the server token".to_owned(),
        operation => format!("{operation:?} of {address}"),
    }
}
