//! Reading the world for a plan.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde_json::Value as Json;

use super::error::{CliError, Exit};
use super::world::World;
use crate::plan::{Desired, Live, ReadStats};
use crate::provider::Wanted;
use crate::resource::{
    Address, Attributes, Endpoint, Identity, Kind, Locator, Mark, Object, Reading, Resource, Sealer,
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
    let reading = |address: &Address| match state.resources.get(address) {
        Some(record) => Reading::Present(as_recorded(record, state.mark(address))),
        None => Reading::Absent,
    };
    Refreshed {
        live: addresses.map(|address| (address.clone(), reading(address))).collect(),
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
    let sealer = Sealer::new(&state.digest_key);
    let mut live = Live::new();
    for (endpoint, wanted) in wanted(desired, state) {
        let kinds: BTreeMap<Address, Kind> =
            wanted.iter().map(|one| (one.address.clone(), one.kind)).collect();
        let readings = match world.providers.get(endpoint.provider()) {
            Some(provider) => provider.read(&wanted).await,
            None => wanted
                .into_iter()
                .map(|one| {
                    (one.address, Reading::Unread(format!("nothing here speaks to {endpoint}")))
                })
                .collect(),
        };
        live.extend(readings.into_iter().map(|(address, reading)| {
            let reading = match kinds.get(&address) {
                Some(&kind) => seal(&sealer, kind, reading),
                None => reading,
            };
            (address, reading)
        }));
    }
    let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Refreshed { live, stats: Some(ReadStats { requests: world.requests(), elapsed_ms }) })
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
const LOOKS: usize = 5;

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
    for _ in 1..LOOKS {
        let refreshed = live(world, desired, &state).await?;
        match load_state(dir)? {
            Some(now) if now != state => state = now,
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
    for observed in &desired.observed {
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
