//! Deleting objects, one or many, and evicting pods.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::admission;
use super::call::{Answer, Call};
use super::check;
use super::key::Key;
use super::refusal::Refusal;
use super::selector::Selector;
use super::store::StoreEffect;
use super::view;
use crate::lab::k3s::{self, Changed, ClusterEffect, Draft, ids};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// DELETE of an object.
///
/// # Errors
/// 404, and 409 where it is not the object that was meant.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (key, live) = call.found()?;
    let options = options(call)?;
    let wanted = &options["preconditions"];
    same_uid(&key, &live, wanted["uid"].as_str())?;
    let version = wanted["resourceVersion"].as_str().unwrap_or_default();
    if !version.is_empty() && live["metadata"]["resourceVersion"] != version {
        let found = live["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({found}). The object might have been modified"
        );
        return Err(Refusal::conflict(&key, &why));
    }
    let ended = end(call, &key, &live, &options);
    let answer = match &ended.held {
        Some(object) => Answer::json(200, object),
        None => Answer::json(200, &success(&key, &live)),
    };
    let effects = if only_dry(&options) { Vec::new() } else { ended.effects };
    Ok(call.done(answer, effects))
}

/// DELETE of a collection.
///
/// # Errors
/// 400 for selectors that are none.
pub(super) fn collection(call: &Call<'_>) -> Result<Answer, Refusal> {
    let options = options(call)?;
    let selector =
        Selector::read(call.query.get("labelSelector"), call.query.get("fieldSelector"))?;
    let (resource, namespace) = (&call.resource, &call.target.namespace);
    let all =
        view::objects(call.cluster, &resource.group, &resource.plural, namespace, call.now_ms);
    let chosen = all.into_iter().filter(|(key, object)| selector.meets(key, object));
    let mut effects = Vec::new();
    let mut items = Vec::new();
    for (key, live) in chosen {
        effects.extend(end(call, &key, &live, &options).effects);
        items.push(live);
    }
    let items: Vec<&Json> = items.iter().map(Arc::as_ref).collect();
    let list = json!({
        "apiVersion": call.api, "kind": format!("{}List", resource.kind),
        "metadata": {"resourceVersion": call.cluster.revision.to_string()}, "items": items,
    });
    let effects = if only_dry(&options) { Vec::new() } else { effects };
    Ok(call.done(Answer::json(200, &list), effects))
}

/// POST to a pod's `eviction`.
///
/// # Errors
/// 404, and 429 where a disruption budget is against it.
pub(super) fn evict(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (key, live) = call.found()?;
    let body = if is_binary(call) {
        json!({})
    } else {
        let read = check::read(&call.request.body);
        let refused = |error| Refusal::bad_request(format!("error decoding eviction: {error}"));
        read.map_err(refused)?.0
    };
    admission::disruption(call, &key, &live)?;
    let options = body.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
    same_uid(&key, &live, options["preconditions"]["uid"].as_str())?;
    let ended = end(call, &key, &live, &options);
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    let effects = if only_dry(&options) { Vec::new() } else { ended.effects };
    Ok(call.done(Answer::json(201, &status), effects))
}

/// The effects of an object's going.
pub(super) fn gone(call: &Call<'_>, key: &Key) -> Vec<ClusterEffect> {
    if view::is_node(key) {
        return node(call, &key.name);
    }
    vec![call.change(Changed::Object(StoreEffect::Gone(key.clone())))]
}

/// # Errors
/// 409 for another uid than the live one.
pub(super) fn same_uid(key: &Key, live: &Json, wanted: Option<&str>) -> Result<(), Refusal> {
    let found = live["metadata"]["uid"].as_str().unwrap_or_default();
    match wanted {
        Some(wanted) if wanted != found => {
            let why = format!(
                "Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
            );
            Err(Refusal::conflict(key, &why))
        }
        _ => Ok(()),
    }
}

struct Ended {
    effects: Vec<ClusterEffect>,
    /// The object while something holds it.
    held: Option<Json>,
}

/// Asks for an object's end: it goes at once, or is marked where something holds it.
fn end(call: &Call<'_>, key: &Key, live: &Json, options: &Json) -> Ended {
    let mut object = live.clone();
    let meta = &mut object["metadata"];
    let mut finalizers = meta["finalizers"].as_array().cloned().unwrap_or_default();
    if view::is_node(key) {
        let effects = node(call, &key.name);
        return Ended { held: effects.is_empty().then(|| live.clone()), effects };
    }
    match policy(call, options) {
        "Foreground" => finalizers.push(json!(FOREGROUND)),
        "Orphan" => finalizers.push(json!(ORPHAN)),
        _ => {}
    }
    finalizers.dedup();
    let space = key.group.is_empty() && key.plural == "namespaces";
    let spec = live["spec"]["finalizers"].as_array();
    let content = space && spec.is_none_or(|finalizers| !finalizers.is_empty());
    let grace = grace(key, live, options);
    if finalizers.is_empty() && !content && grace == 0 {
        return Ended { effects: gone(call, key), held: None };
    }
    let fresh = meta.get("deletionTimestamp").is_none();
    if fresh {
        let at = call.now_ms.saturating_add(grace.saturating_mul(1_000));
        meta["deletionTimestamp"] = json!(ids::time(at));
        meta["deletionGracePeriodSeconds"] = json!(grace);
        if let Some(generation) = meta["generation"].as_i64() {
            meta["generation"] = json!(generation + 1);
        }
    }
    if !finalizers.is_empty() {
        meta["finalizers"] = Json::Array(finalizers);
    }
    if space {
        object["status"]["phase"] = json!("Terminating");
    }
    if object == *live {
        return Ended { effects: Vec::new(), held: Some(object) };
    }
    let changes = view::put(call.cluster, key, object.clone());
    let effects = changes.into_iter().map(|change| call.change(change)).collect();
    Ended { effects, held: Some(object) }
}

fn policy<'o>(call: &'o Call<'_>, options: &'o Json) -> &'o str {
    match options["propagationPolicy"].as_str() {
        Some(policy) => policy,
        None if options["orphanDependents"] == true => "Orphan",
        None => call.query.get("propagationPolicy"),
    }
}

/// Seconds that a pod gets to end; 0 for one without a node, and for all else.
fn grace(key: &Key, live: &Json, options: &Json) -> u64 {
    let ended = matches!(live["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if !key.group.is_empty() || key.plural != "pods" || live["spec"]["nodeName"].is_null() || ended
    {
        return 0;
    }
    let asked = options["gracePeriodSeconds"].as_u64();
    asked.or_else(|| live["spec"]["terminationGracePeriodSeconds"].as_u64()).unwrap_or(30)
}

fn options(call: &Call<'_>) -> Result<Json, Refusal> {
    if call.request.body.iter().all(u8::is_ascii_whitespace) || is_binary(call) {
        let seconds = call.query.get("gracePeriodSeconds").parse::<u64>().ok();
        return Ok(seconds.map_or_else(|| json!({}), |grace| json!({"gracePeriodSeconds": grace})));
    }
    let read = check::read(&call.request.body);
    read.map(|(options, _)| options)
        .map_err(|error| Refusal::bad_request(format!("error decoding delete options: {error}")))
}

/// kubectl's drain writes its options as protocol buffers, which the lab takes for none.
fn is_binary(call: &Call<'_>) -> bool {
    call.request.content_type.contains("protobuf")
}

fn only_dry(options: &Json) -> bool {
    options["dryRun"].as_array().is_some_and(|all| all.iter().any(|one| one == "All"))
}

fn success(key: &Key, live: &Json) -> Json {
    let mut details = json!({"name": key.name, "kind": key.plural, "uid": live["metadata"]["uid"]});
    if !key.group.is_empty() {
        details["group"] = json!(key.group);
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details})
}

/// A Node goes as `kubectl delete node` has it: with its etcd member, or not at all.
fn node(call: &Call<'_>, name: &str) -> Vec<ClusterEffect> {
    let mut draft = Draft::of(call.cluster);
    k3s::take_away(&mut draft, name, call.now_ms);
    draft.effects
}
