//! The syntax of names, labels and quantities.

use serde_json::{Value as Json, json};

use super::refusal::Problem;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// How names of a kind are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    Subdomain,
    Label,
    Dns1035,
    /// Anything that fits in a path: names of RBAC.
    Segment,
}

/// What is wrong with a name.
pub(super) fn name(field: &str, name: &str, naming: Naming) -> Option<Problem> {
    let lower = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let label = |text: &str| {
        text.starts_with(lower)
            && text.ends_with(lower)
            && text.chars().all(|letter| lower(letter) || letter == '-')
    };
    let (good, max, why) = match naming {
        Naming::Subdomain => (name.split('.').all(label), 253, SUBDOMAIN),
        Naming::Label => (label(name), 63, LABEL),
        Naming::Dns1035 => (
            label(name) && name.starts_with(|letter: char| letter.is_ascii_lowercase()),
            63,
            DNS_1035,
        ),
        Naming::Segment => {
            let why = "may not contain '/' or '%', and may not be '.' or '..'";
            (!name.contains(['/', '%']) && name != "." && name != "..", 253, why)
        }
    };
    if name.len() > max {
        let why = format!("must be no more than {max} characters");
        return Some(Problem::invalid(field, &json!(name), &why));
    }
    (!good).then(|| Problem::invalid(field, &json!(name), why))
}

/// What is wrong with labels: keys and values.
pub(super) fn labels(field: &str, labels: &Json) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        problems.extend(self::key(field, key));
        let text = value.as_str().unwrap_or_default();
        if text.len() > 63 {
            problems.push(Problem::invalid(field, value, "must be no more than 63 characters"));
        } else if !text.is_empty() && !is_token(text) {
            problems.push(Problem::invalid(field, value, VALUE));
        }
    }
    problems
}

/// What is wrong with the key of a label, an annotation or a taint.
pub(super) fn key(field: &str, key: &str) -> Option<Problem> {
    let (prefix, part) = match key.split_once('/') {
        Some((prefix, part)) => (Some(prefix), part),
        None => (None, key),
    };
    if let Some(prefix) = prefix
        && name(field, prefix, Naming::Subdomain).is_some()
    {
        let why = format!("prefix part {SUBDOMAIN}");
        return Some(Problem::invalid(field, &json!(key), &why));
    }
    if part.is_empty() {
        return Some(Problem::invalid(field, &json!(key), "name part must be non-empty"));
    }
    if part.len() > 63 {
        let why = "name part must be no more than 63 characters";
        return Some(Problem::invalid(field, &json!(key), why));
    }
    (!is_token(part)).then(|| Problem::invalid(field, &json!(key), KEY))
}

fn is_token(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric();
    text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|letter| plain(letter) || "-_.".contains(letter))
}

/// A quantity in thousandths: `1500m`, `1.5`, `2Gi`, `1e3`. `None` for what is none.
pub(in crate::lab) fn quantity(value: &Json) -> Option<i128> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let split = text
        .find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let factor: i128 = match suffix {
        "" => 1_000,
        "m" => 1,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "P" => 1_000_000_000_000_000_000,
        "E" => 1_000_000_000_000_000_000_000,
        "Ki" => 1_000 << 10,
        "Mi" => 1_000 << 20,
        "Gi" => 1_000 << 30,
        "Ti" => 1_000 << 40,
        "Pi" => 1_000 << 50,
        "Ei" => 1_000 << 60,
        exponent => {
            let exponent: u32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            10_i128.checked_pow(exponent)?.checked_mul(1_000)?
        }
    };
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = part.checked_mul(factor)?.checked_add(scale - 1)? / scale;
    Some(sign * whole.checked_mul(factor)?.checked_add(part)?)
}

/// What is wrong with a quantity.
pub(super) fn is_quantity(field: &str, value: &Json) -> Option<Problem> {
    let why = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    match quantity(value) {
        None => Some(Problem::invalid(field, value, why)),
        Some(number) if number < 0 => {
            Some(Problem::invalid(field, value, "must be greater than or equal to 0"))
        }
        Some(_) => None,
    }
}

/// Whether a text is base 64, padded.
pub(super) fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let letter = |one: u8| one.is_ascii_alphanumeric() || one == b'+' || one == b'/';
    text.len().is_multiple_of(4) && text.len() - bare.len() <= 2 && bare.bytes().all(letter)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers() {
        for (text, thousandths) in [
            (json!("1500m"), 1_500),
            (json!("1.5"), 1_500),
            (json!(2), 2_000),
            (json!("1Ki"), 1_024_000),
            (json!("0.5Mi"), 524_288_000),
            (json!("1e3"), 1_000_000),
            (json!(".5"), 500),
            (json!("-1"), -1_000),
        ] {
            assert_eq!(quantity(&text), Some(thousandths), "{text}");
        }
        for text in ["", "x", "1Zi", "1.2.3", "m"] {
            assert_eq!(quantity(&json!(text)), None, "{text}");
        }
    }

    #[test]
    fn names_and_labels_have_their_syntax() {
        assert!(name("f", "a.b-c", Naming::Subdomain).is_none());
        assert!(name("f", "a.b", Naming::Label).is_some());
        assert!(name("f", "1a", Naming::Dns1035).is_some());
        assert!(name("f", "system:x", Naming::Segment).is_none());
        assert!(labels("f", &json!({"a.b/c": "d", "e": ""})).is_empty());
        assert_eq!(labels("f", &json!({"A/": "-", "x y": "z"})).len(), 3);
    }

    #[test]
    fn base64_is_told_from_other_text() {
        assert!(is_base64("") && is_base64("YQ==") && !is_base64("YQ=") && !is_base64("a b="));
    }
}
