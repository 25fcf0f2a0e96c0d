//! The one diff for all kinds.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::same::{is_nothing, is_optional, same};
use super::{After, Cause};
use crate::resource::{
    Comparison, Effect, Field, Kind, Lifecycle, Mode, as_reference, as_secret, is_sealed, is_whole,
    references,
};

/// One field whose live value is not the desired one.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDiff {
    /// Keys joined by dots.
    pub path: String,
    /// Live. `None` where the field is not there.
    pub before: Option<Json>,
    /// Desired.
    pub after: After,
    /// Who caused it.
    pub cause: Cause,
    /// What changing it does to this object, by the kind's facts.
    pub effect: Effect,
    /// Both values are secret.
    pub sensitive: bool,
}

/// Compares an object with what is desired of it.
///
/// `desired` is encoded, with everything known filled in. A field is boma's if `desired` sets it,
/// or `prior` had it: the latter without the former is a removal. Everything else on the live
/// object is left alone. Paths come in order.
pub fn diff(kind: Kind, desired: &Json, prior: Option<&Json>, live: &Json) -> Vec<FieldDiff> {
    let mut walk = Walk { kind, object: live, found: Vec::new() };
    walk.value("", Some(desired), prior, Some(live));
    walk.found
}

/// Whether an object has every owned field of `desired`.
pub fn equal(kind: Kind, desired: &Json, live: &Json) -> bool {
    diff(kind, desired, None, live).is_empty()
}

/// Whether a tree has something at a path of a difference: keys joined by dots, items of lists
/// by key under their name.
pub fn holds(kind: Kind, tree: &Json, path: &str) -> bool {
    holds_below(kind, "", tree, path)
}

fn holds_below(kind: Kind, above: &str, tree: &Json, rest: &str) -> bool {
    // Keys may have dots in them, so every key that the rest begins with is tried.
    let leads = |name: &str, value: &Json| match rest.strip_prefix(name) {
        Some("") => !value.is_null(),
        Some(more) => more
            .strip_prefix('.')
            .is_some_and(|more| holds_below(kind, &join(above, name), value, more)),
        None => false,
    };
    match (tree, kind.field(above).comparison) {
        (Json::Object(map), _) => map.iter().any(|(name, value)| leads(name, value)),
        (Json::Array(items), Comparison::ListBy(key)) => {
            items.iter().any(|item| item_name(item, key).is_some_and(|name| leads(&name, item)))
        }
        _ => false,
    }
}

/// What to record after a write: the fields of `desired` as they are on the live object, spelled
/// as desired where both spellings mean the same.
pub fn project(kind: Kind, desired: &Json, live: &Json) -> Json {
    recorded(kind, "", desired, live)
}

fn recorded(kind: Kind, path: &str, desired: &Json, live: &Json) -> Json {
    let field = if path.is_empty() { const { Field::owned("") } } else { kind.field(path) };
    // What somebody else may keep is recorded as it is asked for.
    let kept = matches!(field.mode, Mode::Initial | Mode::Lent(_));
    if kept && references(desired).is_empty() {
        return desired.clone();
    }
    match (desired, live, field.comparison) {
        // Who does not know the secret records what stands for it.
        _ if as_secret(desired).is_some() => live.clone(),
        (Json::Object(wanted), Json::Object(found), _) if !is_sealed(desired) => {
            let stands = |(key, wanted): (&String, &Json)| {
                let below = join(path, key);
                let found = match found.get(key) {
                    Some(found) => recorded(kind, &below, wanted, found),
                    None if is_equal(kind, &below, wanted, None) => wanted.clone(),
                    None => return None,
                };
                Some((key.clone(), found))
            };
            Json::Object(wanted.iter().filter_map(stands).collect())
        }
        _ if is_equal(kind, path, desired, Some(live)) => desired.clone(),
        (Json::Array(wanted), Json::Array(found), Comparison::ListBy(key)) => {
            let stands = |wanted: &Json| {
                let name = item_name(wanted, key)?;
                let found =
                    found.iter().find(|item| item_name(item, key).as_ref() == Some(&name))?;
                Some(recorded(kind, &join(path, &name), wanted, found))
            };
            wanted.iter().filter_map(stands).collect::<Vec<_>>().into()
        }
        _ => live.clone(),
    }
}

fn is_equal(kind: Kind, path: &str, desired: &Json, live: Option<&Json>) -> bool {
    let mut walk = Walk { kind, object: &Json::Null, found: Vec::new() };
    walk.value(path, Some(desired), None, live);
    walk.found.is_empty()
}

struct Walk<'a> {
    kind: Kind,
    /// The whole live object: what a change does may depend on it.
    object: &'a Json,
    found: Vec<FieldDiff>,
}

impl Walk<'_> {
    fn value(
        &mut self,
        path: &str,
        desired: Option<&Json>,
        prior: Option<&Json>,
        live: Option<&Json>,
    ) {
        let field =
            if path.is_empty() { const { Field::owned("") } } else { self.kind.field(path) };
        if !field.mode.is_owned(self.object) {
            return;
        }
        match (desired, prior) {
            (None, None) => {}
            (None, Some(_)) if live.is_none_or(Json::is_null) => {}
            // A machine has all its fields always: none can be taken off it.
            (None, Some(_)) if self.kind.lifecycle == Lifecycle::Machine => {}
            (None, Some(_)) => self.add(path, field, live, After::Removed, Cause::Spec),
            (Some(desired), _) => self.owned(path, field, desired, prior, live),
        }
    }

    fn owned(
        &mut self,
        path: &str,
        field: Field,
        desired: &Json,
        prior: Option<&Json>,
        live: Option<&Json>,
    ) {
        if as_secret(desired).is_some() {
            // Not resolved, so nothing can be said unless the field is not there at all.
            if live.is_none_or(Json::is_null) {
                self.add(path, field, live, After::Known(desired.clone()), Cause::Spec);
            }
            return;
        }
        if let Some(owner) = unknown_owner(desired) {
            self.add(path, field, live, After::Unknown(owner), Cause::Spec);
            return;
        }
        match (desired, live) {
            (Json::Object(wanted), _) if !is_sealed(desired) => {
                self.map(path, field, wanted, prior, live.and_then(Json::as_object));
            }
            (Json::Array(wanted), Some(Json::Array(found)))
                if matches!(field.comparison, Comparison::ListBy(_)) =>
            {
                self.list_by(path, field, wanted, prior, found);
            }
            _ if live.is_some_and(|live| same(path, field.comparison, desired, live)) => {}
            (_, None) if is_optional(field.comparison) && is_nothing(desired) => {}
            (Json::Null, None | Some(Json::Null)) => {}
            _ => {
                let edited =
                    prior.is_none_or(|prior| !same(path, field.comparison, desired, prior));
                let cause = if edited { Cause::Spec } else { Cause::Drift };
                self.add(path, field, live, After::Known(desired.clone()), cause);
            }
        }
    }

    fn map(
        &mut self,
        path: &str,
        field: Field,
        wanted: &Map<String, Json>,
        prior: Option<&Json>,
        live: Option<&Map<String, Json>>,
    ) {
        let had = prior.and_then(Json::as_object);
        let keys: BTreeSet<&String> =
            wanted.keys().chain(had.into_iter().flat_map(Map::keys)).collect();
        for key in keys {
            self.value(
                &join(path, key),
                wanted.get(key),
                had.and_then(|had| had.get(key)),
                live.and_then(|live| live.get(key)),
            );
        }
        if field.comparison == Comparison::Covered && is_whole(path) {
            self.strays(path, wanted, had, live);
        }
    }

    /// What somebody added to a map that belongs to one.
    fn strays(
        &mut self,
        path: &str,
        wanted: &Map<String, Json>,
        had: Option<&Map<String, Json>>,
        live: Option<&Map<String, Json>>,
    ) {
        let is_own =
            |key: &String| wanted.contains_key(key) || had.is_some_and(|had| had.contains_key(key));
        for (key, value) in live.into_iter().flatten() {
            if !is_own(key) && !is_nothing(value) {
                let path = join(path, key);
                let field = self.kind.field(&path);
                self.add(&path, field, Some(value), After::Removed, Cause::Drift);
            }
        }
    }

    /// Items are matched by the value under the list's key; the live order is nobody's business.
    fn list_by(
        &mut self,
        path: &str,
        field: Field,
        wanted: &[Json],
        prior: Option<&Json>,
        found: &[Json],
    ) {
        let Comparison::ListBy(key) = field.comparison else { return };
        let had = prior.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let is_stray = |name: &String| field.stray.is_some_and(|is_stray| is_stray(name));
        let strays = found.iter().filter_map(|item| item_name(item, key)).filter(is_stray);
        let own = wanted.iter().chain(had).filter_map(|item| item_name(item, key));
        for name in own.chain(strays).collect::<BTreeSet<String>>() {
            let of = |items: &'_ [Json]| {
                items.iter().find(|item| item_name(item, key).as_ref() == Some(&name)).cloned()
            };
            let (path, found) = (join(path, &name), of(found));
            match (of(wanted), of(had)) {
                (None, None) => {
                    self.add(&path, field, found.as_ref(), After::Removed, Cause::Drift);
                }
                (wanted, had) => {
                    self.value(&path, wanted.as_ref(), had.as_ref(), found.as_ref());
                }
            }
        }
    }

    fn add(&mut self, path: &str, field: Field, before: Option<&Json>, after: After, cause: Cause) {
        let before = before.filter(|value| !value.is_null());
        let known = match &after {
            After::Known(value) => Some(value),
            After::Unknown(_) | After::Removed => None,
        };
        let effect = field.effect.on(self.object, before, known).of_drift(cause == Cause::Drift);
        self.found.push(FieldDiff {
            path: path.to_owned(),
            before: before.cloned(),
            after,
            cause,
            effect,
            sensitive: field.sensitive,
        });
    }
}

/// A path and a key below it.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// What an item of a list by key is called in paths.
pub(super) fn item_name(item: &Json, key: &str) -> Option<String> {
    let name = key.split('.').try_fold(item, |item, key| item.get(key));
    name.map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned))
}

/// The first resource that a scalar or template still waits for. Maps and lists are walked into.
fn unknown_owner(desired: &Json) -> Option<crate::resource::Address> {
    let is_leaf = as_reference(desired).is_some()
        || desired.as_object().is_some_and(|map| map.contains_key("$template"))
        || desired.is_array();
    is_leaf
        .then(|| references(desired))
        .and_then(|found| found.into_iter().next())
        .map(|found| found.address)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::{Address, Condition, Identity, KindFacts, Layer, Value};

    const KIND: Kind = Kind::new(&KindFacts {
        name: "test/any",
        layer: Layer::Cluster,
        fields: &[
            Field::owned("memory").comparison(Comparison::Quantity),
            Field::owned("name").comparison(Comparison::CaseInsensitive),
            Field::owned("version").comparison(Comparison::AtLeast).effect(Effect::PowerCycle),
            Field::owned("tags").comparison(Comparison::Set),
            Field::owned("containers").comparison(Comparison::ListBy("name")),
            Field::owned("image").mode(Mode::Initial),
            Field::owned("spec").comparison(Comparison::Covered),
            Field::owned("rules").comparison(Comparison::Covered),
            Field::computed("uid"),
            Field::owned("password").sensitive(),
            Field::owned("network").effect(Effect::Fixed("no")),
        ],
        holds_data: false,
        identity: Identity::Mark,
        lifecycle: Lifecycle::Plain,
        freed_first: false,
        ready: Condition::Exists,
        deletable: Condition::Exists,
        deadline_s: 1,
        weight_s: 1,
    });

    fn check(desired: Json, prior: Option<Json>, live: Json, expected: &[(&str, Cause)]) {
        let found = diff(KIND, &desired, prior.as_ref(), &live);
        let found: Vec<(&str, Cause)> =
            found.iter().map(|one| (one.path.as_str(), one.cause)).collect();
        assert_eq!(found, expected, "{desired} against {live}");
    }

    #[test]
    fn values_that_mean_the_same_are_equal() {
        check(json!({"memory": "1Gi"}), None, json!({"memory": "1024Mi"}), &[]);
        check(json!({"name": "A"}), None, json!({"name": "a"}), &[]);
        let volumes =
            |size: Json| json!({"spec": {"volumes": [{"emptyDir": {"sizeLimit": size}}]}});
        check(volumes(json!("1024Mi")), None, volumes(json!("1Gi")), &[]);
        check(volumes(json!("1Mi")), None, volumes(json!("1Gi")), &[("spec.volumes", Cause::Spec)]);
        let role = |rule: Json| json!({"rules": [rule]});
        let (rule, less) = (json!({"verbs": ["get"]}), json!({"verbs": ["get"], "names": ["a"]}));
        check(role(rule.clone()), None, role(rule.clone()), &[]);
        check(role(rule), None, role(less), &[("rules", Cause::Spec)]);
        let selector = |tree: Json| json!({"spec": {"selector": tree}});
        check(
            selector(json!({"a": "b"})),
            None,
            selector(json!({"a": "b", "c": "d"})),
            &[("spec.selector.c", Cause::Drift)],
        );
        let limits = |cpu: Json| json!({"spec": {"pods": {"limits": {"cpu": cpu}}, "cpu": "1"}});
        check(limits(json!(0.5)), None, limits(json!("500m")), &[]);
        check(
            json!({"spec": {"cpu": "1"}}),
            None,
            json!({"spec": {"cpu": "1000m"}}),
            &[("spec.cpu", Cause::Spec)],
        );
        check(json!({"version": 15}), None, json!({"version": 19}), &[]);
        check(json!({"tags": ["a", "b"]}), None, json!({"tags": ["b", "a"]}), &[]);
        check(json!({"image": "x:1"}), None, json!({"image": "x:2"}), &[]);
        check(json!({"x": null}), None, json!({}), &[]);
    }

    #[test]
    fn what_the_api_adds_or_leaves_out_is_no_difference() {
        let spec = |desired: Json, live: Json, expected: &[(&str, Cause)]| {
            check(json!({"spec": desired}), None, json!({"spec": live}), expected);
        };
        let subjects = || json!({"subjects": [{"name": "a"}]});
        spec(subjects(), json!({"subjects": [{"name": "a", "group": "x"}]}), &[]);
        spec(subjects(), json!({"subjects": [{"name": "b"}]}), &[("spec.subjects", Cause::Spec)]);
        spec(
            subjects(),
            json!({"subjects": [{"name": "a"}, {"name": "b"}]}),
            &[("spec.subjects", Cause::Spec)],
        );
        spec(json!({"host": false, "text": "", "list": []}), json!({}), &[]);
        spec(json!({"host": false}), json!({"host": true}), &[("spec.host", Cause::Spec)]);
        spec(json!({"rules": [{"value": ""}]}), json!({"rules": [{}]}), &[]);
        check(json!({"containers": []}), None, json!({}), &[]);
    }

    #[test]
    fn what_nobody_asked_for_is_left_alone() {
        check(json!({"a": {"b": 1}}), None, json!({"a": {"b": 1, "c": 2}, "uid": "7"}), &[]);
    }

    #[test]
    fn a_field_that_prior_had_and_desired_has_not_is_removed() {
        check(json!({}), Some(json!({"a": 1})), json!({"a": 1}), &[("a", Cause::Spec)]);
        check(json!({}), Some(json!({"a": 1})), json!({}), &[]);
    }

    #[test]
    fn what_a_machine_is_not_asked_for_any_more_stays() {
        let vm = Kind::named("vsphere/vm").expect("a kind of the product");
        let (prior, live) = (json!({"cpu_hot_add": true}), json!({"cpu_hot_add": true}));
        assert_eq!(diff(vm, &json!({}), Some(&prior), &live), []);
    }

    #[test]
    fn the_cause_is_who_moved() {
        check(json!({"a": 1}), Some(json!({"a": 1})), json!({"a": 2}), &[("a", Cause::Drift)]);
        check(json!({"a": 3}), Some(json!({"a": 1})), json!({"a": 1}), &[("a", Cause::Spec)]);
    }

    #[test]
    fn what_is_fixed_is_put_back_and_not_edited() {
        let effect = |desired: &str, prior: Option<Json>| {
            let live = json!({"network": "b"});
            let found = diff(KIND, &json!({"network": desired}), prior.as_ref(), &live);
            found[0].effect
        };
        assert_eq!(effect("a", Some(json!({"network": "a"}))), Effect::Restart);
        assert_eq!(effect("c", Some(json!({"network": "b"}))), Effect::Refuse("no"));
        assert_eq!(effect("c", None), Effect::Refuse("no"));
    }

    #[test]
    fn list_items_are_matched_by_key() {
        let desired = json!({"containers": [{"name": "x", "cpu": 1}, {"name": "y", "cpu": 1}]});
        let live =
            json!({"containers": [{"name": "y", "cpu": 2, "more": 1}, {"name": "x", "cpu": 1}]});
        check(desired, None, live, &[("containers.y.cpu", Cause::Spec)]);
    }

    #[test]
    fn an_unknown_value_names_its_owner() {
        let owner = Address::from("vsphere/vm/a");
        let desired = json!({"a": Value::reference(&owner, "uid").encode()});
        let found = diff(KIND, &desired, None, &json!({"a": "old"}));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].after, After::Unknown(owner));
    }

    #[test]
    fn a_path_is_found_through_maps_and_lists() {
        let tree = json!({"labels": {"a.b/c": "x"}, "containers": [{"name": "y", "cpu": 1}]});
        for (path, found) in [
            ("labels.a.b/c", true),
            ("labels.a", false),
            ("containers.y", true),
            ("containers.y.cpu", true),
            ("containers.z", false),
        ] {
            assert_eq!(holds(KIND, &tree, path), found, "{path}");
        }
    }

    #[test]
    fn recording_keeps_what_stands() {
        let desired = json!({"memory": "1Gi", "a": 1, "image": "x:1"});
        let live = json!({"memory": "1024Mi", "a": 2, "uid": "7"});
        assert_eq!(
            project(KIND, &desired, &live),
            json!({"memory": "1Gi", "a": 2, "image": "x:1"})
        );
        let desired = json!({"spec": {"a": 1, "b": 1}, "containers": [{"name": "x", "cpu": 1}]});
        let live = json!({"spec": {"a": 2, "b": 1, "added": true},
            "containers": [{"name": "y"}, {"name": "x", "cpu": 2, "added": true}]});
        assert_eq!(
            project(KIND, &desired, &live),
            json!({"spec": {"a": 2, "b": 1}, "containers": [{"name": "x", "cpu": 2}]})
        );
    }
}
