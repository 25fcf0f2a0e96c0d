//! Readings: one LIST per kind, and a GET where one object is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::attachments::Attachments;
use super::call::Call;
use super::claim::{self, Waiting};
use super::client::{Client, PARALLEL};
use super::daemon;
use super::failure::Failure;
use super::fields::applied;
use super::joining::{asked, unready};
use super::list::list;
use super::managers::{others, scaler};
use super::membership::formed;
use super::node::own_taints;
use super::place::Place;
use super::ready::{Around, readiness};
use super::shape;
use super::status;
use super::takeover::holder;
use super::why;
use crate::provider::Wanted;
use crate::resource::{Address, Attributes, Object, Reading};

/// An object in the common shape.
pub fn observe(place: &Place, live: &Json, around: Around) -> Object {
    let mut tree = shape::attributes(place, live);
    let metadata = &live["metadata"];
    let id = metadata["uid"].as_str().unwrap_or_default().to_owned();
    tree.insert("uid".into(), id.as_str().into());
    if metadata["generation"].is_u64() {
        tree.insert("generation".into(), metadata["generation"].clone());
    }
    let outcome = readiness(place, live, around);
    tree.insert("ready".into(), outcome.is_ok().into());
    if let Err(reason) = outcome {
        tree.insert("waiting".into(), reason.into());
    }
    tree.insert("owned".into(), Json::Object(owned(place, live)));
    tree.insert("managers".into(), Json::Object(others(place, live)));
    tree.extend(holder(live).map(|holder| ("managed_by".to_owned(), holder.into())));
    tree.extend(scaler(live).map(|scaler| ("scaled_by".to_owned(), scaler.into())));
    Object { id, attributes: Attributes::new(&Json::Object(tree)), mark: shape::mark(live) }
}

/// Reads one object, and why it is not ready. After a write, a node of CouchDB has to be a member of
/// its cluster as well.
///
/// # Errors
/// The API does not answer.
pub async fn read_one(
    client: &Client,
    attachments: &Attachments,
    place: &Place,
    written: bool,
) -> Result<Reading, Failure> {
    let Some(live) = get(client, place).await? else { return Ok(Reading::Absent) };
    let around = around(client, place, &live).await?;
    let object = observe(place, &live, around);
    let mut tree = object.attributes.tree();
    if tree["ready"] != true && daemon::lacks_only_dead_nodes(client, place, &live).await? {
        tree["ready"] = true.into();
        tree.as_object_mut().map(|tree| tree.remove("waiting"));
    }
    if place.is("", "PersistentVolumeClaim") {
        tree["attached"] = attachments.of_claim(client, &live).await?.into();
    }
    let waiting = match tree["waiting"].as_str() {
        Some(waiting) => {
            let mut reasons = vec![waiting.to_owned()];
            reasons.extend(why::reasons(client, place, &live).await);
            reasons.join("; ")
        }
        None if written => formed(client, place, &live).await?.err().unwrap_or_default(),
        None => String::new(),
    };
    let object = Object { attributes: Attributes::new(&tree), ..object };
    Ok(Reading::Present(match waiting.is_empty() {
        true => object,
        false => unready(&object, waiting),
    }))
}

/// Reads many objects: kinds side by side. A place that stands for many objects is answered by one
/// reading of each, under its address and their names, and by nothing under its address itself.
/// Once the cluster does not answer at all, what was not asked for yet is not asked for.
///
/// Nothing is run in any pod, but where an interrupted run left open whether a node of CouchDB
/// joined its cluster.
pub async fn read_many(client: &Arc<Client>, wanted: &[Wanted]) -> Vec<(Address, Reading)> {
    let mut readings = Vec::new();
    let mut kinds: BTreeMap<String, Vec<(Address, Place)>> = BTreeMap::new();
    for wanted in wanted {
        match Place::of(&wanted.locator.place) {
            Some(place) => {
                kinds.entry(place.collection()).or_default().push((wanted.address.clone(), place))
            }
            None => readings.push((wanted.address.clone(), unplaced())),
        }
    }
    let lost: Arc<Mutex<Option<Failure>>> = Arc::default();
    if let Err(failure) = client.open().await {
        *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }
    let turns = Arc::new(Semaphore::new(PARALLEL));
    let mut tasks = JoinSet::new();
    for places in kinds.into_values() {
        let (client, lost, turns) = (client.clone(), lost.clone(), turns.clone());
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            let told = lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let outcome = match told {
                Some(failure) => Err(failure),
                None => read_kind(&client, &places).await,
            };
            if let Err(failure) = &outcome
                && failure.concerns_all()
            {
                let mut lost = lost.lock().unwrap_or_else(PoisonError::into_inner);
                lost.get_or_insert_with(|| failure.clone());
            }
            answers(places, outcome)
        });
    }
    while let Some(done) = tasks.join_next().await {
        readings.extend(done.unwrap_or_default());
    }
    asked(client, wanted, complete(wanted, readings)).await
}

/// What was found of one kind, by namespace and name; nothing under a name proves that there is
/// nothing.
type Found = BTreeMap<(Option<String>, String), Reading>;

async fn read_kind(client: &Client, places: &[(Address, Place)]) -> Result<Found, Failure> {
    let Some((_, first)) = places.first() else { return Ok(Found::new()) };
    let mut found = Found::new();
    if let [(_, place)] = places
        && !place.is_many()
    {
        if let Some(live) = get(client, place).await? {
            let around = around(client, place, &live).await?;
            found.insert(key(place), Reading::Present(observe(place, &live, around)));
        }
        return Ok(found);
    }
    let wanted: BTreeMap<_, &Place> = places.iter().map(|(_, place)| (key(place), place)).collect();
    let many: Vec<&Place> = wanted.values().copied().filter(|place| place.is_many()).collect();
    let is_wanted = |namespace: Option<&str>, name: &str| {
        wanted.contains_key(&(namespace.map(str::to_owned), name.to_owned()))
            || many.iter().any(|place| place.covers(namespace, name))
    };
    let mut pending = Vec::new();
    let mut take = |live: Json| {
        let (namespace, name) = key_of(&live);
        let place = Place { namespace, name, ..first.clone() };
        if claim::is_pending(&place, &live) {
            pending.push((place, live));
        } else {
            let object = observe(&place, &live, Around::default());
            found.insert(key(&place), Reading::Present(object));
        }
    };
    list(client, &first.collection(), &is_wanted, &mut take).await?;
    if !pending.is_empty() {
        let classes = Waiting::read(client).await?;
        for (place, live) in pending {
            let object = observe(&place, &live, classes.around(&live));
            found.insert(key(&place), Reading::Present(object));
        }
    }
    Ok(found)
}

pub(super) async fn get(client: &Client, place: &Place) -> Result<Option<Json>, Failure> {
    let answer = client.call(&Call::get(place)?).await?;
    match answer.status.as_u16() {
        200 => Ok(Some(answer.json())),
        404 => Ok(None),
        _ => Err(status::of(&answer).into()),
    }
}

async fn around(client: &Client, place: &Place, live: &Json) -> Result<Around, Failure> {
    match claim::is_pending(place, live) {
        true => Ok(Waiting::read(client).await?.around(live)),
        false => Ok(Around::default()),
    }
}

/// What boma applied, in the shape of attributes.
fn owned(place: &Place, live: &Json) -> Map<String, Json> {
    let mut owned = shape::attributes(place, &applied(live));
    let keys: BTreeSet<String> = if place.is_node() { own_taints(live) } else { BTreeSet::new() };
    let taints = shape::attributes(place, live).remove("taints");
    let taints = taints.as_ref().and_then(Json::as_array).into_iter().flatten();
    let is_own = |taint: &&Json| taint["key"].as_str().is_some_and(|key| keys.contains(key));
    let taints: Vec<Json> = taints.filter(is_own).cloned().collect();
    if !taints.is_empty() {
        owned.insert("taints".into(), taints.into());
    }
    owned
}

fn answers(
    places: Vec<(Address, Place)>,
    outcome: Result<Found, Failure>,
) -> Vec<(Address, Reading)> {
    let reading = |place: &Place| match &outcome {
        Ok(found) => found.get(&key(place)).cloned().unwrap_or(Reading::Absent),
        Err(failure) => Reading::Unread(failure.reason()),
    };
    let mut readings: Vec<(Address, Reading)> =
        places.iter().map(|(address, place)| (address.clone(), reading(place))).collect();
    for (address, place) in places.iter().filter(|(_, place)| place.is_many()) {
        let covered = outcome.iter().flatten();
        let covered =
            covered.filter(|((namespace, name), _)| place.covers(namespace.as_deref(), name));
        readings
            .extend(covered.map(|((_, name), reading)| {
                (Address::of(address.as_str(), name), reading.clone())
            }));
    }
    readings
}

/// Adds a word for whatever has no answer.
fn complete(wanted: &[Wanted], readings: Vec<(Address, Reading)>) -> Vec<(Address, Reading)> {
    let mut readings: BTreeMap<Address, Reading> = readings.into_iter().collect();
    for wanted in wanted {
        let lost = || Reading::Unread("the reading was given up; try again".into());
        readings.entry(wanted.address.clone()).or_insert_with(lost);
    }
    readings.into_iter().collect()
}

/// For an address without a usable place.
pub fn unplaced() -> Reading {
    Reading::Unread("its place in the API is not recorded; plan again".into())
}

fn key(place: &Place) -> (Option<String>, String) {
    (place.namespace.clone(), place.name.clone())
}

fn key_of(live: &Json) -> (Option<String>, String) {
    let text = |key: &str| live["metadata"][key].as_str().map(str::to_owned);
    (text("namespace"), text("name").unwrap_or_default())
}
