//! What is sent when an object is written whole.

use serde_json::{Map, Value as Json};

use super::diff::{item_name, join};
use super::same::same;
use crate::resource::{Comparison, Field, Kind, Mode, is_amount, is_sealed};

/// Everything desired of an object, so written that only what is meant to change does: fields that
/// became somebody else's as they are, amounts in the live spelling, and lists by key in the live
/// order, since a Kubernetes of 1.36 restarts pods for another order of the same items.
pub fn to_write(kind: Kind, desired: &Json, live: &Json) -> Json {
    Writing { kind, whole: live }.value("", desired, live)
}

struct Writing<'a> {
    kind: Kind,
    /// The live object, which may say that a field is somebody else's.
    whole: &'a Json,
}

impl Writing<'_> {
    fn value(&self, path: &str, desired: &Json, live: &Json) -> Json {
        let field =
            if path.is_empty() { const { Field::owned("") } } else { self.kind.field(path) };
        // A digest stands for a live value that boma does not keep.
        if is_sealed(live) {
            return desired.clone();
        }
        let is_lent = matches!(field.mode, Mode::Lent(_)) && !field.mode.is_owned(self.whole);
        if (field.mode == Mode::Initial || is_lent) && !live.is_null() {
            return live.clone();
        }
        match (desired, live, field.comparison) {
            (Json::Object(desired), Json::Object(live), _) => self.map(path, desired, live),
            (Json::Array(desired), Json::Array(live), Comparison::ListBy(key)) => {
                self.list_by(path, key, desired, live)
            }
            (_, _, Comparison::Quantity | Comparison::Set | Comparison::CaseInsensitive)
                if same(path, field.comparison, desired, live) =>
            {
                live.clone()
            }
            (_, _, Comparison::Covered)
                if is_amount(path) && same(path, field.comparison, desired, live) =>
            {
                live.clone()
            }
            _ => desired.clone(),
        }
    }

    fn map(&self, path: &str, desired: &Map<String, Json>, live: &Map<String, Json>) -> Json {
        let entry = |(key, wanted): (&String, &Json)| {
            let found = live.get(key).unwrap_or(&Json::Null);
            (key.clone(), self.value(&join(path, key), wanted, found))
        };
        Json::Object(desired.iter().map(entry).collect())
    }

    fn list_by(&self, path: &str, key: &str, desired: &[Json], live: &[Json]) -> Json {
        let names: Vec<Option<String>> = live.iter().map(|item| item_name(item, key)).collect();
        let place = |item: &Json| {
            let name = item_name(item, key)?;
            names.iter().position(|one| one.as_ref() == Some(&name))
        };
        let mut items: Vec<(usize, Json)> = Vec::new();
        for item in desired {
            let at = place(item);
            let found = at.and_then(|at| live.get(at)).unwrap_or(&Json::Null);
            let name = item_name(item, key).unwrap_or_default();
            items.push((at.unwrap_or(live.len()), self.value(&join(path, &name), item, found)));
        }
        // Stable: what is new comes last, in the order of the spec.
        items.sort_by_key(|(at, _)| *at);
        items.into_iter().map(|(_, item)| item).collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::diff;

    fn check(desired: Json, live: Json, expected: Json) {
        let kind = Kind::named("kubernetes/Deployment").expect("a kind of the product");
        let pod = |spec: Json| json!({"spec": {"template": {"spec": spec}}});
        assert_eq!(to_write(kind, &pod(desired), &pod(live)), pod(expected));
    }

    #[test]
    fn lists_keep_the_live_order_and_new_items_come_last() {
        let named = |names: &[&str]| -> Json {
            let env: Vec<Json> = names.iter().map(|name| json!({"name": name})).collect();
            json!({"containers": [{"name": "c", "env": env}]})
        };
        check(named(&["a", "new", "b"]), named(&["b", "x", "a"]), named(&["b", "a", "new"]));
    }

    #[test]
    fn amounts_keep_their_live_spelling_where_they_mean_the_same() {
        let limit = |memory: &str| json!({"containers": [{"name": "c", "resources": {"limits": {"memory": memory}}}]});
        check(limit("1024Mi"), limit("1Gi"), limit("1Gi"));
        check(limit("2Gi"), limit("1Gi"), limit("2Gi"));
    }

    #[test]
    fn what_an_autoscaler_keeps_is_sent_back() {
        let kind = Kind::named("kubernetes/Deployment").expect("a kind of the product");
        let desired = json!({"spec": {"replicas": 1}});
        let check = |keeper: Json, expected: u64| {
            let live = json!({"spec": {"replicas": 3}, "scaled_by": keeper});
            assert_eq!(to_write(kind, &desired, &live)["spec"]["replicas"], expected);
            assert_eq!(diff(kind, &desired, Some(&desired), &live).is_empty(), expected == 3);
        };
        check(json!("k3s"), 3);
        check(Json::Null, 1);
    }

    #[test]
    fn what_is_not_desired_is_not_sent() {
        check(
            json!({"containers": [{"name": "c", "image": "x:2"}]}),
            json!({"containers": [{"name": "c", "image": "x:1", "pull": "Always"}, {"name": "d"}]}),
            json!({"containers": [{"name": "c", "image": "x:2"}]}),
        );
    }
}
