//! Values as the server gives them back: it reads every object into its own types and writes it
//! anew, which spells quantities in one form and leaves out what is empty.

use serde_json::{Map, Value as Json, json};

use super::shape::Shape;
use super::syntax::quantity;

/// Fields whose `false` or 0 means the same as nothing, and is not written. Those of all other
/// fields are kept: the server knows them from nothing.
const PLAIN: [&str; 15] = [
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
    "unschedulable",
    "globalDefault",
];

/// Texts that may be empty and are written all the same.
const EMPTY: [&str; 4] = ["storageClassName", "type", "volumeName", "name"];

/// Rewrites an object of the server's own kinds.
pub(super) fn normalise(value: &mut Json, shape: &Shape) {
    match (&mut *value, shape) {
        (Json::Array(items), Shape::List(item, _)) => {
            items.iter_mut().for_each(|value| normalise(value, item));
        }
        (Json::Object(map), Shape::Map { value, .. }) => {
            map.values_mut().for_each(|one| normalise(one, value));
        }
        (Json::Object(map), _) => fields(map, shape),
        (other, Shape::Quantity) => {
            if let Some(text) = canonical(other) {
                *value = json!(text);
            }
        }
        _ => {}
    }
}

fn fields(map: &mut Map<String, Json>, shape: &Shape) {
    let Some(kind) = shape.fields() else { return };
    map.retain(|key, value| {
        let Some(field) = kind.fields.get(key) else { return true };
        normalise(value, &field.shape);
        field.required || field.default.is_some() || !is_nothing(key, value, &field.shape)
    });
}

fn is_nothing(key: &str, value: &Json, shape: &Shape) -> bool {
    match (value, shape) {
        (Json::String(text), Shape::Text) => text.is_empty() && !EMPTY.contains(&key),
        (Json::Array(items), Shape::List(..)) => items.is_empty(),
        (Json::Object(map), Shape::Map { .. }) => map.is_empty(),
        (Json::Bool(false), _) => PLAIN.contains(&key),
        (Json::Number(number), Shape::Int) => number.as_i64() == Some(0) && PLAIN.contains(&key),
        _ => false,
    }
}

/// The server's spelling of a quantity: `1000m` is `1`, `1.5Gi` is `1536Mi`. `None` for what is no
/// quantity, or is written with an exponent.
pub(super) fn canonical(value: &Json) -> Option<String> {
    let thousandths = quantity(value)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.contains(['e', 'E']) && !text.ends_with(['E', 'i']) {
        return None;
    }
    let whole = thousandths / 1_000;
    if thousandths % 1_000 != 0 {
        return Some(format!("{thousandths}m"));
    }
    if text.ends_with('i') && whole.abs() >= 1_024 {
        return Some(scaled(whole, 1_024, &["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]));
    }
    Some(scaled(whole, 1_000, &["", "k", "M", "G", "T", "P", "E"]))
}

fn scaled(mut number: i128, base: i128, suffixes: &[&str]) -> String {
    let mut suffix = 0;
    while number != 0 && number % base == 0 && suffix + 1 < suffixes.len() {
        number /= base;
        suffix += 1;
    }
    format!("{number}{}", suffixes[suffix])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_one_spelling() {
        for (text, spelled) in [
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1000Mi", "1000Mi"),
            ("1000", "1k"),
            ("20Gi", "20Gi"),
            ("0", "0"),
            ("2E", "2E"),
        ] {
            assert_eq!(canonical(&json!(text)).as_deref(), Some(spelled), "{text}");
        }
        assert_eq!(canonical(&json!("1e3")), None);
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let mut spec = json!({"containers": [{"name": "c", "args": [], "tty": false,
            "env": [{"name": "A", "value": ""}], "securityContext": {"privileged": false}}],
            "nodeSelector": {}, "volumes": [{"name": "v", "emptyDir": {}}]});
        normalise(&mut spec, &Shape::of_kind("PodSpec").unwrap());
        assert_eq!(
            spec,
            json!({"containers": [{"name": "c", "env": [{"name": "A"}],
                "securityContext": {"privileged": false}}],
                "volumes": [{"name": "v", "emptyDir": {}}]})
        );
    }
}
