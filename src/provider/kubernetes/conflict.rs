//! Fields that somebody else holds with another value.

use kube::core::Status;
use kube::core::response::StatusCause;
use serde_json::{Map, Value as Json};

use super::failure::Failure;
use super::fields::is_item;
use super::status::causes;

/// Whether the plan showed every field that is in conflict, or something above or below it: a list
/// without keys is in conflict as a whole. `fields` are paths as the plan has them; `manifest` is
/// what was sent.
pub fn was_shown(status: &Status, fields: &[String], manifest: &Json) -> bool {
    let shown = |cause: &StatusCause| {
        let paths = paths(&cause.field, manifest);
        paths.iter().any(|path| fields.iter().any(|field| meets(field, path)))
    };
    causes(status).iter().all(shown)
}

/// The failure that names each field and who holds it.
pub fn failure(status: &Status) -> Failure {
    let told: Vec<String> = causes(status)
        .iter()
        .map(|cause| {
            let field = cause.field.trim_start_matches('.');
            match manager(&cause.message) {
                Some(manager) => format!("{field} is held by {manager}"),
                None => format!("{field}: {}", cause.message),
            }
        })
        .collect();
    Failure::refused(
        format!(
            "another field manager has set other values than the plan knew: {}",
            told.join("; ")
        ),
        "plan again: what differs is then shown, and apply takes it over; where it is not, undo the \
         other manager's change with kubectl; or say in the spec what it wants",
    )
}

/// The name in `conflict with "kubectl-edit" using apps/v1`.
fn manager(message: &str) -> Option<&str> {
    message.strip_prefix("conflict with \"")?.split('"').next()
}

/// Whether one of two paths leads to the other.
fn meets(one: &str, other: &str) -> bool {
    let leads = |short: &str, long: &str| match long.strip_prefix(short) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => false,
    };
    leads(one, other) || leads(other, one)
}

/// A field as the plan may have it. The API names items of lists by their keys,
/// `.spec.template.spec.containers[name="x"].image`; a plan names them by one value, of a key that
/// its kind chose, so each scalar of the item may be meant.
fn paths(field: &str, manifest: &Json) -> Vec<String> {
    let mut paths = vec![(String::new(), Some(manifest))];
    let mut rest = field;
    while !rest.is_empty() {
        if let Some((keys, more)) = bracket(rest) {
            let items = paths.iter().flat_map(|(path, list)| {
                let item = list.and_then(|list| item(list, &keys));
                names(item, &keys).into_iter().map(move |name| (join(path, &name), item))
            });
            paths = items.collect();
            rest = more;
            continue;
        }
        let name_at = rest.trim_start_matches('.');
        let (name, more) = name_at.split_at(name_at.find(['.', '[']).unwrap_or(name_at.len()));
        for (path, tree) in &mut paths {
            *path = join(path, name);
            *tree = tree.and_then(|tree| tree.get(name));
        }
        rest = more;
    }
    paths.into_iter().map(|(path, _)| lifted(path)).collect()
}

/// The keys and values at the beginning, `[name="x",port=80]`, and what follows. Values are JSON.
fn bracket(text: &str) -> Option<(Map<String, Json>, &str)> {
    let mut rest = text.strip_prefix('[')?;
    let mut keys = Map::new();
    loop {
        let (key, value) = rest.split_once('=')?;
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<Json>();
        let parsed = values.next()?.ok()?;
        let after = &value[values.byte_offset()..];
        keys.insert(key.to_owned(), parsed);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((keys, after.strip_prefix(']')?)),
        }
    }
}

fn item<'a>(list: &'a Json, keys: &Map<String, Json>) -> Option<&'a Json> {
    // An item of a set is given by its value alone: `[="x"]`.
    let is_it =
        |item: &&Json| keys.get("").is_some_and(|value| value == *item) || is_item(item, keys);
    list.as_array()?.iter().find(is_it)
}

fn names(item: Option<&Json>, keys: &Map<String, Json>) -> Vec<String> {
    let text = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let of_item = item.and_then(Json::as_object).into_iter().flatten().map(|(_, value)| value);
    keys.values().chain(of_item).filter_map(text).collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Labels and annotations stand at the top.
fn lifted(path: String) -> String {
    match path.strip_prefix("metadata.") {
        Some(rest) => rest.to_owned(),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::StatusDetails;
    use serde_json::json;

    use super::*;

    fn check(field: &str, shown: &[&str], expected: bool) {
        let manifest = json!({"spec": {
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
            "template": {"spec": {"containers": [{"name": "x", "image": "i"}]}},
        }});
        let cause = StatusCause {
            reason: "FieldManagerConflict".into(),
            message: "conflict with \"helm\" using v1".into(),
            field: field.into(),
        };
        let details = StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: vec![cause],
            retry_after_seconds: 0,
        };
        let status = Status::failure("", "Conflict").with_code(409).with_details(details);
        let shown: Vec<String> = shown.iter().map(|&field| field.to_owned()).collect();
        assert_eq!(was_shown(&status, &shown, &manifest), expected, "{field} in {shown:?}");
    }

    #[test]
    fn a_conflict_is_found_among_the_fields_of_a_plan() {
        check(".spec.replicas", &["spec.replicas"], true);
        check(".spec.replicas", &["spec.paused"], false);
        check(".spec.replicas", &["spec.replicasX"], false);
        check(".spec.strategy.type", &["spec.strategy"], true);
        check(".spec.tolerations", &["spec.tolerations.key"], true);
        check(".metadata.labels.app.kubernetes.io/name", &["labels.app.kubernetes.io/name"], true);
        let image = ".spec.template.spec.containers[name=\"x\"].image";
        check(image, &["spec.template.spec.containers.x.image"], true);
        check(image, &["spec.template.spec.containers.y.image"], false);
        check(image, &["spec.template.spec.containers.x.env"], false);
    }

    #[test]
    fn items_may_be_named_by_any_of_their_values() {
        let port = ".spec.ports[port=80,protocol=\"TCP\"].targetPort";
        check(port, &["spec.ports.80.targetPort"], true);
        check(port, &["spec.ports.http.targetPort"], true);
        check(port, &["spec.ports.https.targetPort"], false);
        check(".spec.accessModes[=\"ReadWriteOnce\"]", &["spec.accessModes"], true);
        check(".spec.ports[port=81,protocol=\"TCP\"].name", &["spec.ports.81.name"], true);
    }

    #[test]
    fn no_plan_showed_nothing() {
        check(".spec.replicas", &[], false);
    }
}
