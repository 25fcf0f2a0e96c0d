//! Who owns which fields: `metadata.managedFields`.

use serde_json::{Value as Json, json};

use super::fields::Fields;
use super::merge::{Comparison, compare, merge, remove};
use super::refusal::Refusal;
use super::shape::Shape;

/// One manager's entry.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    pub name: String,
    /// `Apply`, or `Update` for every other write.
    pub apply: bool,
    pub api: String,
    /// Empty for the object itself.
    pub subresource: String,
    pub time: String,
    pub fields: Fields,
}

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer<'a> {
    pub name: &'a str,
    /// `apps/v1`.
    pub api: &'a str,
    pub subresource: &'a str,
    /// As Kubernetes writes times.
    pub time: &'a str,
}

/// Fields that nobody owns.
const OWNERLESS: &[&[&str]] = &[
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:generateName"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:deletionTimestamp"],
    &["f:metadata", "f:deletionGracePeriodSeconds"],
    &["f:metadata", "f:selfLink"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:managedFields"],
    &["f:metadata", "f:resourceVersion"],
];

impl Manager {
    fn read(entry: &Json) -> Self {
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        Self {
            name: text("manager"),
            apply: entry["operation"] == "Apply",
            api: text("apiVersion"),
            subresource: text("subresource"),
            time: text("time"),
            fields: Fields::from_json(&entry["fieldsV1"]),
        }
    }

    fn to_json(&self) -> Json {
        let mut entry = json!({
            "manager": self.name, "operation": if self.apply { "Apply" } else { "Update" },
            "apiVersion": self.api, "time": self.time, "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.to_json(),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = json!(self.subresource);
        }
        entry
    }

    fn is(&self, writer: Writer<'_>, apply: bool) -> bool {
        self.name == writer.name
            && self.apply == apply
            && self.api == writer.api
            && self.subresource == writer.subresource
    }

    /// As a conflict names it.
    fn described(&self) -> String {
        let name = match self.subresource.as_str() {
            "" => format!("\"{}\"", self.name),
            other => format!("\"{}\" with subresource \"{other}\"", self.name),
        };
        if self.apply { name } else { format!("{name} using {}", self.api) }
    }
}

/// The managers of an object.
pub(super) fn managers(object: &Json) -> Vec<Manager> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().map(Manager::read).collect()
}

fn write(object: &mut Json, mut managers: Vec<Manager>) {
    managers.retain(|manager| !manager.fields.is_empty());
    managers.sort_by(|a, b| (!a.apply, &a.time, &a.name).cmp(&(!b.apply, &b.time, &b.name)));
    let Some(meta) = object["metadata"].as_object_mut() else { return };
    if managers.is_empty() {
        meta.remove("managedFields");
    } else {
        let entries = managers.iter().map(Manager::to_json).collect();
        meta.insert("managedFields".to_owned(), Json::Array(entries));
    }
}

/// What may have owners.
fn owned(mut fields: Fields) -> Fields {
    for path in OWNERLESS {
        fields.cut(path);
    }
    if let Some(meta) = fields.below.get_mut("f:metadata") {
        meta.here = false;
    }
    fields
}

fn difference(old: &Json, new: &Json, shape: &Shape) -> Comparison {
    let Comparison { changed, removed } = compare(old, new, shape);
    Comparison { changed: owned(changed), removed: owned(removed) }
}

/// The books that a written object brings along: whoever edits them has them so. `None` where it
/// has none that mean anything, and the live ones stay. One empty entry empties them.
///
/// Source: apimachinery, `managedfields/internal/managedfields.go` and `fieldmanager.go`
/// (`decodeLiveOrNew`).
pub(super) fn given(object: &Json) -> Option<Json> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    if let [only] = entries.as_slice()
        && *only == json!({})
    {
        return Some(json!([]));
    }
    let means = managers(object).iter().any(|manager| !manager.fields.is_empty());
    means.then(|| Json::Array(entries.clone()))
}

/// Notes in `new` what a write that is no apply has changed; `old` is null for a new object. The
/// books so far are those of `new`.
pub(super) fn track(old: &Json, new: &mut Json, shape: &Shape, writer: Writer<'_>) {
    let empty = json!({"metadata": {}});
    let base = if old.is_null() { &empty } else { old };
    let Comparison { changed, removed } = difference(base, new, shape);
    let mut all = managers(new);
    if !changed.is_empty() || !removed.is_empty() {
        for other in &mut all {
            other.fields = other.fields.without(&changed).without(&removed);
        }
        let own = all.iter().position(|manager| manager.is(writer, false));
        match own.and_then(|index| all.get_mut(index)) {
            Some(own) => {
                own.fields.add(&changed);
                writer.time.clone_into(&mut own.time);
            }
            None => all.push(Manager::of(writer, false, changed)),
        }
    }
    write(new, all);
}

impl Manager {
    fn of(writer: Writer<'_>, apply: bool, fields: Fields) -> Self {
        Self {
            name: writer.name.to_owned(),
            apply,
            api: writer.api.to_owned(),
            subresource: writer.subresource.to_owned(),
            time: writer.time.to_owned(),
            fields,
        }
    }
}

/// Applies a configuration to a live object (`{"metadata": {}}` where there is none), without
/// defaults and checks.
///
/// # Errors
/// 409 where others own fields with other values, unless `force`.
pub(super) fn apply(
    live: &Json,
    config: &Json,
    shape: &Shape,
    writer: Writer<'_>,
    force: bool,
) -> Result<Json, Refusal> {
    let mut all = managers(live);
    if all.is_empty() && live["metadata"]["uid"].is_string() {
        let first = Writer { name: "before-first-apply", ..writer };
        let fields = owned(Fields::of(live, shape));
        all.push(Manager { apply: false, ..Manager::of(first, false, fields) });
    }
    let set = owned(Fields::of(config, shape));
    let mut merged = merge(live, config, shape);
    let own = all.iter().position(|manager| manager.is(writer, true));
    let last = own.map(|index| all.remove(index));
    if let Some(last) = &last {
        let mut kept = set.clone();
        all.iter().for_each(|manager| kept.add(&manager.fields));
        remove(&mut merged, shape, &last.fields.closed().without(&kept.closed()));
    }
    let Comparison { changed, removed } = difference(live, &merged, shape);
    let conflicts: Vec<(&Manager, Fields)> = all
        .iter()
        .map(|manager| (manager, manager.fields.common(&changed)))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    if !force && !conflicts.is_empty() {
        return Err(conflict(&conflicts));
    }
    for manager in &mut all {
        manager.fields = manager.fields.without(&changed).without(&removed);
    }
    let same = last.as_ref().is_some_and(|last| last.fields == set);
    let mut entry = Manager::of(writer, true, set);
    if let Some(last) = last.filter(|_| same) {
        entry.time = last.time;
    }
    all.push(entry);
    write(&mut merged, all);
    Ok(merged)
}

fn conflict(conflicts: &[(&Manager, Fields)]) -> Refusal {
    let mut all: Vec<(String, String)> = conflicts
        .iter()
        .flat_map(|(manager, fields)| {
            fields.paths().into_iter().map(|path| (manager.described(), path))
        })
        .collect();
    all.sort();
    let message = match all.as_slice() {
        [(manager, path)] => {
            format!("Apply failed with 1 conflict: conflict with {manager}: {path}")
        }
        all => {
            let mut lines = Vec::new();
            let mut last = "";
            for (manager, path) in all {
                if manager != last {
                    lines.push(format!("conflicts with {manager}:"));
                }
                last = manager;
                lines.push(format!("- {path}"));
            }
            format!("Apply failed with {} conflicts: {}", all.len(), lines.join("\n"))
        }
    };
    let cause = |(manager, path): &(String, String)| {
        json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"),
            "field": path})
    };
    let causes: Vec<Json> = all.iter().map(cause).collect();
    let refusal = Refusal::new(409, "Conflict", message);
    Refusal { details: json!({"causes": causes}), ..refusal }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape::of_kind("Deployment").unwrap()
    }

    fn writer(name: &str) -> Writer<'_> {
        Writer { name, api: "apps/v1", subresource: "", time: "2026-11-22T20:46:15Z" }
    }

    fn by(live: &Json, name: &str, spec: Json) -> Json {
        let config = json!({"metadata": {"name": "x"}, "spec": spec});
        apply(live, &config, &shape(), writer(name), false).unwrap()
    }

    fn owners(object: &Json, path: &str) -> Vec<String> {
        let has = |one: &Manager| one.fields.paths().iter().any(|other| other == path);
        managers(object).into_iter().filter(has).map(|one| one.name).collect()
    }

    fn nothing() -> Json {
        json!({"metadata": {}})
    }

    #[test]
    fn an_equal_value_is_shared_and_another_one_is_a_conflict() {
        let first = by(&nothing(), "a", json!({"replicas": 1, "paused": true}));
        let both = by(&first, "b", json!({"replicas": 1}));
        assert_eq!(owners(&both, ".spec.replicas"), ["a", "b"]);
        let config = json!({"spec": {"replicas": 2}});
        let refused = apply(&both, &config, &shape(), writer("b"), false).unwrap_err();
        assert_eq!(refused.code, 409);
        assert_eq!(
            refused.message,
            "Apply failed with 1 conflict: conflict with \"a\": .spec.replicas"
        );
        assert_eq!(refused.details["causes"][0]["field"], ".spec.replicas");
        let forced = apply(&both, &config, &shape(), writer("b"), true).unwrap();
        assert_eq!(owners(&forced, ".spec.replicas"), ["b"]);
        assert_eq!(forced["spec"], json!({"replicas": 2, "paused": true}));
    }

    #[test]
    fn what_a_manager_no_longer_applies_goes_unless_somebody_else_owns_it() {
        let first = by(&nothing(), "a", json!({"replicas": 1, "paused": true}));
        let both = by(&first, "b", json!({"replicas": 1}));
        let less = by(&both, "a", json!({}));
        assert_eq!(less["spec"], json!({"replicas": 1}));
        let none = by(&less, "b", json!({}));
        assert_eq!(none["spec"], json!({}));
    }

    #[test]
    fn an_item_goes_with_the_defaults_inside() {
        let volume = |name: &str| json!({"name": name, "secret": {"secretName": "s"}});
        let pod = |volumes: &[Json]| json!({"template": {"spec": {"volumes": volumes}}});
        let mut live = by(&nothing(), "a", pod(&[volume("x"), volume("y")]));
        live["spec"]["template"]["spec"]["volumes"][0]["secret"]["defaultMode"] = json!(420);
        let less = by(&live, "a", pod(&[volume("y")]));
        assert_eq!(less["spec"], pod(&[volume("y")]));
    }

    #[test]
    fn other_writes_take_what_they_change() {
        let first = by(&nothing(), "a", json!({"replicas": 1, "paused": true}));
        let mut edited = first.clone();
        edited["spec"]["replicas"] = json!(5);
        track(&first, &mut edited, &shape(), writer("kubectl-edit"));
        assert_eq!(owners(&edited, ".spec.replicas"), ["kubectl-edit"]);
        assert_eq!(owners(&edited, ".spec.paused"), ["a"]);
        let config = json!({"spec": {"replicas": 1, "paused": false}});
        let refused = apply(&edited, &config, &shape(), writer("a"), false).unwrap_err();
        assert_eq!(
            refused.message,
            "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas"
        );
    }

    #[test]
    fn an_object_without_managers_was_there_before_the_first_apply() {
        let live = json!({"metadata": {"uid": "u"}, "spec": {"replicas": 1}});
        let applied = by(&live, "a", json!({"replicas": 1}));
        assert_eq!(owners(&applied, ".spec.replicas"), ["a", "before-first-apply"]);
    }
}
