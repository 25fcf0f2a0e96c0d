//! The spec's JSON Schema, read off the key table.

use serde_json::{Map, Value, json};

use super::keys::{Key, Need, ROOT, Shape};
use super::scalar::{self, Form};
use super::words::example_of;

/// The JSON Schema (draft 2020-12) of a spec, for editors and other validators.
pub fn schema() -> Value {
    let mut root = table(ROOT);
    if let Value::Object(root) = &mut root {
        root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".into(), json!("boma spec"));
        root.insert(
            "description".into(),
            json!("One deployment: a vCenter, machines, a k3s cluster and CHT projects."),
        );
        root.insert("$defs".into(), json!({ "secret": secret() }));
    }
    root
}

fn table(keys: &'static [Key]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> =
        keys.iter().filter(|key| matches!(key.need, Need::Required)).map(|key| key.name).collect();
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if let (Value::Object(schema), false) = (&mut schema, required.is_empty()) {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn property(key: &'static Key) -> Value {
    let mut value = shape(&key.shape);
    let Value::Object(schema) = &mut value else {
        return value;
    };
    schema.insert("description".into(), json!(key.doc));
    if let Need::Default(text) = key.need {
        schema.insert("default".into(), json_of(text));
    }
    if let Some(text) = example_of(key) {
        schema.insert("examples".into(), json!([json_of(&text)]));
    }
    value
}

fn shape(shape: &'static Shape) -> Value {
    match shape {
        Shape::Text(form) => text(form),
        Shape::TextOrEmpty(form) => json!({ "type": "string", "pattern": form.pattern }),
        Shape::Choice(words) => json!({ "type": "string", "enum": words }),
        Shape::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Date => text(&scalar::DATE),
        Shape::Secret => json!({ "$ref": "#/$defs/secret" }),
        Shape::List(item) => json!({ "type": "array", "items": self::shape(item) }),
        Shape::OneOrMany(item) => json!({
            "anyOf": [self::shape(item), { "type": "array", "items": self::shape(item) }],
        }),
        Shape::Table(keys) => table(keys),
        Shape::Map(form, item) => json!({
            "type": "object",
            "propertyNames": text(form),
            "additionalProperties": self::shape(item),
        }),
    }
}

fn text(form: &'static Form) -> Value {
    match form.pattern {
        "" => json!({ "type": "string", "minLength": 1 }),
        pattern => json!({ "type": "string", "pattern": pattern }),
    }
}

fn secret() -> Value {
    let one = |name: &str, value: Value, doc: &str| {
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": [name],
            "properties": { name: value },
            "description": doc,
        })
    };
    let word = json!({ "type": "string", "minLength": 1 });
    let variable = json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" });
    let words = json!({ "type": "array", "minItems": 1, "items": word });
    json!({
        "description": "Where a secret is, never what it is.",
        "oneOf": [
            one("env", variable, "An environment variable."),
            one("file", word, "A file beside the spec; ~/ is the home directory."),
            one("command", words, "A program and its arguments; its output is the secret."),
        ],
    })
}

/// A TOML value as JSON. Dates, which JSON lacks, become text.
fn json_of(text: &str) -> Value {
    match text.parse::<toml::Value>() {
        Ok(toml::Value::Datetime(date)) => json!(date.to_string()),
        Ok(value) => json!(value),
        Err(_) => Value::Null,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::spec::check::Checker;
    use crate::spec::source::Source;

    /// Checks each example and default against the shape it documents.
    fn check(path: &str, keys: &'static [Key]) {
        for key in keys {
            let path = format!("{path}.{}", key.name);
            assert!(key.doc.ends_with('.'), "{path} has no sentence");
            let default = match key.need {
                Need::Default(text) => Some(text.to_owned()),
                _ => None,
            };
            for text in default.into_iter().chain(example_of(key)) {
                let value = toml::de::DeValue::parse(&text).expect(&path);
                let source = Source::new("f", &text);
                let mut checker = Checker::new(&source);
                checker.value(&path, &key.shape, &value);
                assert_eq!(checker.found, [], "{path} = {text}");
                assert_ne!(json_of(&text), Value::Null, "{path} = {text}");
            }
            check_below(&path, &key.shape);
        }
    }

    fn check_below(path: &str, shape: &'static Shape) {
        match shape {
            Shape::Table(keys) => check(path, keys),
            Shape::List(item) | Shape::Map(_, item) | Shape::OneOrMany(item) => {
                check_below(path, item);
            }
            _ => {}
        }
    }

    #[test]
    fn every_example_and_default_passes_its_own_check() {
        check("", ROOT);
    }

    #[test]
    fn refuses_unknown_keys_everywhere() {
        let text = serde_json::to_string(&schema()).unwrap();
        let tables = text.matches("\"properties\":").count();
        assert_eq!(text.matches("\"additionalProperties\":false").count(), tables);
        assert!(tables > 30);
    }
}
