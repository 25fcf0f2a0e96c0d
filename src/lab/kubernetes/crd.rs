//! CustomResourceDefinitions: what they serve, and their schemas as shapes.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::resource::Resource;
use super::shape::{Field, Items, Shape, Type};

/// The rule that most definitions of what stays have.
const UNCHANGED: &str = "self == oldSelf";

/// What a definition serves, the stored version first; nothing while it is being deleted.
pub(super) fn resources(definition: &Json) -> Vec<Resource> {
    let spec = &definition["spec"];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Json| value.as_array().into_iter().flatten().map(text).collect();
    if !is_established(definition) {
        return Vec::new();
    }
    let versions = spec["versions"].as_array().into_iter().flatten();
    let served = versions.filter(|version| version["served"] == true);
    let mut all: Vec<(bool, Resource)> = served
        .map(|version| {
            let resource = Resource {
                group: text(&spec["group"]),
                version: text(&version["name"]),
                plural: text(&spec["names"]["plural"]),
                singular: text(&spec["names"]["singular"]),
                kind: text(&spec["names"]["kind"]),
                namespaced: spec["scope"] == "Namespaced",
                short: texts(&spec["names"]["shortNames"]),
                subresources: subresources(&version["subresources"]),
                shape: whole(&version["schema"]["openAPIV3Schema"]),
                custom: true,
            };
            (version["storage"] != true, resource)
        })
        .collect();
    all.sort_by_key(|(other, _)| *other);
    all.into_iter().map(|(_, resource)| resource).collect()
}

/// Whether its resources are served.
pub(super) fn is_established(definition: &Json) -> bool {
    let conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .into_iter()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

fn subresources(json: &Json) -> Vec<String> {
    let has = |name: &&str| json.get(*name).is_some();
    ["status", "scale"].into_iter().filter(has).map(str::to_owned).collect()
}

/// The shape of whole objects: what the schema says, and what all objects have.
fn whole(schema: &Json) -> Shape {
    let mut kind = match shape(schema) {
        Shape::Struct(kind) => (*kind).clone(),
        _ => Type { open: true, ..Type::default() },
    };
    let meta = Shape::of_kind("ObjectMeta").unwrap_or(Shape::Any);
    kind.fields.insert("metadata".to_owned(), Field::of(meta));
    kind.fields.insert("apiVersion".to_owned(), Field::of(Shape::Text));
    kind.fields.insert("kind".to_owned(), Field::of(Shape::Text));
    Shape::Struct(Arc::new(kind))
}

/// A structural schema as a shape.
fn shape(schema: &Json) -> Shape {
    if schema["x-kubernetes-int-or-string"] == true {
        return Shape::IntOrText;
    }
    match schema["type"].as_str() {
        Some("string") if schema["format"] == "byte" => Shape::Bytes,
        Some("string") => Shape::Text,
        Some("integer") => Shape::Int,
        Some("number") => Shape::Number,
        Some("boolean") => Shape::Bool,
        Some("array") => list(schema),
        Some("object") => object(schema),
        _ if schema["properties"].is_object() => object(schema),
        _ => Shape::Any,
    }
}

fn list(schema: &Json) -> Shape {
    let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
    let items = match schema["x-kubernetes-list-type"].as_str() {
        Some("map") => Items::Keyed(keys.filter_map(Json::as_str).map(str::to_owned).collect()),
        Some("set") => Items::Set,
        _ => Items::Atomic,
    };
    Shape::List(Arc::new(shape(&schema["items"])), items)
}

fn object(schema: &Json) -> Shape {
    let atomic = schema["x-kubernetes-map-type"] == "atomic";
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    let Some(properties) = schema["properties"].as_object() else {
        return match &schema["additionalProperties"] {
            values @ Json::Object(_) => Shape::Map { value: Arc::new(shape(values)), atomic },
            Json::Bool(true) => Shape::Map { value: Arc::new(Shape::Any), atomic },
            _ if open => Shape::Any,
            _ => Shape::Struct(Arc::new(Type { atomic, ..Type::default() })),
        };
    };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let field = |(name, schema): (&String, &Json)| {
        let field = Field {
            shape: shape(schema),
            required: required.contains(&name.as_str()),
            default: schema.get("default").cloned(),
            values: schema["enum"].as_array().cloned().unwrap_or_default(),
            fixed: fixed(schema),
        };
        (name.clone(), field)
    };
    let fields = properties.iter().map(field).collect();
    Shape::Struct(Arc::new(Type { atomic, open, fields }))
}

/// What a rule says that lets nothing change: of all rules in the Common Expression Language, the
/// lab knows this one.
fn fixed(schema: &Json) -> Option<String> {
    let mut rules = schema["x-kubernetes-validations"].as_array()?.iter();
    let rule = rules.find(|one| one["rule"] == UNCHANGED)?;
    let message = rule["message"].as_str().map(str::to_owned);
    Some(message.unwrap_or_else(|| format!("failed rule: {UNCHANGED}")))
}

/// What the server writes into a new definition: names it accepts, and that it serves them.
pub(super) fn status(spec: &Json, time: &str) -> Json {
    let stored: Vec<&Json> = spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| &version["name"])
        .collect();
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": "True", "lastTransitionTime": time, "reason": reason,
            "message": message})
    };
    json!({
        "acceptedNames": spec["names"],
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": stored,
    })
}
