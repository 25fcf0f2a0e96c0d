//! Sets of fields, as `metadata.managedFields` writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::shape::{Items, Shape};

/// A set of paths. Steps are spelled as in `fieldsV1`: `f:name`, `k:{"name":"x"}`, `v:"x"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// The path that ends here is in the set.
    pub here: bool,
    pub below: BTreeMap<String, Fields>,
}

impl Fields {
    /// The set that ends here.
    pub(super) fn leaf() -> Self {
        Self { here: true, below: BTreeMap::new() }
    }

    /// Everything that a value says, by the rules of its shape.
    pub(super) fn of(value: &Json, shape: &Shape) -> Self {
        let mut set = Self::default();
        set.collect(value, shape);
        set
    }

    fn collect(&mut self, value: &Json, shape: &Shape) {
        if shape.is_atomic() {
            self.here = true;
            return;
        }
        match (value, shape) {
            (Json::Object(map), _) => {
                for (key, value) in map {
                    let inner = shape.below(key).unwrap_or(Shape::Any);
                    let below = self.step(&format!("f:{key}"));
                    below.collect(value, &inner);
                    let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                    below.here |= empty || !shape.is_field(key);
                }
            }
            (Json::Array(items), Shape::List(item, kind)) => {
                for value in items {
                    let below = self.step(&step(value, item, kind));
                    below.here = true;
                    below.collect(value, item);
                }
            }
            _ => self.here = true,
        }
    }

    /// The set below a step; made where there is none.
    pub(super) fn step(&mut self, step: &str) -> &mut Self {
        self.below.entry(step.to_owned()).or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.here && self.below.values().all(Self::is_empty)
    }

    /// Adds what another set has.
    pub(super) fn add(&mut self, other: &Self) {
        self.here |= other.here;
        for (step, below) in &other.below {
            self.step(step).add(below);
        }
    }

    /// What is here and not in another set.
    #[must_use]
    pub(super) fn without(&self, other: &Self) -> Self {
        let keep = |(step, below): (&String, &Self)| {
            let below = match other.below.get(step) {
                Some(other) => below.without(other),
                None => below.clone(),
            };
            (!below.is_empty()).then(|| (step.clone(), below))
        };
        Self { here: self.here && !other.here, below: self.below.iter().filter_map(keep).collect() }
    }

    /// What is in both.
    #[must_use]
    pub(super) fn common(&self, other: &Self) -> Self {
        let keep = |(step, below): (&String, &Self)| {
            let below = below.common(other.below.get(step)?);
            (!below.is_empty()).then(|| (step.clone(), below))
        };
        Self { here: self.here && other.here, below: self.below.iter().filter_map(keep).collect() }
    }

    /// The same, with every named field on the way to a member as a member.
    #[must_use]
    pub(super) fn closed(&self) -> Self {
        let close = |(step, below): (&String, &Self)| {
            let mut below = below.closed();
            below.here |= step.starts_with("f:");
            (step.clone(), below)
        };
        Self { here: self.here, below: self.below.iter().map(close).collect() }
    }

    /// Takes away the path of these steps and all that is below it.
    pub(super) fn cut(&mut self, path: &[&str]) {
        match path {
            [] => {}
            [last] => {
                self.below.remove(*last);
            }
            [first, rest @ ..] => {
                if let Some(below) = self.below.get_mut(*first) {
                    below.cut(rest);
                    if below.is_empty() {
                        self.below.remove(*first);
                    }
                }
            }
        }
    }

    /// Paths as conflicts print them: `.spec.containers[name="x"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.print(String::new(), &mut paths);
        paths
    }

    fn print(&self, path: String, paths: &mut Vec<String>) {
        for (step, below) in &self.below {
            below.print(format!("{path}{}", spelled(step)), paths);
        }
        if self.here {
            paths.push(path);
        }
    }

    /// As `fieldsV1`.
    pub(super) fn to_json(&self) -> Json {
        let mut map = Map::new();
        if self.here && !self.below.is_empty() {
            map.insert(".".to_owned(), Json::Object(Map::new()));
        }
        map.extend(self.below.iter().map(|(step, below)| (step.clone(), below.to_json())));
        Json::Object(map)
    }

    /// Reads `fieldsV1`; the whole is never a member itself.
    pub(super) fn from_json(json: &Json) -> Self {
        let mut set = Self::read(json);
        set.here = false;
        set
    }

    fn read(json: &Json) -> Self {
        let Some(map) = json.as_object().filter(|map| !map.is_empty()) else {
            return Self::leaf();
        };
        let steps = map.iter().filter(|(step, _)| *step != ".");
        let below = steps.map(|(step, below)| (step.clone(), Self::read(below))).collect();
        Self { here: map.contains_key("."), below }
    }
}

/// The step to an item of a list.
pub(super) fn step(value: &Json, item: &Shape, items: &Items) -> String {
    match items {
        Items::Keyed(keys) => {
            let key = |key: &String| {
                let default = || item.fields()?.fields.get(key)?.default.clone();
                let value = value.get(key).cloned().or_else(default)?;
                Some((key.clone(), value))
            };
            let keys: Map<String, Json> = keys.iter().filter_map(key).collect();
            format!("k:{}", Json::Object(keys))
        }
        Items::Set | Items::Atomic => format!("v:{value}"),
    }
}

fn spelled(step: &str) -> String {
    if let Some(name) = step.strip_prefix("f:") {
        return format!(".{name}");
    }
    if let Some(value) = step.strip_prefix("v:") {
        return format!("[={value}]");
    }
    let keys: Json = serde_json::from_str(step.get(2..).unwrap_or_default()).unwrap_or_default();
    let pairs = keys.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
    format!("[{}]", pairs.join(","))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment() -> Fields {
        let value = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"spec": {"containers": [{"name": "c", "image": "i",
                "ports": [{"containerPort": 80}], "resources": {}}]}}}});
        Fields::of(&value, &Shape::of_kind("Deployment").unwrap())
    }

    #[test]
    fn a_set_is_written_as_the_server_writes_it() {
        assert_eq!(
            deployment().to_json(),
            json!({"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:replicas": {},
                "f:selector": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:image": {}, "f:resources": {},
                        "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":
                            {".": {}, "f:containerPort": {}}}}}}}}})
        );
        assert_eq!(Fields::from_json(&deployment().to_json()), deployment());
    }

    #[test]
    fn paths_are_spelled_as_in_conflicts() {
        let paths = deployment().paths();
        let wanted = ".spec.template.spec.containers[name=\"c\"].image";
        assert!(paths.iter().any(|path| path == wanted), "{paths:?}");
        let port = "ports[containerPort=80,protocol=\"TCP\"].containerPort";
        assert!(paths.iter().any(|path| path.ends_with(port)), "{paths:?}");
    }

    #[test]
    fn sets_are_added_and_taken_away() {
        let all = deployment();
        let mut part = Fields::default();
        part.step("f:spec").step("f:replicas").here = true;
        assert_eq!(all.common(&part), part);
        let rest = all.without(&part);
        assert!(rest.common(&part).is_empty());
        let mut again = rest;
        again.add(&part);
        assert_eq!(again, all);
    }
}
