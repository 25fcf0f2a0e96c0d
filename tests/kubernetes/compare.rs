//! Compares manifests by what they do: object by object, path by path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

/// Everything that differs and is in no row of `intended`, and every row that nothing is behind.
///
/// A row is a pattern over printed paths, `*` being any text, and the reason for the difference.
/// Paths are `Kind/name: spec.containers[driver].image`; an item of a list is named by its key, or
/// by its whole self where the list is a set.
pub fn compare(rendered: &[Json], upstream: &[Json], intended: &[(&str, &str)]) -> Vec<String> {
    let differences = differences(&flat(rendered), &flat(upstream));
    let covered = |path: &str| intended.iter().any(|(pattern, _)| matches(pattern, path));
    let unlisted = differences
        .iter()
        .filter(|(path, _)| !covered(path))
        .map(|(path, difference)| format!("{path}: {difference}"));
    let idle = intended
        .iter()
        .filter(|(pattern, _)| !differences.keys().any(|path| matches(pattern, path)))
        .map(|(pattern, reason)| format!("nothing differs at {pattern} any more ({reason})"));
    unlisted.chain(idle).collect()
}

/// An object, and in it paths with what is there.
type Flat = BTreeMap<String, BTreeMap<String, String>>;

fn differences(rendered: &Flat, upstream: &Flat) -> BTreeMap<String, String> {
    let objects: BTreeSet<&String> = rendered.keys().chain(upstream.keys()).collect();
    let mut found = BTreeMap::new();
    for object in objects {
        match (rendered.get(object), upstream.get(object)) {
            (Some(_), None) => drop(found.insert(object.clone(), "only boma has it".to_owned())),
            (None, Some(_)) => drop(found.insert(object.clone(), "only upstream has it".into())),
            (Some(ours), Some(theirs)) => {
                let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
                let differs = |path: &&&String| ours.get(**path) != theirs.get(**path);
                found.extend(paths.iter().filter(differs).map(|path| {
                    let (ours, theirs) = (ours.get(*path), theirs.get(*path));
                    let said = format!("boma {}, upstream {}", shown(ours), shown(theirs));
                    (format!("{object}: {path}"), said)
                }));
            }
            (None, None) => {}
        }
    }
    found
}

fn shown(value: Option<&String>) -> &str {
    value.map_or("nothing", String::as_str)
}

fn flat(manifests: &[Json]) -> Flat {
    let entry = |manifest: &Json| {
        let word = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let object = format!("{}/{}", word(&manifest["kind"]), word(&manifest["metadata"]["name"]));
        let mut paths = BTreeMap::new();
        put(&mut paths, "", manifest);
        // Nobody asks for a status.
        paths.retain(|path, _| !path.starts_with("status."));
        (object, paths)
    };
    manifests.iter().map(entry).collect()
}

fn put(paths: &mut BTreeMap<String, String>, path: &str, value: &Json) {
    match value {
        Json::Null => {}
        Json::Object(map) if map.is_empty() => {
            paths.insert(path.to_owned(), "{}".to_owned());
        }
        Json::Object(map) => {
            for (key, value) in map {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                put(paths, &below, value);
            }
        }
        Json::Array(rules) if path == "rules" => rules.iter().for_each(|rule| grant(paths, rule)),
        Json::Array(items) => {
            for item in items {
                let below = format!("{path}[{}]", name(path, item));
                match item {
                    Json::Object(_) => put(paths, &below, item),
                    _ => drop(paths.insert(below, "there".to_owned())),
                }
            }
        }
        Json::String(text) => drop(paths.insert(path.to_owned(), text.clone())),
        scalar => drop(paths.insert(path.to_owned(), scalar.to_string())),
    }
}

/// A right is one verb on one resource, in whatever rule it is.
fn grant(paths: &mut BTreeMap<String, String>, rule: &Json) {
    let words = |key: &str| -> Vec<String> {
        let items = rule[key].as_array().into_iter().flatten();
        items.map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
    };
    for group in words("apiGroups") {
        for resource in words("resources") {
            for verb in words("verbs") {
                let right = format!("rules[{group}/{resource} {verb}]");
                paths.insert(right, "there".to_owned());
            }
        }
    }
}

/// What an item of a list is known by.
fn name(path: &str, item: &Json) -> String {
    let key = match path.rsplit('.').next().unwrap_or_default() {
        "volumeMounts" => "mountPath",
        "ports" if item.get("containerPort").is_some() => "containerPort",
        "x-kubernetes-validations" => "rule",
        _ => "name",
    };
    match item.get(key) {
        Some(Json::String(name)) => name.clone(),
        Some(other) => other.to_string(),
        None => item.as_str().map_or_else(|| item.to_string(), str::to_owned),
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

mod tests {
    use serde_json::json;

    use super::*;

    fn pod(image: &str, args: &[&str]) -> Json {
        json!({
            "kind": "Deployment",
            "metadata": { "name": "a" },
            "spec": { "containers": [{ "name": "c", "image": image, "args": args }] },
        })
    }

    fn check(ours: &[Json], theirs: &[Json], intended: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(compare(ours, theirs, intended), expected);
    }

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        check(&[pod("x", &["-a", "-b"])], &[pod("x", &["-b", "-a"])], &[], &[]);
        let image = "Deployment/a: spec.containers[c].image: boma x, upstream y";
        let argument = "Deployment/a: spec.containers[c].args[-b]: boma nothing, upstream there";
        check(&[pod("x", &["-a"])], &[pod("y", &["-b", "-a"])], &[], &[argument, image]);
        check(&[], &[pod("y", &[])], &[], &["Deployment/a: only upstream has it"]);
    }

    #[test]
    fn a_listed_difference_is_there_or_its_row_goes() {
        let rows = [("Deployment/a: *.image", "ours is newer")];
        check(&[pod("x", &[])], &[pod("y", &[])], &rows, &[]);
        let idle = "nothing differs at Deployment/a: *.image any more (ours is newer)";
        check(&[pod("x", &[])], &[pod("x", &[])], &rows, &[idle]);
    }

    #[test]
    fn rights_are_the_same_in_one_rule_or_in_two() {
        let role =
            |rules: Json| json!({ "kind": "Role", "metadata": { "name": "r" }, "rules": rules });
        let one = role(json!([{ "apiGroups": [""], "resources": ["a", "b"], "verbs": ["get"] }]));
        let two = role(json!([
            { "apiGroups": [""], "resources": ["b"], "verbs": ["get"] },
            { "apiGroups": [""], "resources": ["a"], "verbs": ["get"] },
        ]));
        check(&[one], &[two], &[], &[]);
    }
}
