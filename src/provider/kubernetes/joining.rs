//! Nodes of CouchDB that an interrupted run wrote, and whose membership nobody has seen since.
//!
//! A Deployment is ready before its node is a member, and no list tells the difference. So a run
//! notes what it writes, and whoever reads a note that is still open asks the node itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use super::client::Client;
use super::couch::Node;
use super::membership::formed;
use super::place::Place;
use crate::provider::Wanted;
use crate::resource::{Address, Attributes, Locator, Object, Reading};

/// The key of the note; its value is the node's name.
const JOINS: &str = "joins";

/// What is noted before a manifest is written. `None` where it is no node of a cluster.
pub fn note(place: &Place, manifest: &Json) -> Option<Json> {
    let node = Node::of(manifest).filter(|_| place.is("apps", "Deployment"))?;
    Some(json!({ JOINS: node.name }))
}

/// Whether a run has written it and did not see it join.
pub fn is_noted(locator: &Locator) -> bool {
    locator.notes.iter().any(|note| note[JOINS].is_string())
}

/// An object that is not ready for a reason of its own.
pub fn unready(object: &Object, waiting: String) -> Object {
    let mut tree = object.attributes.tree();
    tree["ready"] = false.into();
    tree["waiting"] = waiting.into();
    Object { attributes: Attributes::new(&tree), ..object.clone() }
}

/// Readings with those of noted nodes as the nodes themselves have it.
pub async fn asked(
    client: &Arc<Client>,
    wanted: &[Wanted],
    readings: Vec<(Address, Reading)>,
) -> Vec<(Address, Reading)> {
    let noted = wanted.iter().filter(|one| is_noted(&one.locator));
    let places: BTreeMap<&Address, Place> =
        noted.filter_map(|one| Some((&one.address, Place::of(&one.locator.place)?))).collect();
    let mut tasks = JoinSet::new();
    let mut readings: BTreeMap<Address, Reading> = readings.into_iter().collect();
    for (&address, place) in &places {
        let Some(Reading::Present(object)) = readings.get(address) else { continue };
        let (client, place) = (client.clone(), place.clone());
        let (address, object) = (address.clone(), object.clone());
        tasks.spawn(async move { (address, member(&client, &place, object).await) });
    }
    while let Some(done) = tasks.join_next().await {
        readings.extend(done.ok());
    }
    readings.into_iter().collect()
}

async fn member(client: &Client, place: &Place, object: Object) -> Reading {
    let tree = object.attributes.tree();
    if tree["ready"] != true {
        return Reading::Present(object);
    }
    match formed(client, place, &tree).await {
        Ok(Ok(())) => Reading::Present(object),
        Ok(Err(missing)) => Reading::Present(unready(&object, missing)),
        Err(failure) => Reading::Unread(failure.reason()),
    }
}
