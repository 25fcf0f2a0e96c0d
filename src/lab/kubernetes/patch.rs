//! Patches that are no apply: JSON Patch, merge patch, strategic merge patch.

use serde_json::{Map, Value as Json};

use super::fields::step;
use super::refusal::Refusal;
use super::shape::{Items, Shape};

/// RFC 7396.
pub(super) fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Json::Object(Map::new());
    }
    let Json::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Json::Null), value);
        }
    }
}

/// RFC 6902.
///
/// # Errors
/// 422 for an operation that cannot be done, with the server's words.
pub(super) fn json(target: &mut Json, patch: &Json) -> Result<(), Refusal> {
    let refused = |why: String| {
        Refusal::new(
            422,
            "Invalid",
            format!("the server rejected our request due to an error in our request: {why}"),
        )
    };
    for operation in patch.as_array().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or_default();
        let value = operation.get("value").cloned().unwrap_or(Json::Null);
        let done = match operation["op"].as_str().unwrap_or_default() {
            "add" => add(target, path, value),
            "remove" => take(target, path).map(|_| ()),
            "replace" => target.pointer_mut(path).map(|place| *place = value),
            "test" => (target.pointer(path).unwrap_or(&Json::Null) == &value).then_some(()),
            "copy" | "move" => {
                let from = operation["from"].as_str().unwrap_or_default();
                let value = match operation["op"].as_str() {
                    Some("move") => take(target, from),
                    _ => target.pointer(from).cloned(),
                };
                value.and_then(|value| add(target, path, value))
            }
            _ => None,
        };
        if done.is_none() {
            let op = operation["op"].as_str().unwrap_or_default();
            return Err(refused(format!(
                "{op} operation does not apply: doc is missing path: {path}"
            )));
        }
    }
    Ok(())
}

/// The pointer of the parent, and the last step.
fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Json, path: &str, value: Json) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    let (parent, last) = split(path)?;
    match target.pointer_mut(parent)? {
        Json::Object(map) => {
            map.insert(last, value);
        }
        Json::Array(list) if last == "-" => list.push(value),
        Json::Array(list) => {
            let index: usize = last.parse().ok()?;
            (index <= list.len()).then(|| list.insert(index, value))?;
        }
        _ => return None,
    }
    Some(())
}

fn take(target: &mut Json, path: &str) -> Option<Json> {
    let (parent, last) = split(path)?;
    match target.pointer_mut(parent)? {
        Json::Object(map) => map.remove(&last),
        Json::Array(list) => {
            let index: usize = last.parse().ok()?;
            (index < list.len()).then(|| list.remove(index))
        }
        _ => None,
    }
}

/// Kubernetes' own: lists by keys are merged item by item.
pub(super) fn strategic(target: &mut Json, patch: &Json, shape: &Shape) {
    let (Json::Object(standing), Json::Object(patch)) = (&mut *target, patch) else {
        target.clone_from(patch);
        return;
    };
    if patch.get("$patch").is_some_and(|directive| directive == "replace") {
        let rest = patch.iter().filter(|(key, _)| *key != "$patch");
        *target = Json::Object(rest.map(|(key, value)| (key.clone(), value.clone())).collect());
        return;
    }
    if let Some(kept) = patch.get("$retainKeys").and_then(Json::as_array) {
        standing.retain(|key, _| kept.iter().any(|one| one == key));
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let inner = shape.below(key).unwrap_or(Shape::Any);
        match (standing.get_mut(key), value) {
            (_, Json::Null) => {
                standing.remove(key);
            }
            (Some(Json::Array(list)), Json::Array(patch)) => lists(list, patch, &inner),
            (Some(old @ Json::Object(_)), Json::Object(_)) => strategic(old, value, &inner),
            (_, value) => {
                standing.insert(key.clone(), clean(value));
            }
        }
    }
    for (key, value) in patch {
        if let Some(name) = key.strip_prefix("$deleteFromPrimitiveList/")
            && let (Some(Json::Array(list)), Json::Array(gone)) = (standing.get_mut(name), value)
        {
            list.retain(|one| !gone.contains(one));
        }
        if let Some(name) = key.strip_prefix("$setElementOrder/")
            && let (Some(Json::Array(list)), Json::Array(order), Some(shape)) =
                (standing.get_mut(name), value, shape.below(name))
        {
            sort(list, order, &shape);
        }
    }
}

fn lists(list: &mut Vec<Json>, patch: &[Json], shape: &Shape) {
    let is = |item: &Json, directive: &str| item["$patch"] == directive;
    let Shape::List(item, kind) = shape else {
        *list = patch.iter().map(clean).collect();
        return;
    };
    if *kind == Items::Atomic || patch.iter().any(|one| is(one, "replace")) {
        *list = patch.iter().filter(|one| !is(one, "replace")).map(clean).collect();
        return;
    }
    for one in patch {
        let own = step(one, item, kind);
        let place = list.iter().position(|standing| step(standing, item, kind) == own);
        match place {
            Some(index) if is(one, "delete") => {
                list.remove(index);
            }
            Some(index) => {
                if let Some(standing) = list.get_mut(index) {
                    strategic(standing, one, item);
                }
            }
            None if is(one, "delete") => {}
            None => list.push(clean(one)),
        }
    }
}

fn sort(list: &mut [Json], order: &[Json], shape: &Shape) {
    let Shape::List(item, kind) = shape else { return };
    let place = |one: &Json| {
        let own = step(one, item, kind);
        order.iter().position(|wanted| step(wanted, item, kind) == own).unwrap_or(usize::MAX)
    };
    list.sort_by_key(place);
}

/// A new value without directives and nulls.
fn clean(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let keep = map.iter().filter(|(key, value)| !key.starts_with('$') && !value.is_null());
            Json::Object(keep.map(|(key, value)| (key.clone(), clean(value))).collect())
        }
        Json::Array(list) => {
            let gone = |one: &&Json| one["$patch"] == "delete";
            Json::Array(list.iter().filter(|one| !gone(one)).map(clean).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_removes_with_null() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut target, &json!({"a": {"b": null, "e": 3}, "d": [2]}));
        assert_eq!(target, json!({"a": {"c": 2, "e": 3}, "d": [2]}));
    }

    #[test]
    fn a_json_patch_does_its_operations_in_order() {
        let mut target = json!({"a": {"x/y": 1}, "l": [1, 3]});
        let patch = json!([
            {"op": "test", "path": "/a/x~1y", "value": 1},
            {"op": "replace", "path": "/a/x~1y", "value": 2},
            {"op": "add", "path": "/l/1", "value": 2},
            {"op": "move", "from": "/a", "path": "/b"},
            {"op": "remove", "path": "/l/0"}]);
        json(&mut target, &patch).unwrap();
        assert_eq!(target, json!({"b": {"x/y": 2}, "l": [2, 3]}));
        let missing = json!([{"op": "remove", "path": "/nothing"}]);
        assert_eq!(json(&mut target, &missing).unwrap_err().code, 422);
    }

    #[test]
    fn a_strategic_patch_merges_lists_by_keys() {
        let shape = Shape::of_kind("PodSpec").unwrap();
        let mut target = json!({"containers": [{"name": "a", "image": "1"}, {"name": "b"}],
            "tolerations": [{"key": "x"}]});
        let patch = json!({
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}, {"name": "c"}],
            "tolerations": [{"key": "y"}]});
        strategic(&mut target, &patch, &shape);
        assert_eq!(
            target,
            json!({"containers": [{"name": "c"}, {"name": "a", "image": "2"}],
                "tolerations": [{"key": "y"}]})
        );
    }
}
