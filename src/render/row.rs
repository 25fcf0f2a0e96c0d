//! What differs, one row a field, not yet laid out: rows of several changes can be compared.

use serde_json::Value as Json;

use super::patch::{is_text, patch};
use super::value::{NOT_SET, SECRET, inline, is_encoded};
use super::words::Fates;
use crate::plan::{Action, After, Cause, Change, Difference, Impact, Reason};
use crate::resource::Lifecycle;

/// Two lists of more characters than this are shown by the items that come and go.
const LIST_MAX: usize = 60;

/// One field of a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Keys joined by dots.
    pub path: String,
    /// What is shown of it.
    pub shown: Shown,
    /// What it costs.
    pub impact: Impact,
    /// Somebody else caused it, in a change that has other causes too.
    pub drift: bool,
    /// Who wrote the live value. `None` where nobody says.
    pub by: Option<String>,
}

/// The value of a row, whole and harmless to a terminal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// One value.
    Value {
        /// It.
        text: String,
        /// It may differ between resources that are otherwise alike: a name, an address.
        own: bool,
    },
    /// Each resource has its own value: the first and the last of several alike.
    Range(String, String),
    /// Before and after.
    Pair(String, String),
    /// Two long lists.
    Items {
        /// Only after.
        added: Vec<String>,
        /// Only before.
        removed: Vec<String>,
        /// How many are in both.
        kept: usize,
    },
    /// Lines of a text, see [`patch`].
    Patch(Vec<String>),
}

impl Shown {
    fn fixed(text: impl Into<String>) -> Self {
        Self::Value { text: text.into(), own: false }
    }
}

/// The rows of one change, in its order. A create shows values, everything else differences; of a
/// new object of the cluster only the gist, unless all is asked for.
pub fn rows(change: &Change, fates: &Fates<'_>, full: bool) -> Vec<Row> {
    if change.action == Action::Create && change.kind.lifecycle == Lifecycle::Applied && !full {
        return gist(change);
    }
    let mixed = change.reasons.iter().any(|reason| *reason != Reason::Drift);
    let mut rows = Vec::new();
    for difference in &change.attributes {
        let drift = mixed && difference.cause == Cause::Drift;
        let mut add = |path: String, shown: Shown| {
            let by = difference.changed_by.as_deref().map(super::clean);
            rows.push(Row { path, shown, impact: difference.impact, drift, by });
        };
        match change.action {
            _ if difference.sensitive => add(path(difference), secret(change.action, difference)),
            Action::Create => created(difference, fates, &mut add),
            _ => changed(difference, fates, &mut add),
        }
    }
    rows
}

/// The row of two values, where `None` is a field that is not there.
pub fn between(before: Option<&Json>, after: Option<&Json>, fates: &Fates<'_>) -> Shown {
    match (before, after) {
        (Some(Json::String(before)), Some(Json::String(after)))
            if is_text(before) || is_text(after) =>
        {
            by_line(before, after)
        }
        (None, Some(Json::String(after))) if is_text(after) => Shown::Patch(patch("", after)),
        (Some(Json::String(before)), None) if is_text(before) => Shown::Patch(patch(before, "")),
        (Some(Json::Array(before)), Some(Json::Array(after))) => items(before, after, fates),
        _ => {
            let show =
                |value: Option<&Json>| value.map_or(NOT_SET.into(), |value| inline(value, fates));
            Shown::Pair(show(before), show(after))
        }
    }
}

/// What matters of a manifest: how many of what runs, where it is not one, how much is stored,
/// which name it has.
fn gist(change: &Change) -> Vec<Row> {
    let tree = change.desired.tree();
    let spec = &tree["spec"];
    let pod = &spec["template"]["spec"];
    let containers = pod["containers"].as_array().into_iter().flatten();
    let images = containers.map(|one| (one["name"].as_str().unwrap_or_default(), &one["image"]));
    let rules = spec["rules"].as_array().into_iter().flatten();
    let one = spec["replicas"] == 1;
    let single = [
        ("replicas", if one { &Json::Null } else { &spec["replicas"] }),
        ("storage", &spec["resources"]["requests"]["storage"]),
        ("reclaimPolicy", &tree["reclaimPolicy"]),
    ];
    let all = single.into_iter().chain(images).chain(rules.map(|rule| ("host", &rule["host"])));
    let row = |(path, value): (&str, &Json)| Row {
        path: super::clean(path),
        shown: Shown::Value { text: inline(value, &Fates::default()), own: value.is_string() },
        impact: Impact::InPlace,
        drift: false,
        by: None,
    };
    all.filter(|(_, value)| !value.is_null()).map(row).collect()
}

fn path(difference: &Difference) -> String {
    super::clean(&difference.path)
}

fn secret(action: Action, difference: &Difference) -> Shown {
    Shown::fixed(match (action, &difference.before, &difference.after) {
        (Action::Create, ..) => SECRET,
        (_, _, After::Removed) => "(secret, removed)",
        (_, None, _) => "(secret, set)",
        (_, Some(_), _) => "(secret, changed)",
    })
}

fn created(difference: &Difference, fates: &Fates<'_>, add: &mut dyn FnMut(String, Shown)) {
    match &difference.after {
        After::Known(value) => leaves(path(difference), value, fates, add),
        After::Unknown(owner) => add(path(difference), unknown(&fates.of_owner(owner))),
        After::Removed => {}
    }
}

fn unknown(owner_is_made: &str) -> Shown {
    Shown::Value { text: format!("known after {owner_is_made}"), own: true }
}

/// Walks into maps, so that each line is one setting; what is null is not set.
fn leaves(path: String, value: &Json, fates: &Fates<'_>, add: &mut dyn FnMut(String, Shown)) {
    match value {
        Json::Null => {}
        Json::Object(map) if !map.is_empty() && !is_encoded(value) => {
            for (key, value) in map {
                leaves(format!("{path}.{}", super::clean(key)), value, fates, add);
            }
        }
        Json::String(text) if is_text(text) => add(path, Shown::Patch(patch("", text))),
        _ => {
            let own = value.is_string() || value.is_array();
            add(path, Shown::Value { text: inline(value, fates), own });
        }
    }
}

fn changed(difference: &Difference, fates: &Fates<'_>, add: &mut dyn FnMut(String, Shown)) {
    let before = difference.before.as_ref();
    let shown = match &difference.after {
        After::Known(after) => between(before, Some(after), fates),
        After::Removed => between(before, None, fates),
        After::Unknown(owner) => {
            let before = before.map_or(NOT_SET.into(), |before| inline(before, fates));
            Shown::Pair(before, format!("known after {}", fates.of_owner(owner)))
        }
    };
    add(path(difference), shown);
}

/// Texts that differ only in what a line diff does not show, such as the last line break.
fn by_line(before: &str, after: &str) -> Shown {
    let lines = patch(before, after);
    let visible = lines.iter().any(|line| line.starts_with(['+', '-']));
    let ending = |text: &str| text.trim_end_matches(['\n', '\r']).len();
    match visible && before.get(..ending(before)) != after.get(..ending(after)) {
        true => Shown::Patch(lines),
        false => Shown::fixed("line breaks changed"),
    }
}

fn items(before: &[Json], after: &[Json], fates: &Fates<'_>) -> Shown {
    let whole = |items: &[Json]| inline(&Json::from(items), fates);
    let (pair_before, pair_after) = (whole(before), whole(after));
    if pair_before.chars().count() + pair_after.chars().count() <= LIST_MAX {
        return Shown::Pair(pair_before, pair_after);
    }
    let mut removed: Vec<String> = before.iter().map(|item| inline(item, fates)).collect();
    let mut added = Vec::new();
    for item in after.iter().map(|item| inline(item, fates)) {
        match removed.iter().position(|other| *other == item) {
            Some(at) => drop(removed.remove(at)),
            None => added.push(item),
        }
    }
    if added.is_empty() && removed.is_empty() {
        return Shown::fixed(format!("same {} items in another order", after.len()));
    }
    let kept = after.len() - added.len();
    Shown::Items { added, removed, kept }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(before: Option<Json>, after: Option<Json>, expected: Shown) {
        assert_eq!(between(before.as_ref(), after.as_ref(), &Fates::default()), expected);
    }

    #[test]
    fn short_values_stand_side_by_side() {
        check(Some(json!(1)), Some(json!(2)), Shown::Pair("1".into(), "2".into()));
        check(None, Some(json!("a")), Shown::Pair("(not set)".into(), "a".into()));
        check(Some(json!(["a"])), Some(json!([])), Shown::Pair("[a]".into(), "[]".into()));
    }

    #[test]
    fn long_lists_show_what_comes_and_goes() {
        let many = |first: &str| {
            let names = (0..20).map(|at| format!("item-{at}"));
            Json::from([first.to_owned()].into_iter().chain(names).collect::<Vec<_>>())
        };
        let expected =
            Shown::Items { added: vec!["y".into()], removed: vec!["x".into()], kept: 20 };
        check(Some(many("x")), Some(many("y")), expected);
    }

    #[test]
    fn texts_show_lines() {
        let lines = ["@@ -1,2 +1,2 @@", " a", "-b", "+c"].map(str::to_owned).to_vec();
        check(Some(json!("a\nb\n")), Some(json!("a\nc\n")), Shown::Patch(lines));
        check(Some(json!("a\nb\n")), Some(json!("a\nb")), Shown::fixed("line breaks changed"));
    }
}
