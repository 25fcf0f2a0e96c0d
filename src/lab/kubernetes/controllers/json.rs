//! Reading objects.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::lab::kubernetes::Key;

/// An object with what it is stored under.
pub(super) type Stored = (Key, Arc<Json>);

/// A text within an object; empty where there is none.
pub(super) fn text<'a>(object: &'a Json, path: &str) -> &'a str {
    at(object, path).and_then(Json::as_str).unwrap_or_default()
}

/// A whole number within an object.
pub(super) fn number(object: &Json, path: &str) -> Option<i64> {
    at(object, path).and_then(Json::as_i64)
}

/// Whether a flag within an object is set.
pub(super) fn flag(object: &Json, path: &str) -> bool {
    at(object, path).and_then(Json::as_bool).unwrap_or_default()
}

/// A list within an object; empty where there is none.
pub(super) fn list<'a>(object: &'a Json, path: &str) -> &'a [Json] {
    at(object, path).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A map within an object.
pub(super) fn map<'a>(object: &'a Json, path: &str) -> Option<&'a Map<String, Json>> {
    at(object, path).and_then(Json::as_object)
}

/// What is at a path of plain keys and positions: `/spec/containers/0/name`. A JSON pointer would
/// find the same, but makes each key anew without its escapes, and controllers look at every pod in
/// every round.
fn at<'a>(object: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('/').skip(1).try_fold(object, |object, key| match object {
        Json::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => object.get(key),
    })
}

/// One annotation.
pub(super) fn annotation<'a>(object: &'a Json, name: &str) -> &'a str {
    object["metadata"]["annotations"][name].as_str().unwrap_or_default()
}

pub(super) fn uid(object: &Json) -> &str {
    text(object, "/metadata/uid")
}

/// Whether somebody has asked for its end.
pub(super) fn is_going(object: &Json) -> bool {
    object["metadata"].get("deletionTimestamp").is_some()
}

/// The uid of the controller that an object belongs to.
pub(super) fn owner(object: &Json) -> Option<&str> {
    let owners = list(object, "/metadata/ownerReferences").iter();
    owners.into_iter().find(|owner| owner["controller"] == true)?["uid"].as_str()
}

/// An owner reference to a controller.
pub(super) fn owned(object: &Json, api: &str, kind: &str) -> Json {
    serde_json::json!({
        "apiVersion": api, "kind": kind, "name": text(object, "/metadata/name"),
        "uid": uid(object), "controller": true, "blockOwnerDeletion": true,
    })
}

/// Whether a label selector meets labels. An empty one meets all, an absent one none.
pub(super) fn selects(selector: &Json, labels: &Json) -> bool {
    let Some(selector) = selector.as_object() else { return false };
    let exact = selector.get("matchLabels").and_then(Json::as_object);
    let exact = exact.into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let terms = selector.get("matchExpressions").and_then(Json::as_array);
    exact && terms.into_iter().flatten().all(|term| meets(term, labels))
}

/// One requirement of a selector, of labels or of a node's affinity.
pub(super) fn meets(term: &Json, labels: &Json) -> bool {
    let value = labels.get(text(term, "/key")).and_then(Json::as_str);
    let among = || value.is_some_and(|value| list(term, "/values").iter().any(|v| v == value));
    let compare = |order: fn(&i64, &i64) -> bool| {
        let wanted = list(term, "/values").first().and_then(Json::as_str);
        let pair = value.and_then(|v| v.parse().ok()).zip(wanted.and_then(|v| v.parse().ok()));
        pair.is_some_and(|(value, wanted)| order(&value, &wanted))
    };
    match text(term, "/operator") {
        "In" => among(),
        "NotIn" => !among(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare(i64::gt),
        "Lt" => compare(i64::lt),
        _ => false,
    }
}

/// Whether a plain selector (`spec.selector` of a Service) meets labels. An empty one meets none.
pub(super) fn has_labels(selector: &Json, labels: &Json) -> bool {
    let Some(selector) = selector.as_object().filter(|map| !map.is_empty()) else { return false };
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// An annotation or label map with one more entry.
pub(super) fn insert(object: &mut Json, place: &str, name: &str, value: &str) {
    if !object["metadata"][place].is_object() {
        object["metadata"][place] = Json::Object(Map::new());
    }
    object["metadata"][place][name] = Json::from(value);
}
