//! One value on one line.

use serde_json::Value as Json;

use super::words::{Fates, clean, is_hostile};
use crate::resource::{as_reference, as_secret, is_sealed};

/// Stands for every secret.
pub const SECRET: &str = "(secret)";

/// Stands for a field that is not there.
pub const NOT_SET: &str = "(not set)";

/// Whole, on one line, harmless to a terminal. Text is bare unless bare text could be taken for
/// something else; encoded references and secrets are put in words.
pub fn inline(json: &Json, fates: &Fates<'_>) -> String {
    match json {
        Json::String(text) => scalar(text, false),
        _ => nested(json, fates),
    }
}

/// Cuts text to `limit` characters and says how long it was; a text that is hardly longer stays,
/// because the note takes room too.
pub fn cut(text: &str, limit: usize) -> String {
    /// Columns of the note.
    const NOTE: usize = 20;
    let length = text.chars().count();
    if length <= limit.saturating_add(NOTE) {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit).collect();
    format!("{kept}… ({length} characters)")
}

/// Cuts two texts so that what is left still differs.
pub fn cut_pair(before: &str, after: &str, limit: usize) -> (String, String) {
    /// Equal characters kept before the first one that differs.
    const CONTEXT: usize = 10;
    let same = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let fits = |text: &str| text.chars().count() <= limit;
    if (fits(before) && fits(after)) || same + CONTEXT < limit {
        return (cut(before, limit), cut(after, limit));
    }
    let from = |text: &str| {
        let rest: String = text.chars().skip(same.saturating_sub(CONTEXT)).collect();
        format!("…{}", cut(&rest, limit))
    };
    (from(before), from(after))
}

/// The value without its secrets: each becomes null.
pub fn masked(json: &Json) -> Json {
    match json {
        secret if as_secret(secret).is_some() || is_sealed(secret) => Json::Null,
        Json::Array(items) => items.iter().map(masked).collect::<Vec<_>>().into(),
        Json::Object(map) => {
            Json::Object(map.iter().map(|(key, value)| (key.clone(), masked(value))).collect())
        }
        scalar => scalar.clone(),
    }
}

/// Whether a map stands for something that is not known yet or not to be seen.
pub fn is_encoded(json: &Json) -> bool {
    json.as_object().is_some_and(|map| map.len() == 1 && map.keys().all(|key| key.starts_with('$')))
}

fn nested(json: &Json, fates: &Fates<'_>) -> String {
    if let Some(reference) = as_reference(json) {
        return format!("(known after {})", fates.of_owner(&reference.address));
    }
    if as_secret(json).is_some() || is_sealed(json) {
        return SECRET.into();
    }
    if let Some(Json::Array(parts)) = json.get("$template") {
        return parts.iter().map(part).collect();
    }
    match json {
        Json::String(text) => scalar(text, true),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| nested(item, fates)).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => {
            let pairs =
                map.iter().map(|(key, value)| format!("{}: {}", clean(key), nested(value, fates)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}

/// One part of a template: text as it is, a reference in braces.
fn part(json: &Json) -> String {
    match (json, as_reference(json)) {
        (_, Some(reference)) => clean(&format!("{{{}.{}}}", reference.address, reference.path)),
        (Json::String(text), None) => clean(text),
        (Json::Number(_) | Json::Bool(_), None) => json.to_string(),
        _ => SECRET.into(),
    }
}

fn scalar(text: &str, within: bool) -> String {
    if !needs_quotes(text, within) {
        return text.to_owned();
    }
    let quoted = Json::from(text).to_string();
    quoted.chars().fold(String::with_capacity(quoted.len()), |mut safe, letter| {
        match is_hostile(letter) {
            true => safe.extend(letter.escape_unicode()),
            false => safe.push(letter),
        }
        safe
    })
}

/// Bare text must not look like another type, like boma's own words, or end where it does not.
fn needs_quotes(text: &str, within: bool) -> bool {
    text.is_empty()
        || text.trim() != text
        || text.starts_with(['(', '"', '[', '{'])
        || text.contains(" -> ")
        || text.starts_with("known after ")
        || text.chars().any(is_hostile)
        || matches!(text, "true" | "false" | "null")
        || text.parse::<f64>().is_ok()
        || (within && text.contains([',', '[', ']', '{', '}']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::{Address, SecretSource, Value};

    fn check(value: Json, expected: &str) {
        assert_eq!(inline(&value, &Fates::default()), expected);
    }

    #[test]
    fn text_is_bare_unless_it_could_be_something_else() {
        check(json!("1Gi"), "1Gi");
        check(json!("vsanDatastore (fast)"), "vsanDatastore (fast)");
        check(json!("true"), "\"true\"");
        check(json!("15"), "\"15\"");
        check(json!(15), "15");
        check(json!(""), "\"\"");
        check(json!("(secret)"), "\"(secret)\"");
        check(json!("\u{1b}[2J"), "\"\\u001b[2J\"");
        check(json!("a\u{9b}b"), "\"a\\u{9b}b\"");
        check(json!(["a", "b, c", {"k": null}]), "[a, \"b, c\", {k: null}]");
    }

    #[test]
    fn what_is_not_known_or_not_shown_is_said_in_words() {
        let vm = Address::from("vsphere/vm/a");
        check(Value::reference(&vm, "uid").encode(), "(known after vsphere/vm/a is created)");
        check(Value::Secret(SecretSource::Env("X".into())).encode(), "(secret)");
        check(json!([{"$sealed": "00ff"}]), "[(secret)]");
        let template = Value::Template(vec!["vsphere://".into(), Value::reference(&vm, "uid")]);
        check(template.encode(), "vsphere://{vsphere/vm/a.uid}");
        assert_eq!(masked(&json!({"a": {"$sealed": "00ff"}, "b": 1})), json!({"a": null, "b": 1}));
    }

    #[test]
    fn a_cut_keeps_what_differs() {
        assert_eq!(cut("abcdef", 3), "abcdef");
        assert_eq!(cut(&"abcdef".repeat(5), 3), "abc… (30 characters)");
        let (before, after) = (format!("{}x", "a".repeat(100)), format!("{}y", "a".repeat(100)));
        assert_eq!(cut_pair(&before, &after, 50), ("…aaaaaaaaaax".into(), "…aaaaaaaaaay".into()));
        assert_eq!(cut_pair("a", "b", 50), ("a".into(), "b".into()));
    }
}
