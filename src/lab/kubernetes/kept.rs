//! What a write leaves as it was.

use serde_json::Value as Json;

use super::call::Call;
use super::refusal::Problem;

/// Puts back what this request may not change: system fields, and the status or all but it.
pub(super) fn restore(call: &Call<'_>, live: &Json, object: &mut Json) {
    if call.target.subresource == "status" {
        let mut whole = live.clone();
        match object.get("status") {
            Some(status) => whole["status"] = status.clone(),
            None => {
                whole.as_object_mut().map(|map| map.remove("status"));
            }
        }
        for field in ["labels", "annotations", "finalizers"] {
            if let Some(value) = object["metadata"].get(field) {
                whole["metadata"][field] = value.clone();
            }
        }
        *object = whole;
        return;
    }
    let own_status = call.resource.has("status");
    copy(live, object, "", if own_status { &["status"] } else { &[] });
    copy(
        live,
        object,
        "metadata",
        &[
            "uid",
            "name",
            "namespace",
            "creationTimestamp",
            "generation",
            "resourceVersion",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generateName",
            "managedFields",
        ],
    );
    // A Service keeps the addresses that it was given.
    if call.resource.is("", "Service") && object["spec"]["type"] != "ExternalName" {
        for field in ["clusterIP", "clusterIPs"] {
            let unset = object["spec"][field].is_null() || object["spec"][field] == "";
            if unset && live["spec"].get(field).is_some() {
                object["spec"][field] = live["spec"][field].clone();
            }
        }
    }
}

fn copy(live: &Json, object: &mut Json, parent: &str, fields: &[&str]) {
    let (from, to) = match parent {
        "" => (live, object),
        parent => (&live[parent], &mut object[parent]),
    };
    let Some(to) = to.as_object_mut() else { return };
    for field in fields {
        match from.get(field) {
            Some(value) => to.insert((*field).to_owned(), value.clone()),
            None => to.remove(*field),
        };
    }
}

/// No finalizer may be added to an object that is being deleted.
pub(super) fn finalizers(live: &Json, object: &Json) -> Option<Problem> {
    live["metadata"].get("deletionTimestamp")?;
    let list =
        |object: &Json| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let (before, after) = (list(live), list(object));
    let new: Vec<&Json> = after.iter().filter(|one| !before.contains(one)).collect();
    (!new.is_empty()).then(|| {
        let why =
            "no new finalizers can be added if the object is being deleted, found new finalizers";
        Problem::forbidden("metadata.finalizers", why)
    })
}

/// A Node's provider id is set once.
pub(super) fn provider_id(live: &Json, object: &Json) -> Option<Problem> {
    let before = live["spec"]["providerID"].as_str().unwrap_or_default();
    let changed = !before.is_empty() && object["spec"]["providerID"] != before;
    changed.then(|| {
        let why = "node updates may not change providerID except from \"\" to valid";
        Problem::forbidden("spec.providerID", why)
    })
}
