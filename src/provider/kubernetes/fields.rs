//! What of an object boma owns, by its managedFields.
//!
//! The format is `FieldsV1` of structured-merge-diff: `f:NAME` is a key of a map, `k:{…}` an item
//! of a list by its keys, `v:VALUE` an item of a set, `i:INDEX` one of a plain list; `.` stands for
//! the thing itself, and an empty map for all of it.

use serde_json::{Map, Value as Json, json};

/// As whom boma writes.
pub const MANAGER: &str = "boma";

/// The sub-tree of an object's live values that boma applied, as a part of a manifest. Null where
/// boma applied nothing.
pub fn applied(live: &Json) -> Json {
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut own = entries.filter(|entry| {
        entry["manager"] == MANAGER
            && entry["operation"] == "Apply"
            && entry["subresource"].is_null()
    });
    own.next().and_then(|entry| pick(&entry["fieldsV1"], live)).unwrap_or_default()
}

/// The keys and values of a list item's name: `{"name":"x"}` of `k:{"name":"x"}`. `None` for names
/// of other things.
pub fn item_keys(name: &str) -> Option<Map<String, Json>> {
    serde_json::from_str(name.strip_prefix("k:")?).ok()
}

/// Whether an item has these keys and values.
pub fn is_item(item: &Json, keys: &Map<String, Json>) -> bool {
    keys.iter().all(|(key, value)| item.get(key) == Some(value))
}

fn pick(fields: &Json, live: &Json) -> Option<Json> {
    let fields = fields.as_object()?;
    if fields.is_empty() {
        // A map that is owned as a whole may hold defaults of the server, too: boma has no say in
        // what is in it without a record of what it sent.
        return Some(if live.is_object() { json!({}) } else { live.clone() });
    }
    match live {
        Json::Object(map) => Some(Json::Object(pick_keys(fields, map))),
        Json::Array(items) => {
            let picked = items.iter().enumerate();
            Some(picked.filter_map(|(at, item)| pick_item(fields, at, item)).collect())
        }
        scalar => Some(scalar.clone()),
    }
}

fn pick_keys(fields: &Map<String, Json>, map: &Map<String, Json>) -> Map<String, Json> {
    let owned = fields.iter().filter_map(|(name, below)| {
        let key = name.strip_prefix("f:")?;
        Some((key.to_owned(), pick(below, map.get(key)?)?))
    });
    owned.collect()
}

/// An item that is owned, or of which something is; with its keys, so that it can be told.
fn pick_item(fields: &Map<String, Json>, at: usize, item: &Json) -> Option<Json> {
    fields.iter().find_map(|(name, below)| {
        if let Some(keys) = item_keys(name) {
            if !is_item(item, &keys) {
                return None;
            }
            let mut picked = pick(below, item)?;
            picked.as_object_mut()?.extend(keys);
            return Some(picked);
        }
        let is_it = match name.split_once(':')? {
            ("v", value) => serde_json::from_str::<Json>(value).is_ok_and(|value| value == *item),
            ("i", index) => index.parse() == Ok(at),
            _ => false,
        };
        is_it.then(|| item.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: Json, live: Json, expected: Json) {
        let mut live = live;
        live["metadata"]["managedFields"] = json!([
            {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {}}},
            {"manager": "boma", "operation": "Apply", "fieldsV1": fields},
        ]);
        assert_eq!(applied(&live), expected);
    }

    #[test]
    fn what_boma_applied_is_taken_out_of_what_is_live() {
        check(
            json!({
                "f:metadata": {"f:labels": {"f:app.kubernetes.io/name": {}}},
                "f:spec": {
                    "f:selector": {},
                    "f:template": {"f:spec": {"f:containers": {
                        "k:{\"name\":\"x\"}": {
                            ".": {}, "f:name": {}, "f:image": {},
                            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":
                                {".": {}, "f:containerPort": {}}},
                        },
                    }}},
                },
            }),
            json!({
                "metadata": {"labels": {"app.kubernetes.io/name": "x", "other": "y"}},
                "spec": {
                    "replicas": 1,
                    "selector": {"matchLabels": {"app": "x"}},
                    "template": {"spec": {"containers": [
                        {"name": "side", "image": "s"},
                        {"name": "x", "image": "i", "imagePullPolicy": "Always", "ports": [
                            {"containerPort": 80, "protocol": "UDP"},
                            {"containerPort": 80, "protocol": "TCP", "name": "http"}]},
                    ]}},
                },
            }),
            json!({
                "metadata": {"labels": {"app.kubernetes.io/name": "x"}},
                "spec": {
                    "selector": {},
                    "template": {"spec": {"containers": [
                        {"name": "x", "image": "i",
                            "ports": [{"containerPort": 80, "protocol": "TCP"}]},
                    ]}},
                },
            }),
        );
    }

    #[test]
    fn sets_and_things_without_content_are_kept() {
        check(
            json!({"f:finalizers": {".": {}, "v:\"a\"": {}}, "f:spec": {"f:empty": {}, "f:gone": {}}}),
            json!({"finalizers": ["a", "b"], "spec": {"empty": {}}}),
            json!({"finalizers": ["a"], "spec": {"empty": {}}}),
        );
    }

    #[test]
    fn an_object_that_boma_never_applied_has_nothing_of_it() {
        assert_eq!(
            applied(&json!({"metadata": {"managedFields": [
            {"manager": "boma", "operation": "Update", "fieldsV1": {"f:spec": {}}}]}, "spec": {}})),
            Json::Null
        );
    }
}
