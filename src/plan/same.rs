//! When two values mean the same.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::resource::{Comparison, is_amount, is_whole, milli};

/// Whether two values at a path mean the same.
pub fn same(path: &str, comparison: Comparison, desired: &Json, live: &Json) -> bool {
    match comparison {
        Comparison::Covered => {
            let covers = |one, other| covered(one, other, is_amount(path));
            covers(desired, live) && (!is_whole(path) || covers(live, desired))
        }
        Comparison::Exact | Comparison::Text | Comparison::ListBy(_) => desired == live,
        Comparison::Quantity => is_same_amount(desired, live),
        Comparison::CaseInsensitive => match (desired.as_str(), live.as_str()) {
            (Some(desired), Some(live)) => desired.to_lowercase() == live.to_lowercase(),
            _ => desired == live,
        },
        Comparison::AtLeast => match (desired.as_u64(), live.as_u64()) {
            (Some(desired), Some(live)) => live >= desired,
            _ => desired == live,
        },
        Comparison::Set => match (sorted(desired), sorted(live)) {
            (Some(desired), Some(live)) => desired == live,
            _ => desired == live,
        },
    }
}

fn covered(desired: &Json, live: &Json, amounts: bool) -> bool {
    match (desired, live) {
        (Json::Object(desired), Json::Object(live)) => {
            desired.iter().all(|(key, value)| match live.get(key) {
                Some(live) => covered(value, live, amounts || is_amount(key)),
                None => is_nothing(value),
            })
        }
        (Json::Array(desired), Json::Array(live)) => {
            let alike = |(desired, live)| covered(desired, live, amounts);
            desired.len() == live.len() && desired.iter().zip(live).all(alike)
        }
        _ if amounts => is_same_amount(desired, live),
        _ => desired == live,
    }
}

/// Whether nothing at all is as good as an empty value.
pub fn is_optional(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Covered | Comparison::ListBy(_))
}

/// What the Kubernetes API leaves out of its answers: values that say as much as none.
pub fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(set) => !set,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
    }
}

fn is_same_amount(desired: &Json, live: &Json) -> bool {
    match (quantity(desired), quantity(live)) {
        (Some(desired), Some(live)) => desired == live,
        _ => desired == live,
    }
}

fn quantity(value: &Json) -> Option<i128> {
    match value {
        Json::String(text) => milli(text),
        Json::Number(number) => milli(&number.to_string()),
        _ => None,
    }
}

fn sorted(value: &Json) -> Option<BTreeSet<String>> {
    Some(value.as_array()?.iter().map(Json::to_string).collect())
}
