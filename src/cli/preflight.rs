//! Machines that are to join the cluster ask whether they can, before the plan is made.

use serde_json::Value as Json;

use super::plan::Request;
use super::refresh::Refreshed;
use super::secrets::Secrets;
use super::world::World;
use crate::plan::Live;
use crate::provider::host::Target;
use crate::provider::k3s::Candidate;
use crate::resource::{Address, Attributes, Object, Reading, Resource, as_secret};

/// Adds to what machines said of themselves what they found where they shall join. Machines that
/// are in the cluster are asked nothing; nor is anybody while the server token is rotated, when
/// the old one is the right one.
pub async fn ask(
    world: &World,
    request: &Request<'_>,
    secrets: &Secrets,
    mut refreshed: Refreshed,
) -> Refreshed {
    let rotates = request.loaded.spec.k3s.previous_token.is_some();
    let Some(machines) = world.machines.as_ref().filter(|_| !rotates) else { return refreshed };
    let nodes = request.desired.resources.values();
    let candidates: Vec<Candidate> =
        nodes.filter_map(|node| candidate(node, secrets, &refreshed.live)).collect();
    if candidates.is_empty() {
        return refreshed;
    }
    let answers = machines.preflight(&candidates).await;
    for (candidate, answer) in candidates.iter().zip(answers) {
        let address = machine(&candidate.target.machine);
        if let (Some(Reading::Present(object)), Some(Json::Object(answer))) =
            (refreshed.live.get_mut(&address), answer)
        {
            *object = told(object, answer);
        }
    }
    if let Some(stats) = &mut refreshed.stats {
        stats.requests = world.requests();
    }
    refreshed
}

/// A node that is no part of the cluster, on a machine that answers.
fn candidate(node: &Resource, secrets: &Secrets, live: &Live) -> Option<Candidate> {
    if !node.kind.lifecycle.is_node() {
        return None;
    }
    match live.get(&node.address)? {
        Reading::Absent => {}
        Reading::Present(object) if object.attributes.tree()["joined"] == "no" => {}
        _ => return None,
    }
    let place = node.place.tree();
    let text = |key: &str| place[key].as_str().map(str::to_owned);
    let target = Target { machine: text("machine")?, address: text("address")? };
    live.get(&machine(&target.machine))?.object()?;
    let mut attributes = node.attributes.tree();
    for value in attributes.as_object_mut()?.values_mut() {
        if let Some(secret) = as_secret(value) {
            *value = secrets.value(&secret)?;
        }
    }
    Some(Candidate { target, kind: node.kind.name, attributes })
}

fn told(object: &Object, answer: serde_json::Map<String, Json>) -> Object {
    let mut tree = object.attributes.tree();
    if let Json::Object(tree) = &mut tree {
        tree.extend(answer);
    }
    Object { attributes: Attributes::new(&tree), ..object.clone() }
}

fn machine(name: &str) -> Address {
    Address::of("host/machine", name)
}
