//! Creating and changing objects.

use serde_json::{Map, Value as Json, json};

use super::admission;
use super::body::{self, Body};
use super::call::{Answer, Call};
use super::check;
use super::crd;
use super::defaults::defaults;
use super::delete;
use super::immutable;
use super::kept;
use super::key::Key;
use super::managed;
use super::patch;
use super::refusal::{Problem, Refusal};
use super::validate;
use super::view;
use crate::lab::k3s::ids;

/// POST to a collection.
///
/// # Errors
/// What is against the new object.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut object = body::read(call)?.object;
    body::address(call, &mut object, "")?;
    generate_name(call, &mut object);
    let key = call.resource.key_of(&object);
    if call.live(&key).is_some() {
        admission::namespace(call, &key)?;
        return Err(Refusal::already_exists(&key));
    }
    let object = born(call, &key, object, |call, object| {
        managed::track(&Json::Null, object, &call.resource.shape, call.writer());
        Ok(())
    })?;
    finish(call, &key, 201, object)
}

/// PUT of an object.
///
/// # Errors
/// What is against it.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (key, live) = call.found()?;
    let mut object = body::read(call)?.object;
    body::address(call, &mut object, &call.target.name)?;
    if call.resource.custom
        && object["metadata"]["resourceVersion"].as_str().is_none_or(str::is_empty)
    {
        let why = "must be specified for an update";
        let problem = Problem::invalid("metadata.resourceVersion", &json!(0), why);
        return Err(call.invalid(&key.name, &[problem]));
    }
    change(call, &key, &live, object)
}

/// PATCH of an object.
///
/// # Errors
/// What is against it.
pub(super) fn patch(call: &Call<'_>) -> Result<Answer, Refusal> {
    let media = call.request.content_type.split(';').next().unwrap_or_default().trim();
    if media == "application/apply-patch+yaml" {
        return apply(call);
    }
    let (key, live) = call.found()?;
    let (patch, twice) = check::read(&call.request.body)
        .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
    let mut object = (*live).clone();
    match media {
        "application/json-patch+json" => patch::json(&mut object, &patch)?,
        "application/merge-patch+json" => patch::merge(&mut object, &patch),
        "application/strategic-merge-patch+json" if !call.resource.custom => {
            patch::strategic(&mut object, &patch, &call.resource.shape);
        }
        other => return Err(Refusal::media_type(other)),
    }
    let Body { mut object } = body::check(call, object, twice)?;
    body::address(call, &mut object, &call.target.name)?;
    change(call, &key, &live, object)
}

/// Server-side apply.
fn apply(call: &Call<'_>) -> Result<Answer, Refusal> {
    let key = call.key();
    if call.query.get("fieldManager").is_empty() {
        let problem = Problem::required("fieldManager");
        let message = "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
        let refusal = Refusal::invalid("meta.k8s.io", "PatchOptions", "", &[problem]);
        return Err(Refusal { message: message.to_owned(), ..refusal });
    }
    let config = body::configuration(call)?;
    let force = call.query.flag("force");
    let shape = &call.resource.shape;
    let Some(live) = call.live(&key) else {
        if config["metadata"]["uid"].is_string() {
            return Err(Refusal::conflict(
                &key,
                "uid mismatch: the provided object specified uid, and no existing object was found",
            ));
        }
        let nothing = json!({"metadata": {}});
        let object = born(call, &key, config, |call, object| {
            let config = std::mem::take(object);
            *object = managed::apply(&nothing, &config, shape, call.writer(), force)?;
            Ok(())
        })?;
        return finish(call, &key, 201, object);
    };
    preconditions(&key, &live, &config)?;
    let mut object = managed::apply(&live, &config, shape, call.writer(), force)?;
    let managers = object["metadata"]["managedFields"].clone();
    kept::restore(call, &live, &mut object);
    if managers.is_array() {
        object["metadata"]["managedFields"] = managers;
    }
    settle(call, &key, &live, object)
}

/// A new object: `own` writes its managers, when the defaults of other writes are known.
fn born(
    call: &Call<'_>,
    key: &Key,
    mut object: Json,
    own: impl FnOnce(&Call<'_>, &mut Json) -> Result<(), Refusal>,
) -> Result<Json, Refusal> {
    admission::namespace(call, key)?;
    if view::is_node(key) {
        return Err(Refusal::forbidden(key, "only kubelets register nodes in the lab"));
    }
    let applied = call.request.method == "PATCH";
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if !applied {
        defaults(&call.resource, &mut object);
    }
    own(call, &mut object)?;
    head(call, &mut object);
    defaults(&call.resource, &mut object);
    stamp(call, key, &mut object);
    admission::admit(call, key, &mut object)?;
    let problems = validate::problems(&call.resource, &object);
    if !problems.is_empty() {
        return Err(call.invalid(&key.name, &problems));
    }
    first_status(call, &mut object);
    Ok(object)
}

/// Makes the live object into another: system fields stay, owners are noted.
///
/// # Errors
/// What is against it.
pub(super) fn change(
    call: &Call<'_>,
    key: &Key,
    live: &Json,
    mut object: Json,
) -> Result<Answer, Refusal> {
    preconditions(key, live, &object)?;
    let books = managed::given(&object).filter(|_| call.target.subresource.is_empty());
    kept::restore(call, live, &mut object);
    if let Some(books) = books {
        object["metadata"]["managedFields"] = books;
    }
    defaults(&call.resource, &mut object);
    managed::track(live, &mut object, &call.resource.shape, call.writer());
    settle(call, key, live, object)
}

/// Checks a changed object and stores it.
fn settle(call: &Call<'_>, key: &Key, live: &Json, mut object: Json) -> Result<Answer, Refusal> {
    head(call, &mut object);
    defaults(&call.resource, &mut object);
    let mut problems = validate::problems(&call.resource, &object);
    if call.target.subresource.is_empty() {
        problems.extend(immutable::problems(&call.resource, live, &object));
        problems.extend(kept::finalizers(live, &object));
    }
    if view::is_node(key) {
        problems.extend(kept::provider_id(live, &object));
    }
    if !problems.is_empty() {
        return Err(call.invalid(&key.name, &problems));
    }
    if object == *live {
        return Ok(Answer::json(200, live));
    }
    generation(call, live, &mut object);
    let going = live["metadata"].get("deletionTimestamp").is_some();
    let held = object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
    let space = object["spec"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
    if going && !held && !(key.plural == "namespaces" && space) && key.plural != "pods" {
        return Ok(call.done(Answer::json(200, &object), delete::gone(call, key)));
    }
    finish(call, key, 200, object)
}

/// Stores and answers.
fn finish(call: &Call<'_>, key: &Key, status: u16, mut object: Json) -> Result<Answer, Refusal> {
    let changes = view::put(call.cluster, key, object.clone());
    let revision = call.cluster.revision + changes.len() as u64;
    object["metadata"]["resourceVersion"] = json!(revision.to_string());
    let effects = changes.into_iter().map(|change| call.change(change)).collect();
    Ok(call.done(Answer::json(status, &object), effects))
}

fn head(call: &Call<'_>, object: &mut Json) {
    object["apiVersion"] = json!(call.api);
    object["kind"] = json!(call.resource.kind);
}

fn generate_name(call: &Call<'_>, object: &mut Json) {
    let meta = &object["metadata"];
    if meta["name"].as_str().is_none_or(str::is_empty)
        && let Some(base) = meta["generateName"].as_str()
    {
        let revision = call.cluster.revision.to_string();
        let drawn = ids::short(call.cluster.seed, &[&call.cluster.id, base, &revision], 5);
        object["metadata"]["name"] = json!(format!("{base}{drawn}"));
    }
}

/// What the server writes into the metadata of a new object.
fn stamp(call: &Call<'_>, key: &Key, object: &mut Json) {
    let cluster = call.cluster;
    let revision = cluster.revision.to_string();
    let meta = &mut object["metadata"];
    let drawn = [cluster.id.as_str(), "object", &key.to_string(), &revision];
    meta["uid"] = json!(ids::uuid(cluster.seed, &drawn));
    meta["creationTimestamp"] = json!(call.time);
    meta["name"] = json!(key.name);
    if call.resource.namespaced {
        meta["namespace"] = json!(key.namespace);
    }
    if has_generation(call) {
        meta["generation"] = json!(1);
    }
    if let Some(meta) = meta.as_object_mut() {
        for field in
            ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"]
        {
            meta.remove(field);
        }
    }
}

/// Kinds whose `metadata.generation` counts changes of their spec.
fn has_generation(call: &Call<'_>) -> bool {
    let resource = &call.resource;
    resource.custom
        || matches!(
            (resource.group.as_str(), resource.kind.as_str()),
            ("apps" | "batch" | "networking.k8s.io" | "policy", _)
                | ("apiextensions.k8s.io" | "admissionregistration.k8s.io", _)
                | ("", "Pod")
        )
}

/// What counts for the generation: all but metadata and status.
fn rest(object: &Json) -> Map<String, Json> {
    let mut map = object.as_object().cloned().unwrap_or_default();
    for field in ["metadata", "status", "apiVersion", "kind"] {
        map.remove(field);
    }
    map
}

fn generation(call: &Call<'_>, live: &Json, object: &mut Json) {
    if has_generation(call) && rest(live) != rest(object) {
        let before = live["metadata"]["generation"].as_i64().unwrap_or(1);
        object["metadata"]["generation"] = json!(before + 1);
    }
}

fn first_status(call: &Call<'_>, object: &mut Json) {
    let status = match (call.resource.group.as_str(), call.resource.kind.as_str()) {
        ("", "Namespace") => json!({"phase": "Active"}),
        ("", "PersistentVolumeClaim" | "PersistentVolume") => json!({"phase": "Pending"}),
        ("", "Pod") => json!({"phase": "Pending", "qosClass": "Burstable"}),
        ("", "Service") => json!({"loadBalancer": {}}),
        ("apps", "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet") | ("batch", _) => {
            json!({})
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            crd::status(&object["spec"], &call.time)
        }
        _ => return,
    };
    object["status"] = status;
}

/// Whether the version that a body was read at is the live one, and the uid is its.
fn preconditions(key: &Key, live: &Json, object: &Json) -> Result<(), Refusal> {
    let meta = &object["metadata"];
    let version = meta["resourceVersion"].as_str().unwrap_or_default();
    if !version.is_empty() && live["metadata"]["resourceVersion"] != version {
        return Err(Refusal::modified(key));
    }
    delete::same_uid(key, live, meta["uid"].as_str())
}
