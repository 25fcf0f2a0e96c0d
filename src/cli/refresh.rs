//! Reading the world for a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::error::{CliError, Exit};
use super::world::World;
use crate::plan::{Desired, Live, Observed, ReadStats};
use crate::provider::Wanted;
use crate::resource::{
    Address, Attributes, EdgeKind, Endpoint, Identity, Kind, Lifecycle, Locator, Mark, Object,
    Reading, Resource, Sealer,
};
use crate::state::{Record, State, load as load_state};

/// Readings, and what they cost.
pub struct Refreshed {
    /// One reading per address.
    pub live: Live,
    /// `None` offline.
    pub stats: Option<ReadStats>,
}

/// Prior stands for live.
pub fn offline(desired: &Desired, state: &State) -> Refreshed {
    let addresses = desired.resources.keys().chain(state.addresses());
    Refreshed {
        live: addresses.map(|address| (address.clone(), as_left(state, address))).collect(),
        stats: None,
    }
}

fn as_recorded(record: &Record, mark: Mark) -> Object {
    let mut tree = record.outputs.tree();
    if let (Json::Object(tree), Json::Object(owned)) = (&mut tree, record.attributes.tree()) {
        tree.extend(owned);
    }
    Object { id: record.id.clone(), attributes: Attributes::new(&tree), mark: Some(mark) }
}

/// Asks every endpoint for everything of desired and prior, in bulk.
///
/// # Errors
/// Another vCenter answers than the one the state knows.
pub async fn live(world: &World, desired: &Desired, state: &State) -> Result<Refreshed, CliError> {
    let begun = Instant::now();
    check_identity(world, state).await?;
    let mut live = Live::new();
    // What is behind something else is asked once it is known whether that is there: hosts after
    // their machines, which tell their keys, and the cluster after its servers.
    let mut left = wanted(desired, state);
    while !left.is_empty() {
        let machines = Endpoint::vcenter();
        let waits = |endpoint: &Endpoint| {
            let openers = openers(desired, state, endpoint);
            let asked =
                |opener: &Address| left.values().flatten().any(|one| one.address == *opener);
            (*endpoint != machines && left.contains_key(&machines)) || openers.iter().any(asked)
        };
        let now: BTreeSet<Endpoint> =
            left.keys().filter(|endpoint| !waits(endpoint)).cloned().collect();
        // A circle of endpoints would never be asked: then all are, and say why they are silent.
        let (wave, later) =
            left.into_iter().partition(|(endpoint, _)| now.is_empty() || now.contains(endpoint));
        left = later;
        let asks = wave.contains_key(&Endpoint::kubernetes());
        let cluster = known_cluster(desired, state, &live).filter(|_| asks);
        // Which cluster it is needs no turn of its own: to look at another one does no harm.
        let (checked, ()) = tokio::join!(
            check_cluster(world, cluster),
            read_wave(world, desired, state, wave, &mut live)
        );
        checked?;
        world.learn(&live);
    }
    let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Refreshed { live, stats: Some(ReadStats { requests: world.requests(), elapsed_ms }) })
}

/// Asks endpoints whose openers were read.
async fn read_wave(
    world: &World,
    desired: &Desired,
    state: &State,
    wave: BTreeMap<Endpoint, Vec<Wanted>>,
    live: &mut Live,
) {
    let mut asked = Vec::new();
    for (endpoint, wanted) in wave {
        match Door::of(live, &openers(desired, state, &endpoint)) {
            Door::Open => asked.push((endpoint, wanted)),
            Door::Gone => {
                live.extend(wanted.into_iter().map(|one| (one.address, Reading::Absent)));
            }
            Door::Shut => {
                let recorded = |one: Wanted| (one.address.clone(), as_left(state, &one.address));
                live.extend(wanted.into_iter().map(recorded));
            }
            Door::Unknown(reason) => {
                let unread = |one: Wanted| (one.address, Reading::Unread(reason.clone()));
                live.extend(wanted.into_iter().map(unread));
            }
        }
    }
    read_all(world, state, asked, live).await;
}

/// Whether what is behind an endpoint can be asked.
enum Door {
    Open,
    /// The machine is off: behind it is what was recorded, which nobody could change meanwhile.
    Shut,
    /// The machine is not there, and nothing of it.
    Gone,
    Unknown(String),
}

impl Door {
    /// One opener that is there is enough; what nobody could read may be there.
    fn of(live: &Live, openers: &[Address]) -> Self {
        let doors: Vec<Self> = openers.iter().map(|opener| Self::behind(live, opener)).collect();
        if doors.is_empty() || doors.iter().any(|door| matches!(door, Self::Open)) {
            return Self::Open;
        }
        let worst = doors.into_iter().max_by_key(|door| match door {
            Self::Open | Self::Gone => 0,
            Self::Shut => 1,
            Self::Unknown(_) => 2,
        });
        worst.unwrap_or(Self::Open)
    }

    fn behind(live: &Live, opener: &Address) -> Self {
        match live.get(opener) {
            Some(Reading::Present(object)) => match object.attributes.tree() {
                tree if tree["power"] == "off" => Self::Shut,
                // Put on a disk, and never part of a cluster.
                tree if tree["joined"] == "no" => Self::Gone,
                _ => Self::Open,
            },
            None => Self::Open,
            Some(Reading::Absent) => Self::Gone,
            Some(Reading::Unread(reason)) => Self::Unknown(format!("{opener}: {reason}")),
        }
    }
}

/// What makes an endpoint exist, by the spec or by what was recorded. Empty where it stands
/// already.
fn openers(desired: &Desired, state: &State, endpoint: &Endpoint) -> Vec<Address> {
    if let Some(facts) = desired.endpoints.get(endpoint) {
        return facts.opened_by.clone();
    }
    if *endpoint == Endpoint::kubernetes() {
        let servers = state.resources.iter();
        let servers = servers.filter(|(_, record)| record.kind.lifecycle == Lifecycle::Server);
        return servers.map(|(address, _)| address.clone()).collect();
    }
    let records = state.resources.values().filter(|record| record.endpoint == *endpoint);
    let mut edges = records.flat_map(|record| &record.edges);
    let host = endpoint.provider() == "host";
    let home = edges.find(|edge| host && edge.kind == EdgeKind::LivesIn);
    home.map(|edge| edge.to.clone()).into_iter().collect()
}

fn as_left(state: &State, address: &Address) -> Reading {
    let record = state.resources.get(address);
    record.map_or(Reading::Absent, |record| {
        Reading::Present(as_recorded(record, state.mark(address)))
    })
}

/// Asks several endpoints at once, each provider for all of its endpoints together.
async fn read_all(
    world: &World,
    state: &State,
    endpoints: Vec<(Endpoint, Vec<Wanted>)>,
    live: &mut Live,
) {
    let sealer = Sealer::new(&state.digest_key);
    let mut by_provider: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for (endpoint, wanted) in endpoints {
        by_provider.entry(endpoint.provider().to_owned()).or_default().extend(wanted);
    }
    for (name, wanted) in by_provider {
        let kinds: BTreeMap<Address, Kind> =
            wanted.iter().map(|one| (one.address.clone(), one.kind)).collect();
        let readings = match world.providers.get(&name) {
            Some(provider) => provider.read(&wanted).await,
            None => wanted
                .into_iter()
                .map(|one| (one.address, Reading::Unread(format!("nothing here speaks to {name}"))))
                .collect(),
        };
        live.extend(readings.into_iter().map(|(address, reading)| {
            // One of many that were asked for together.
            let parent = address.as_str().rsplit_once('/').map(|(parent, _)| Address::from(parent));
            let kind = kinds.get(&address).or_else(|| kinds.get(&parent?));
            let reading = match kind {
                Some(&kind) => seal(&sealer, kind, reading),
                None => reading,
            };
            (address, reading)
        }));
    }
}

/// Asks the cluster for more than was known to be needed, once it is known that it can be asked.
pub async fn more(world: &World, state: &State, wanted: Vec<Wanted>) -> Live {
    let mut live = Live::new();
    if !wanted.is_empty() {
        read_all(world, state, vec![(Endpoint::kubernetes(), wanted)], &mut live).await;
    }
    live
}

/// Looks for one object where a locator says, be it where its resource would look or elsewhere.
pub async fn one(world: &World, resource: &Resource, locator: Locator, state: &State) -> Reading {
    let Resource { address, kind, endpoint, .. } = resource;
    let Some(provider) = world.providers.get(endpoint.provider()) else {
        return Reading::Unread(format!("nothing here speaks to {endpoint}"));
    };
    let wanted = Wanted { address: address.clone(), kind: *kind, locator };
    match provider.read(&[wanted]).await.pop() {
        Some((_, reading)) => seal(&Sealer::new(&state.digest_key), *kind, reading),
        None => Reading::Unread(format!("{endpoint} said nothing of it")),
    }
}

/// How often a reader begins again while somebody else applies.
const LOOKS: u32 = 8;

/// How much longer it waits each time: an apply writes in bursts, between which it waits itself.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads without a lock: state and world as one picture. Where an apply writes the state meanwhile,
/// both are read again; in the end the later state counts, which knows of every call that the
/// world can show, since intents are written first.
///
/// # Errors
/// See [`live`] and [`load_state`].
pub async fn unlocked(
    world: &World,
    desired: &Desired,
    dir: &Path,
    state: State,
) -> Result<(State, Refreshed), CliError> {
    let mut state = state;
    for look in 1..LOOKS {
        let refreshed = live(world, desired, &state).await?;
        match load_state(dir)? {
            Some(now) if now != state => {
                state = now;
                tokio::time::sleep(PAUSE * look).await;
            }
            _ => return Ok((state, refreshed)),
        }
    }
    let refreshed = live(world, desired, &state).await?;
    Ok((load_state(dir)?.unwrap_or(state), refreshed))
}

/// A state belongs to one vCenter; the same name may come to mean another.
async fn check_identity(world: &World, state: &State) -> Result<(), CliError> {
    let Some(known) = state.identities.get(Endpoint::vcenter().as_str()) else { return Ok(()) };
    // Who cannot be asked is reported by the reading itself.
    let Ok(found) = world.vcenter.instance_uuid().await else { return Ok(()) };
    if found == *known {
        return Ok(());
    }
    Err(CliError::new(
        format!(
            "another vCenter answers: its instance UUID is {found}, the state belongs to {known}"
        ),
        "mend `[vcenter] server`, or use another --state; nothing was changed",
    )
    .exit(Exit::Refused))
}

/// The cluster that the state belongs to, where a server of it is there to be asked.
fn known_cluster<'a>(desired: &Desired, state: &'a State, live: &Live) -> Option<&'a str> {
    let endpoint = Endpoint::kubernetes();
    let known = state.identities.get(endpoint.as_str())?;
    let open = matches!(Door::of(live, &openers(desired, state, &endpoint)), Door::Open);
    open.then_some(known)
}

/// The same of the cluster.
async fn check_cluster(world: &World, known: Option<&str>) -> Result<(), CliError> {
    let (Some(known), Some(kubernetes)) = (known, &world.kubernetes) else { return Ok(()) };
    let Ok(found) = kubernetes.cluster_uid().await else { return Ok(()) };
    if found == known {
        return Ok(());
    }
    Err(CliError::new(
        format!(
            "another cluster answers: the uid of its Namespace kube-system is {found}, the state \
             belongs to {known}"
        ),
        "see what runs on the servers, or use another --state; nothing was changed",
    )
    .exit(Exit::Refused))
}

/// What to look for, by endpoint.
fn wanted(desired: &Desired, state: &State) -> BTreeMap<Endpoint, Vec<Wanted>> {
    let mut wanted: BTreeMap<Endpoint, Vec<Wanted>> = BTreeMap::new();
    for resource in desired.resources.values() {
        let address = &resource.address;
        let marked = (resource.kind.identity == Identity::Mark).then(|| state.mark(address));
        let known = state.locator(address);
        let locator = Locator {
            id: known.as_ref().and_then(|known| known.id.clone()),
            place: resource.place.clone(),
            mark: marked,
            notes: known.map(|known| known.notes).unwrap_or_default(),
        };
        let one = Wanted { address: address.clone(), kind: resource.kind, locator };
        wanted.entry(resource.endpoint.clone()).or_default().push(one);
    }
    let recorded = |observed: &&Observed| state.locator(&observed.address).is_some();
    for observed in desired.observed.iter().filter(|observed| !recorded(observed)) {
        let locator = Locator { place: observed.place.clone(), ..Locator::default() };
        let one = Wanted { address: observed.address.clone(), kind: observed.kind, locator };
        wanted.entry(observed.endpoint.clone()).or_default().push(one);
    }
    for address in state.addresses().filter(|address| !desired.resources.contains_key(*address)) {
        let record = state.resources.get(address).map(|record| (record.kind, &record.endpoint));
        let found =
            record.or_else(|| state.open.get(address).map(|open| (open.kind, &open.endpoint)));
        if let (Some((kind, endpoint)), Some(locator)) = (found, state.locator(address)) {
            let one = Wanted { address: address.clone(), kind, locator };
            wanted.entry(endpoint.clone()).or_default().push(one);
        }
    }
    wanted
}

fn seal(sealer: &Sealer, kind: Kind, reading: Reading) -> Reading {
    match reading {
        Reading::Present(object) if kind.fields.iter().any(|field| field.sensitive) => {
            let tree = sealer.seal_tree(kind, object.attributes.tree());
            Reading::Present(Object { attributes: Attributes::new(&tree), ..object })
        }
        reading => reading,
    }
}
