//! Keys, tables and shapes in the words of diagnostics and schema.

use super::check::SECRET_HELP;
use super::keys::{Key, Need, Shape};
use super::scalar;
use super::source::shown;

/// The value of a key in TOML, as its own example or that of its form shows it.
pub(super) fn example_of(key: &'static Key) -> Option<String> {
    if let Some(example) = key.example {
        return Some(example.to_owned());
    }
    match (&key.need, &key.shape) {
        (Need::Default(value), _) if *value != "[]" => Some((*value).to_owned()),
        (_, Shape::Text(form) | Shape::TextOrEmpty(form)) => Some(format!("\"{}\"", form.example)),
        (_, Shape::List(Shape::Text(form)) | Shape::OneOrMany(Shape::Text(form))) => {
            Some(format!("[\"{}\"]", form.example))
        }
        (_, Shape::Choice([first, ..])) => Some(format!("\"{first}\"")),
        (_, Shape::Date) => Some(scalar::DATE.example.to_owned()),
        (_, Shape::Secret) => Some("{ env = \"NAME\" }".to_owned()),
        _ => None,
    }
}

/// What a shape takes, and how to write it.
pub(super) fn describe(shape: &'static Shape) -> (&'static str, String) {
    match shape {
        Shape::Text(form) | Shape::TextOrEmpty(form) => (form.name, form.help.to_owned()),
        Shape::Choice(words) => ("one of the known words", one_of(words)),
        Shape::Integer(min, max) => {
            ("a whole number", format!("write a number from {min} to {max}, without quotes"))
        }
        Shape::Bool => ("true or false", "write true or false, without quotes".to_owned()),
        Shape::Date => (scalar::DATE.name, scalar::DATE.help.to_owned()),
        Shape::Secret => ("a reference to a secret", SECRET_HELP.to_owned()),
        Shape::List(item) => {
            ("a list", format!("write it between brackets; for each item: {}", describe(item).1))
        }
        Shape::OneOrMany(item) => describe(item),
        Shape::Table(keys) => {
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            ("a table", format!("its keys are: {}", names.join(", ")))
        }
        Shape::Map(form, _) => {
            ("a table", format!("its keys are names; for each one: {}", form.help))
        }
    }
}

pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("use one of {}", quoted.join(", "))
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { shown(name) } else { format!("{path}.{}", shown(name)) }
}

pub(super) fn table_name(path: &str) -> String {
    if path.is_empty() { "the spec".to_owned() } else { format!("[{path}]") }
}

pub(super) fn lower_first(doc: &str) -> String {
    let mut chars = doc.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}
