//! Merging what somebody applies into what stands, and telling two values apart.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::fields::{Fields, step};
use super::shape::{Items, Shape};

/// What makes one value into another.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparison {
    /// Paths that are new or have another value.
    pub changed: Fields,
    pub removed: Fields,
}

/// Lays an applied configuration over a live value. Lists by keys take the order of what is
/// applied; items that only the live list has stay before what they stood before.
pub(super) fn merge(live: &Json, applied: &Json, shape: &Shape) -> Json {
    if shape.is_atomic() {
        return applied.clone();
    }
    match (live, applied, shape) {
        (Json::Object(live), Json::Object(applied), _) => {
            let mut merged = live.clone();
            for (key, value) in applied {
                let inner = shape.below(key).unwrap_or(Shape::Any);
                let value = match live.get(key) {
                    Some(live) => merge(live, value, &inner),
                    None => value.clone(),
                };
                merged.insert(key.clone(), value);
            }
            Json::Object(merged)
        }
        (Json::Array(live), Json::Array(applied), Shape::List(item, items)) => {
            Json::Array(merge_lists(live, applied, item, items))
        }
        _ => applied.clone(),
    }
}

fn merge_lists(live: &[Json], applied: &[Json], item: &Shape, items: &Items) -> Vec<Json> {
    let live: Vec<(String, &Json)> =
        live.iter().map(|value| (step(value, item, items), value)).collect();
    let applied: Vec<(String, &Json)> =
        applied.iter().map(|value| (step(value, item, items), value)).collect();
    let standing: BTreeMap<&str, &Json> =
        live.iter().map(|(step, value)| (step.as_str(), *value)).collect();
    let shared = |step: &str| applied.iter().any(|(other, _)| other == step);
    let mut merged = Vec::new();
    let mut rest = live.iter().peekable();
    for (step, value) in &applied {
        while let Some((_, own)) = rest.next_if(|(step, _)| !shared(step)) {
            merged.push((*own).clone());
        }
        rest.next();
        merged.push(match standing.get(step.as_str()) {
            Some(live) => merge(live, value, item),
            None => (*value).clone(),
        });
    }
    merged.extend(rest.filter(|(step, _)| !shared(step)).map(|(_, own)| (*own).clone()));
    merged
}

/// Tells what has changed. The order of lists by keys counts as nothing here.
pub(super) fn compare(old: &Json, new: &Json, shape: &Shape) -> Comparison {
    let mut comparison = Comparison::default();
    differ(old, new, shape, &mut comparison.changed, &mut comparison.removed);
    comparison.changed = pruned(comparison.changed);
    comparison.removed = pruned(comparison.removed);
    comparison
}

fn differ(old: &Json, new: &Json, shape: &Shape, changed: &mut Fields, removed: &mut Fields) {
    if old == new {
        return;
    }
    if shape.is_atomic() {
        changed.here = true;
        return;
    }
    match (old, new, shape) {
        (Json::Object(old), Json::Object(new), _) => {
            let key = |key: &String| format!("f:{key}");
            let pairs = |map: &Map<String, Json>| -> Vec<(String, Json, Shape)> {
                let below = |name: &String| shape.below(name).unwrap_or(Shape::Any);
                map.iter().map(|(name, value)| (key(name), value.clone(), below(name))).collect()
            };
            differ_in(&pairs(old), &pairs(new), changed, removed);
        }
        (Json::Array(old), Json::Array(new), Shape::List(item, items)) => {
            let steps = |list: &[Json]| -> Vec<(String, Json, Shape)> {
                let one =
                    |value: &Json| (step(value, item, items), value.clone(), (**item).clone());
                list.iter().map(one).collect()
            };
            differ_in(&steps(old), &steps(new), changed, removed);
        }
        _ => changed.here = true,
    }
}

fn differ_in(
    old: &[(String, Json, Shape)],
    new: &[(String, Json, Shape)],
    changed: &mut Fields,
    removed: &mut Fields,
) {
    let standing: BTreeMap<&str, &Json> =
        old.iter().map(|(step, value, _)| (step.as_str(), value)).collect();
    for (step, value, shape) in new {
        match standing.get(step.as_str()) {
            Some(old) => differ(old, value, shape, changed.step(step), removed.step(step)),
            None => {
                let below = changed.step(step);
                below.add(&whole(value, shape));
                below.here = true;
            }
        }
    }
    let kept: std::collections::BTreeSet<&str> =
        new.iter().map(|(step, _, _)| step.as_str()).collect();
    for (step, value, shape) in old.iter().filter(|(step, _, _)| !kept.contains(step.as_str())) {
        let below = removed.step(step);
        below.add(&whole(value, shape));
        below.here = true;
    }
}

/// A value with every map and struct inside as a member.
fn whole(value: &Json, shape: &Shape) -> Fields {
    let mut set = Fields::of(value, shape);
    set.add(&set.closed());
    set
}

fn pruned(set: Fields) -> Fields {
    let below = set.below.into_iter().map(|(step, below)| (step, pruned(below)));
    Fields { here: set.here, below: below.filter(|(_, below)| !below.is_empty()).collect() }
}

/// Takes away what a set has.
pub(super) fn remove(value: &mut Json, shape: &Shape, set: &Fields) {
    match (value, shape) {
        (Json::Object(map), _) => {
            for (step, below) in &set.below {
                let Some(key) = step.strip_prefix("f:") else { continue };
                if below.here {
                    map.remove(key);
                } else if let (Some(value), Some(inner)) = (map.get_mut(key), shape.below(key)) {
                    remove(value, &inner, below);
                }
            }
        }
        (Json::Array(items), Shape::List(item, kind)) => {
            items.retain_mut(|value| match set.below.get(&step(value, item, kind)) {
                Some(below) if below.here => false,
                Some(below) => {
                    remove(value, item, below);
                    true
                }
                None => true,
            });
        }
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Shape {
        Shape::of_kind("PodSpec").unwrap()
    }

    fn check(live: Json, applied: Json, expected: Json) {
        assert_eq!(merge(&live, &applied, &pod()), expected);
    }

    fn names(names: &[&str]) -> Json {
        json!({"volumes": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()})
    }

    #[test]
    fn lists_by_keys_merge_in_the_order_that_is_applied() {
        check(names(&["a", "b", "c"]), names(&["c", "a"]), names(&["c", "b", "a"]));
        check(names(&["x", "a"]), names(&["a", "n"]), names(&["x", "a", "n"]));
        check(names(&["a", "x"]), names(&["n"]), names(&["a", "x", "n"]));
    }

    #[test]
    fn atomic_values_are_replaced() {
        check(
            json!({"nodeSelector": {"a": "1"}, "tolerations": [{"key": "a"}], "hostPID": true}),
            json!({"nodeSelector": {"b": "2"}, "tolerations": [{"key": "b"}]}),
            json!({"nodeSelector": {"b": "2"}, "tolerations": [{"key": "b"}], "hostPID": true}),
        );
    }

    #[test]
    fn a_comparison_names_leaves() {
        let old = json!({"containers": [{"name": "a", "image": "1", "tty": true}]});
        let new = json!({"containers": [{"name": "a", "image": "2", "env": [{"name": "X"}]}]});
        let found = compare(&old, &new, &pod());
        assert_eq!(
            found.changed.paths(),
            [
                ".containers[name=\"a\"].env[name=\"X\"].name",
                ".containers[name=\"a\"].env[name=\"X\"]",
                ".containers[name=\"a\"].env",
                ".containers[name=\"a\"].image"
            ]
        );
        assert_eq!(found.removed.paths(), [".containers[name=\"a\"].tty"]);
        let order = compare(&names(&["a", "b"]), &names(&["b", "a"]), &pod());
        assert!(order.changed.is_empty() && order.removed.is_empty());
    }

    #[test]
    fn what_a_set_has_is_removed() {
        let mut value = json!({"containers": [{"name": "a"}, {"name": "b", "image": "i"}]});
        let mut set = Fields::default();
        set.step("f:containers").step("k:{\"name\":\"a\"}").here = true;
        set.step("f:containers").step("k:{\"name\":\"b\"}").step("f:image").here = true;
        remove(&mut value, &pod(), &set);
        assert_eq!(value, json!({"containers": [{"name": "b"}]}));
    }
}
