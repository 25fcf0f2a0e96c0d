//! Counts, patterns and ranges become names and addresses.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::view::View;
use crate::diag::Diagnostic;
use crate::spec::Sp;
use crate::spec::scalar::{parse_pattern, parse_range};
use crate::spec::source::{Wrong, nearest};

/// As many as `count` can give at most.
const NAMES_MAX: usize = 1000;

/// The names of a group, in order; empty where nothing sensible can be said of them.
///
/// `table` is what messages call the group: `servers`.
pub(super) fn names(view: &View<'_>, table: &str, found: &mut Vec<Diagnostic>) -> Vec<Sp<String>> {
    let counted = view.has("count") || view.has("name");
    match (counted, view.has("names")) {
        (true, true) => {
            let wrong = Wrong::new(
                format!("[{table}] has both `names` and `count` or `name`"),
                "a second way to name",
                "keep names, or count and name",
            );
            found.push(wrong.error(&view.place_of("names")));
            Vec::new()
        }
        (true, false) => numbered(view, table, found),
        (false, true) => listed(view, table, found),
        (false, false) => {
            let wrong = Wrong::new(
                format!("[{table}] does not say how many there are"),
                "missing here",
                "add count and name, or names",
            );
            found.push(wrong.error(&view.place()));
            Vec::new()
        }
    }
}

fn numbered(view: &View<'_>, table: &str, found: &mut Vec<Diagnostic>) -> Vec<Sp<String>> {
    for (name, example) in [("count", "3"), ("name", "\"name-{}\"")] {
        if !view.has(name) {
            let wrong = Wrong::new(
                format!("[{table}] needs `{name}`"),
                "missing here",
                format!("add: {name} = {example}"),
            );
            found.push(wrong.error(&view.place()));
        }
    }
    let (Some(count), Some(name)) = (view.number_opt("count"), view.text_opt("name")) else {
        return Vec::new();
    };
    let Ok(pattern) = parse_pattern(&name) else {
        return Vec::new();
    };
    if *count > 1 && !pattern.is_numbered() {
        let wrong = Wrong::new(
            format!("`{table}.name` gives {} the same name", *count),
            "no {} for the number",
            format!("add {{}} where the number goes: \"{}-{{}}\"", name.value),
        );
        found.push(wrong.error(&name.place));
        return Vec::new();
    }
    let place = &name.place;
    let named = |number| Sp { value: pattern.name(number), place: place.clone() };
    (1..=*count).map(named).collect()
}

fn listed(view: &View<'_>, table: &str, found: &mut Vec<Diagnostic>) -> Vec<Sp<String>> {
    let names = view.texts("names");
    if names.len() > NAMES_MAX {
        let wrong = Wrong::new(
            format!("`{table}.names` has {} names", names.len()),
            "too many",
            format!("list {NAMES_MAX} names at most"),
        );
        found.push(wrong.error(&view.place_of("names")));
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    for name in &names {
        if !seen.insert(name.as_str()) {
            let wrong = Wrong::new(
                format!("`{table}.names` has \"{}\" twice", name.value),
                "a second time",
                "give each one its own name",
            );
            found.push(wrong.error(&name.place));
        }
    }
    if names.is_empty() && !view.is_broken("names") {
        let wrong =
            Wrong::new(format!("`{table}.names` is empty"), "no names", "list at least one name");
        found.push(wrong.error(&view.place_of("names")));
    }
    names
}

/// Whether the names could be read, so that counting them means something.
pub(super) fn names_are_sound(view: &View<'_>) -> bool {
    !["count", "name", "names"].iter().any(|name| view.is_broken(name))
}

/// The addresses of a group, in order. Each range is short: the key table saw to it.
pub(super) fn addresses(view: &View<'_>) -> Vec<Sp<Ipv4Addr>> {
    let mut all = Vec::new();
    for range in view.list("addresses", parse_range) {
        let (first, last) = range.value;
        for bits in u32::from(first)..=u32::from(last) {
            // More than a group can have: the count is reported, the rest is not needed.
            if all.len() > 8192 {
                return all;
            }
            all.push(Sp { value: Ipv4Addr::from(bits), place: range.place.clone() });
        }
    }
    all
}

/// Reports overrides of names that do not exist.
pub(super) fn check_overrides(
    table: &str,
    overrides: &[(Sp<String>, View<'_>)],
    names: &[Sp<String>],
    found: &mut Vec<Diagnostic>,
) {
    for (name, _) in overrides {
        if names.iter().any(|known| known.value == name.value) {
            continue;
        }
        let help = match nearest(name, names.iter().map(|known| known.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => match (names.first(), names.last()) {
                (Some(first), Some(last)) => format!("the names are {first} to {last}"),
                _ => continue,
            },
        };
        let wrong = Wrong::new(
            format!("`{table}.overrides` has \"{}\", which is not one of the {table}", name.value),
            "no such name",
            help,
        );
        found.push(wrong.error(&name.place));
    }
}
