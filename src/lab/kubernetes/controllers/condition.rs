//! Conditions in the status of objects.

use serde_json::{Value as Json, json};

use super::json::text;

/// One condition as a controller sees it now.
pub(super) struct Condition<'a> {
    pub kind: &'a str,
    pub status: bool,
    pub reason: &'a str,
    pub message: &'a str,
}

/// Puts conditions in place of those of the same kinds: times stay where nothing else changed.
pub(super) fn set(before: &[Json], wanted: &[Condition<'_>], now: &str) -> Vec<Json> {
    let mut conditions = before.to_vec();
    for condition in wanted {
        let place = conditions.iter().position(|known| known["type"] == condition.kind);
        let known = place.and_then(|place| before.get(place));
        let new = written(condition, known, now);
        match place {
            Some(place) => conditions[place] = new,
            None => conditions.push(new),
        }
    }
    conditions
}

/// Whether a condition of that kind is `True`.
pub(super) fn is_true(object: &Json, kind: &str) -> bool {
    let conditions = super::json::list(object, "/status/conditions");
    conditions.iter().any(|known| known["type"] == kind && known["status"] == "True")
}

fn written(condition: &Condition<'_>, known: Option<&Json>, now: &str) -> Json {
    let status = if condition.status { "True" } else { "False" };
    let same = known.filter(|known| known["status"] == status);
    let since = same.map_or(now, |known| text(known, "/lastTransitionTime"));
    let mut new = json!({"type": condition.kind, "status": status, "lastTransitionTime": since});
    if !condition.reason.is_empty() {
        new["reason"] = json!(condition.reason);
    }
    if !condition.message.is_empty() {
        new["message"] = json!(condition.message);
    }
    new
}
