//! How a write changes a tree: fields that boma owns are replaced, everything else stays.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::resource::{Comparison, Kind, is_sealed};

/// Writes `wanted` at a path of an object's tree.
///
/// `written` is what boma wrote there last: keys and list items that it had and `wanted` has not
/// go away, as with server-side apply. What neither has is somebody else's and stays.
pub fn merge(
    kind: Kind,
    path: &str,
    live: Option<Json>,
    wanted: &Json,
    written: Option<&Json>,
) -> Json {
    let comparison = kind.field(path).comparison;
    match (wanted, comparison) {
        (Json::Object(wanted), _) if !is_sealed(&Json::Object(wanted.clone())) => {
            merge_map(kind, path, live, wanted, written)
        }
        (Json::Array(wanted), Comparison::ListBy(key)) => {
            merge_list(kind, path, key, live, wanted, written)
        }
        _ => wanted.clone(),
    }
}

fn merge_map(
    kind: Kind,
    path: &str,
    live: Option<Json>,
    wanted: &Map<String, Json>,
    written: Option<&Json>,
) -> Json {
    let mut merged = match live {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    };
    let written = written.and_then(Json::as_object);
    for gone in written.into_iter().flat_map(Map::keys).filter(|key| !wanted.contains_key(*key)) {
        merged.remove(gone);
    }
    for (key, value) in wanted {
        let below = format!("{path}.{key}");
        let value =
            merge(kind, &below, merged.remove(key), value, written.and_then(|had| had.get(key)));
        if !value.is_null() {
            merged.insert(key.clone(), value);
        }
    }
    Json::Object(merged)
}

/// Items that stand keep their order; new ones follow in the order wanted.
fn merge_list(
    kind: Kind,
    path: &str,
    key: &str,
    live: Option<Json>,
    wanted: &[Json],
    written: Option<&Json>,
) -> Json {
    let written: &[Json] = written.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let standing = match live {
        Some(Json::Array(items)) => items,
        _ => Vec::new(),
    };
    let find = |items: &[Json], name: Option<&Json>| {
        items.iter().find(|item| item.get(key) == name).cloned()
    };
    let mut seen = BTreeSet::new();
    let mut merged = Vec::new();
    for item in &standing {
        let name = item.get(key);
        seen.insert(name.map(Json::to_string));
        let had = find(written, name);
        match find(wanted, name) {
            Some(wanted) => merged.push(merge(
                kind,
                &below(path, name),
                Some(item.clone()),
                &wanted,
                had.as_ref(),
            )),
            None if had.is_some() => {}
            None => merged.push(item.clone()),
        }
    }
    merged.extend(
        wanted.iter().filter(|item| !seen.contains(&item.get(key).map(Json::to_string))).cloned(),
    );
    Json::Array(merged)
}

fn below(path: &str, name: Option<&Json>) -> String {
    let name = name.and_then(Json::as_str).unwrap_or_default();
    format!("{path}.{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::{Condition, Field, Identity, KindFacts, Layer, Lifecycle};

    const KIND: Kind = Kind::new(&KindFacts {
        name: "test/merged",
        layer: Layer::Cluster,
        fields: &[Field::owned("containers").comparison(Comparison::ListBy("name"))],
        holds_data: false,
        identity: Identity::NaturalKey,
        lifecycle: Lifecycle::Plain,
        freed_first: false,
        ready: Condition::Exists,
        deletable: Condition::Exists,
        deadline_s: 1,
        weight_s: 1,
    });

    fn check(path: &str, live: Json, wanted: Json, written: Option<Json>, expected: Json) {
        assert_eq!(merge(KIND, path, Some(live), &wanted, written.as_ref()), expected);
    }

    #[test]
    fn what_nobody_asked_for_stays() {
        check(
            "labels",
            json!({"theirs": 1}),
            json!({"ours": 2}),
            None,
            json!({"theirs": 1, "ours": 2}),
        );
        let live = json!([{"name": "x", "more": 1}, {"name": "theirs"}]);
        let expected =
            json!([{"name": "x", "more": 1, "cpu": 2}, {"name": "theirs"}, {"name": "y"}]);
        check("containers", live, json!([{"name": "y"}, {"name": "x", "cpu": 2}]), None, expected);
    }

    #[test]
    fn what_was_written_and_is_not_wanted_goes() {
        check(
            "labels",
            json!({"a": 1, "b": 1}),
            json!({"a": 1}),
            Some(json!({"a": 1, "b": 1})),
            json!({"a": 1}),
        );
        let both = json!([{"name": "x"}, {"name": "y"}]);
        check(
            "containers",
            both.clone(),
            json!([{"name": "x"}]),
            Some(both),
            json!([{"name": "x"}]),
        );
    }

    #[test]
    fn other_lists_and_scalars_are_replaced() {
        check("tags", json!(["a"]), json!(["b"]), None, json!(["b"]));
        check("cpus", json!(4), json!(8), None, json!(8));
    }
}
