//! The number of replicas, as a resource of its own.

use serde_json::{Value as Json, json};

use super::call::{Answer, Call};
use super::refusal::Refusal;
use super::{check, patch, write};

/// GET, PUT and PATCH of the number of replicas.
///
/// # Errors
/// As for the object itself.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (key, live) = call.found()?;
    let current = scale_of(&live);
    let wanted = match call.request.method.as_str() {
        "GET" => return Ok(Answer::json(200, &current)),
        "PUT" => check::read(&call.request.body).map(|(value, _)| value),
        _ => check::read(&call.request.body).map(|(value, _)| {
            let mut merged = current.clone();
            patch::merge(&mut merged, &value);
            merged
        }),
    };
    let wanted = wanted.map_err(|error| Refusal::bad_request(error.to_string()))?;
    let mut object = (*live).clone();
    object["spec"]["replicas"] = wanted["spec"]["replicas"].clone();
    let mut answer = write::change(call, &key, &live, object.clone())?;
    answer.body = serde_json::to_vec(&scale_of(&object)).unwrap_or_default();
    Ok(answer)
}

fn scale_of(object: &Json) -> Json {
    let meta = &object["metadata"];
    json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"]},
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {"replicas": object["status"]["replicas"].as_i64().unwrap_or(0)},
    })
}
