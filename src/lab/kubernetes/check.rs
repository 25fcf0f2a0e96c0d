//! Whether a value has a shape: unknown and repeated fields, wrong types, what is missing.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::fields::step;
use super::refusal::Problem;
use super::shape::{Items, Shape};

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// `spec.template.spec.containers[0].foo`.
    pub path: String,
    /// `.spec.template.spec.containers[name="x"].foo`.
    pub typed: String,
    /// What was expected and found; `None` for a field that there is not.
    pub wrong: Option<(&'static str, &'static str)>,
}

/// All that does not fit.
pub(super) fn misfits(value: &Json, shape: &Shape) -> Vec<Misfit> {
    let mut found = Vec::new();
    look(value, shape, String::new(), String::new(), &mut found);
    found
}

fn look(value: &Json, shape: &Shape, path: String, typed: String, found: &mut Vec<Misfit>) {
    if value.is_null() {
        return;
    }
    let wrong = |want| Some((want, kind(value)));
    let misfit = match (shape, value) {
        (Shape::Any, _)
        | (Shape::Text | Shape::Bytes | Shape::Time, Json::String(_))
        | (Shape::Quantity | Shape::IntOrText, Json::String(_) | Json::Number(_))
        | (Shape::Number, Json::Number(_))
        | (Shape::Bool, Json::Bool(_)) => None,
        (Shape::Int, Json::Number(number)) if number.is_i64() || number.is_u64() => None,
        (Shape::Text | Shape::Bytes | Shape::Time, _) => wrong("string"),
        (Shape::Quantity | Shape::IntOrText | Shape::Number | Shape::Int, _) => {
            wrong("numeric (int or float)")
        }
        (Shape::Bool, _) => wrong("boolean"),
        (Shape::List(item, items), Json::Array(values)) => {
            for (index, value) in values.iter().enumerate() {
                let below = spelled(&step(value, item, items), index, items);
                let (path, typed) = (format!("{path}[{index}]"), format!("{typed}{below}"));
                look(value, item, path, typed, found);
            }
            None
        }
        (Shape::List(..), _) => wrong("list"),
        (_, Json::Object(map)) => {
            look_inside(map, shape, &path, &typed, found);
            None
        }
        _ => wrong("map"),
    };
    if misfit.is_some() {
        found.push(Misfit { path, typed, wrong: misfit });
    }
}

fn look_inside(
    map: &Map<String, Json>,
    shape: &Shape,
    path: &str,
    typed: &str,
    found: &mut Vec<Misfit>,
) {
    for (key, value) in map {
        let dot = if path.is_empty() { "" } else { "." };
        let (below, typed) = (format!("{path}{dot}{key}"), format!("{typed}.{key}"));
        let head = path.is_empty() && (key == "apiVersion" || key == "kind");
        match shape.below(key) {
            Some(inner) => look(value, &inner, below, typed, found),
            None if head => {}
            None => found.push(Misfit { path: below, typed, wrong: None }),
        }
    }
}

fn spelled(step: &str, index: usize, items: &Items) -> String {
    let keys: Option<Map<String, Json>> =
        step.strip_prefix("k:").and_then(|keys| serde_json::from_str(keys).ok());
    match (items, keys) {
        (Items::Keyed(_), Some(keys)) => {
            let pairs: Vec<String> =
                keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", pairs.join(","))
        }
        _ => format!("[{index}]"),
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "list",
        Json::Object(_) => "map",
    }
}

/// The path of the first item whose list by keys has another one of the same keys.
pub(super) fn repeated(value: &Json, shape: &Shape, path: String) -> Option<String> {
    match (value, shape) {
        (Json::Array(values), Shape::List(item, items)) => {
            let mut seen = std::collections::BTreeSet::new();
            values.iter().enumerate().find_map(|(index, value)| {
                let step = step(value, item, items);
                let below = format!("{path}{}", spelled(&step, index, items));
                if *items != Items::Atomic && !seen.insert(step) {
                    return Some(below);
                }
                repeated(value, item, below)
            })
        }
        (Json::Object(map), _) => map
            .iter()
            .find_map(|(key, value)| repeated(value, &shape.below(key)?, format!("{path}.{key}"))),
        _ => None,
    }
}

/// Takes unknown fields away, and nulls with them.
pub(super) fn prune(value: &mut Json, shape: &Shape) {
    match (value, shape) {
        (Json::Object(map), _) => {
            let head = |key: &str| key == "apiVersion" || key == "kind";
            map.retain(|key, value| {
                !value.is_null() && (shape.below(key).is_some() || head(key))
                    || matches!(shape, Shape::Any)
            });
            for (key, value) in map {
                if let Some(inner) = shape.below(key) {
                    prune(value, &inner);
                }
            }
        }
        (Json::Array(items), Shape::List(item, _)) => {
            items.iter_mut().for_each(|value| prune(value, item));
        }
        _ => {}
    }
}

/// Writes the defaults of the table and of schemas.
pub(super) fn fill(value: &mut Json, shape: &Shape) {
    match (value, shape) {
        (Json::Array(items), Shape::List(item, _)) => {
            items.iter_mut().for_each(|value| fill(value, item));
        }
        (Json::Object(map), Shape::Map { value, .. }) => {
            map.values_mut().for_each(|one| fill(one, value));
        }
        (Json::Object(map), _) => {
            let Some(kind) = shape.fields() else { return };
            for (key, field) in &kind.fields {
                if let Some(default) = &field.default
                    && !map.contains_key(key)
                {
                    map.insert(key.clone(), default.clone());
                }
                if let Some(value) = map.get_mut(key) {
                    fill(value, &field.shape);
                }
            }
        }
        _ => {}
    }
}

/// Required fields that are not there, and values that are none of those allowed.
pub(super) fn missing(value: &Json, shape: &Shape, path: &str, found: &mut Vec<Problem>) {
    match (value, shape) {
        (Json::Array(items), Shape::List(item, _)) => {
            for (index, value) in items.iter().enumerate() {
                missing(value, item, &format!("{path}[{index}]"), found);
            }
        }
        (Json::Object(map), Shape::Map { value, .. }) => {
            for (key, one) in map {
                missing(one, value, &format!("{path}[{key}]"), found);
            }
        }
        (Json::Object(map), _) => {
            let Some(kind) = shape.fields() else { return };
            for (key, field) in &kind.fields {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match map.get(key) {
                    None if field.required => found.push(Problem::required(below)),
                    None => {}
                    Some(value) => {
                        let empty = value == "" || value.as_array().is_some_and(Vec::is_empty);
                        if field.required && empty && !matches!(shape, Shape::Struct(_)) {
                            found.push(Problem::required(below));
                            continue;
                        }
                        if !field.values.is_empty() && !field.values.contains(value) {
                            let known: Vec<&str> =
                                field.values.iter().filter_map(Json::as_str).collect();
                            found.push(Problem::unsupported(&below, value, &known));
                        }
                        missing(value, &field.shape, &below, found);
                    }
                }
            }
        }
        _ => {}
    }
}

/// Reads JSON, and gives the paths of fields that stand there twice.
///
/// # Errors
/// What is wrong with the text.
pub(super) fn read(bytes: &[u8]) -> Result<(Json, Vec<String>), serde_json::Error> {
    let twice = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Place { path: String::new(), twice: &twice }.deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, twice.into_inner()))
}

struct Place<'a> {
    path: String,
    twice: &'a RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        let place =
            |index: usize| Place { path: format!("{}[{index}]", self.path), twice: self.twice };
        while let Some(value) = items.next_element_seed(place(list.len()))? {
            list.push(value);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let dot = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{key}", self.path);
            let value = entries.next_value_seed(Place { path: path.clone(), twice: self.twice })?;
            if map.insert(key, value).is_some() {
                self.twice.borrow_mut().push(path);
            }
        }
        Ok(Json::Object(map))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_fields_and_wrong_types_have_their_paths() {
        let value = json!({"kind": "Deployment", "spec": {"replicas": "1", "template": {"spec":
            {"containers": [{"name": "c", "foo": 1}]}}}});
        let found = misfits(&value, &Shape::of_kind("Deployment").unwrap());
        let paths: Vec<(&str, &str)> =
            found.iter().map(|one| (one.path.as_str(), one.typed.as_str())).collect();
        assert_eq!(
            paths,
            [
                ("spec.replicas", ".spec.replicas"),
                (
                    "spec.template.spec.containers[0].foo",
                    ".spec.template.spec.containers[name=\"c\"].foo"
                )
            ]
        );
        assert_eq!(found[0].wrong, Some(("numeric (int or float)", "string")));
    }

    #[test]
    fn a_field_that_stands_twice_is_told() {
        let (value, twice) = read(br#"{"a": [{"b": 1, "b": 2}], "c": 1.5}"#).unwrap();
        assert_eq!(value, json!({"a": [{"b": 2}], "c": 1.5}));
        assert_eq!(twice, ["a[0].b"]);
        assert!(read(b"{} x").is_err());
    }

    #[test]
    fn defaults_are_written_where_their_parent_stands() {
        let mut value = json!({"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}});
        fill(&mut value, &Shape::of_kind("Deployment").unwrap());
        assert_eq!(value["spec"]["revisionHistoryLimit"], 10);
        let container = &value["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["terminationMessagePolicy"], "File");
        assert!(container.get("livenessProbe").is_none());
    }
}
