//! Which machines a project's pods go to.
//!
//! CouchDB of the CHT keeps one copy of each shard, so a project stands still as soon as one of
//! its nodes does: together, a lost machine stops the fewest projects. Both manners are wishes: a
//! rule that must hold would keep a project down where its machine is lost for good.

use serde_json::{Map, Value as Json, json};

use super::form::{Form, LABEL};
use super::member::Member;
use crate::spec::Placement;

/// The label that a machine's name is in.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// What a pod of CouchDB says of its place.
pub fn of_node(form: &Form<'_>, members: &[Member], member: &Member) -> Map<String, Json> {
    if let Some(agent) = own_agent(form, members, member) {
        return Map::from_iter([("nodeSelector".to_owned(), json!({ HOSTNAME: agent }))]);
    }
    let mut affinity = pinned(form).unwrap_or_default();
    affinity.extend(wish(form, members));
    as_pod(affinity)
}

/// What all other pods say of theirs. The charts pin none of these, so neither does boma in a
/// project that is adopted.
pub fn anywhere(form: &Form<'_>) -> Map<String, Json> {
    let pinned = pinned(form).filter(|_| !form.is_adopted());
    as_pod(pinned.unwrap_or_default())
}

/// The machine of a node, where the spec gives each its own, or all the same one: in the charts'
/// manner.
fn own_agent<'a>(form: &'a Form<'_>, members: &[Member], member: &Member) -> Option<&'a str> {
    let agents = &form.project.agents;
    let apart = *form.project.placement == Placement::Spread;
    match agents.as_slice() {
        [only] => Some(only),
        several if apart && several.len() == members.len() => {
            several.get(member.index()).map(|agent| agent.as_str())
        }
        _ => None,
    }
}

fn pinned(form: &Form<'_>) -> Option<Map<String, Json>> {
    let agents: Vec<&str> = form.project.agents.iter().map(|agent| agent.as_str()).collect();
    if agents.is_empty() {
        return None;
    }
    let expression = json!({ "key": HOSTNAME, "operator": "In", "values": agents });
    let terms = json!({ "nodeSelectorTerms": [{ "matchExpressions": [expression] }] });
    let affinity = json!({ "requiredDuringSchedulingIgnoredDuringExecution": terms });
    Some(Map::from_iter([("nodeAffinity".to_owned(), affinity)]))
}

/// Near the other nodes or far from them. Nothing in an adopted project unless the spec says it.
fn wish(form: &Form<'_>, members: &[Member]) -> Option<(String, Json)> {
    let placement = &form.project.placement;
    if members.len() < 2 || (form.is_adopted() && !placement.is_written()) {
        return None;
    }
    let services: Vec<String> = members.iter().map(Member::service).collect();
    let others = json!({ "key": LABEL, "operator": "In", "values": services });
    let term = json!({
        "labelSelector": { "matchExpressions": [others] },
        "topologyKey": HOSTNAME,
    });
    let wish = json!([{ "weight": 100, "podAffinityTerm": term }]);
    let name = match placement.value {
        Placement::Together => "podAffinity",
        Placement::Spread => "podAntiAffinity",
    };
    let wish = json!({ "preferredDuringSchedulingIgnoredDuringExecution": wish });
    Some((name.to_owned(), wish))
}

fn as_pod(affinity: Map<String, Json>) -> Map<String, Json> {
    match affinity.is_empty() {
        true => Map::new(),
        false => Map::from_iter([("affinity".to_owned(), affinity.into())]),
    }
}
