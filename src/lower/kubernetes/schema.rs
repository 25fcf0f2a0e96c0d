//! Schemas of custom objects, in the structural form that Kubernetes asks for.

use serde_json::{Map, Value as Json, json};

/// A text.
pub fn text() -> Json {
    json!({ "type": "string" })
}

/// One of a few words.
pub fn word(words: &[&str]) -> Json {
    json!({ "type": "string", "enum": words })
}

/// Yes or no.
pub fn flag() -> Json {
    json!({ "type": "boolean" })
}

/// A whole number of 64 bits.
pub fn number() -> Json {
    json!({ "type": "integer", "format": "int64" })
}

/// A point in time, RFC 3339.
pub fn time() -> Json {
    json!({ "type": "string", "format": "date-time" })
}

/// An amount with or without a unit: Kubernetes' own expression for it.
pub fn quantity() -> Json {
    const NUMBER: &str = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))";
    let sign = r"(\+|-)?";
    let unit = format!("(([KMGTPE]i)|[numkMGTPE]|([eE]{sign}{NUMBER}))?");
    json!({
        "type": "string",
        "pattern": format!("^{sign}{NUMBER}{unit}$"),
        "x-kubernetes-int-or-string": true,
    })
}

/// Texts by any key.
pub fn texts() -> Json {
    json!({ "type": "object", "additionalProperties": text() })
}

/// Named parts, of which some must be there.
pub fn object(required: &[&str], parts: &[(&str, Json)]) -> Json {
    let properties: Map<String, Json> =
        parts.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut object = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// A schema with rules in the Common Expression Language, each with what it says when it is broken.
pub fn checked(mut schema: Json, rules: &[(String, String)]) -> Json {
    let written = |(rule, message): &(String, String)| json!({ "rule": rule, "message": message });
    schema["x-kubernetes-validations"] = rules.iter().map(written).collect();
    schema
}

/// A part that keeps its first value.
pub fn fixed(name: &str, schema: Json) -> Json {
    checked(schema, &[("self == oldSelf".into(), format!("{name} cannot be changed"))])
}

/// The rule that a part does not go away.
pub fn kept(name: &str) -> (String, String) {
    (format!("!has(oldSelf.{name}) || has(self.{name})"), format!("{name} cannot be taken away"))
}

/// The rule that there is one part or the other.
pub fn either(one: &str, other: &str) -> (String, String) {
    let rule = format!(
        "(has(self.{one}) && !has(self.{other})) || (!has(self.{one}) && has(self.{other}))"
    );
    (rule, format!("either {one} or {other} is needed, and not both"))
}

/// The schema without some parts and without all rules, wherever they are.
pub fn without(schema: &Json, parts: &[&str]) -> Json {
    match schema {
        Json::Object(map) => {
            let kept = map.iter().filter(|(key, _)| {
                !key.starts_with("x-kubernetes-validations") && !parts.contains(&key.as_str())
            });
            kept.map(|(key, value)| (key.clone(), without(value, parts))).collect()
        }
        other => other.clone(),
    }
}
