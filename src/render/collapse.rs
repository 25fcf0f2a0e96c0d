//! Changes that are alike become one.
//!
//! Alike are changes of one kind with the same action, reasons and rows, at addresses that
//! differ in one segment only: the project, or the number in a name. Where that segment itself
//! occurs in a value it counts as equal. Of things to be made, single texts may differ too, as
//! long as no two are equal (addresses, paths); they are shown as a range.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::row::{Row, Shown, rows};
use super::words::{Fates, address, reason};
use crate::plan::{Action, Change, Reason};
use crate::resource::{Address, Place};

/// Stands for the segment that differs. No printed text contains it, because control characters
/// are escaped.
const HOLE: char = '\u{1}';

/// From how many resources on a range says more than the values.
const RANGE_MIN: usize = 3;

/// One change, or several that are alike.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The address, or the pattern of all addresses.
    pub label: String,
    /// The changes, in the plan's order; at least one.
    pub members: Vec<&'a Change>,
    /// What the differing segments are in the pattern: `*`, `agent-*`. `None` for one change.
    pub varying: Option<usize>,
    /// What happens.
    pub action: Action,
    /// Why, without spec lines.
    pub reasons: Vec<String>,
    /// Spec lines that cause it.
    pub origins: Vec<&'a Place>,
    /// What differs.
    pub rows: Vec<Row>,
}

/// Groups changes, each group at the place of its first change, but next to those of the same
/// pattern, the largest one first: an exception follows its rule. With `full` every change is a
/// group of its own.
pub fn collapse<'a>(changes: &[&'a Change], fates: &Fates<'_>, full: bool) -> Vec<Group<'a>> {
    let mut alike: BTreeMap<Key, Vec<Entry<'a>>> = BTreeMap::new();
    for (at, change) in changes.iter().enumerate() {
        let entry = Entry::new(at, change, fates, full);
        alike.entry(entry.key(full)).or_default().push(entry);
    }
    let mut groups: Vec<(usize, String, Group<'a>)> =
        alike.into_values().flat_map(split).filter_map(|entries| merge(&entries)).collect();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (at, stem, _) in &groups {
        let known = first.entry(stem.clone()).or_insert(*at);
        *known = (*known).min(*at);
    }
    groups.sort_by_key(|(at, stem, group)| {
        (first.get(stem).copied(), Reverse(group.members.len()), *at)
    });
    groups.into_iter().map(|(_, _, group)| group).collect()
}

/// The index of the segment in which alike resources differ: the project's, else the last one
/// with a digit.
pub fn varying_segment(address: &Address) -> Option<usize> {
    let segments: Vec<&str> = address.as_str().split('/').collect();
    if segments.len() > 2 && segments.first() == Some(&"project") {
        return Some(1);
    }
    segments.iter().rposition(|segment| segment.contains(|letter: char| letter.is_ascii_digit()))
}

/// What is equal in changes that are alike. The place is set only where nothing is collapsed.
type Key = (Option<usize>, String, &'static str, Action, Vec<String>, Vec<Row>);

struct Entry<'a> {
    at: usize,
    change: &'a Change,
    segment: Option<usize>,
    reasons: Vec<String>,
    rows: Vec<Row>,
}

impl<'a> Entry<'a> {
    fn new(at: usize, change: &'a Change, fates: &Fates<'_>, full: bool) -> Self {
        let segment = if full { None } else { varying_segment(&change.address) };
        let reasons = change.reasons.iter().filter_map(|why| reason(why, fates)).collect();
        let mut entry = Self { at, change, segment, reasons, rows: rows(change, fates, full) };
        entry.punch();
        entry
    }

    /// Replaces the varying segment in everything printed.
    fn punch(&mut self) {
        let Some(name) = self.segment_text().map(str::to_owned) else { return };
        let punched = |text: &mut String| {
            if text.contains(&name) {
                *text = punch(text, &name);
            }
        };
        self.reasons.iter_mut().for_each(punched);
        for row in &mut self.rows {
            each_text(row, &punched);
        }
    }

    fn segment_text(&self) -> Option<&'a str> {
        self.change.address.as_str().split('/').nth(self.segment?)
    }

    /// What may differ in things to be made is left out here and looked at by [`split`].
    fn key(&self, full: bool) -> Key {
        let mut rows = self.rows.clone();
        if self.change.action == Action::Create && self.segment.is_some() {
            for row in &mut rows {
                if let Shown::Value { text, own: true } = &mut row.shown {
                    text.clear();
                }
            }
        }
        let alone = (full || self.segment.is_none()).then_some(self.at);
        let stem = stem(&self.change.address, self.segment);
        (alone, stem, self.change.kind.name, self.change.action, self.reasons.clone(), rows)
    }

    fn own_text(&self, row: usize) -> Option<&str> {
        match self.rows.get(row).map(|row| &row.shown) {
            Some(Shown::Value { text, own: true }) => Some(text),
            _ => None,
        }
    }
}

/// The address with its varying segment made equal: empty for a project, whose name may also be
/// part of other segments, without digits else.
fn stem(address: &Address, segment: Option<usize>) -> String {
    let project = address.project().filter(|_| segment == Some(1));
    let stem = |(at, text): (usize, &str)| match segment {
        Some(1) if project.is_some() => punch(text, project.unwrap_or_default()),
        Some(varying) if at == varying => text_runs(text)
            .map(|run| if is_number(run) { HOLE.to_string() } else { run.to_owned() })
            .collect(),
        _ => text.to_owned(),
    };
    address.as_str().split('/').enumerate().map(stem).collect::<Vec<_>>().join("/")
}

/// Runs of digits and of anything else, in turn.
fn text_runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digit = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|letter: char| letter.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

fn is_number(run: &str) -> bool {
    run.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Replaces whole occurrences of a name: `agent-4`, but not the start of `agent-40`.
fn punch(text: &str, name: &str) -> String {
    let mut punched = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let after = found.get(name.len()..).unwrap_or_default();
        punched.push_str(before);
        let joined = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        if joined(punched.chars().next_back()) || joined(after.chars().next()) {
            punched.push_str(name);
        } else {
            punched.push(HOLE);
        }
        rest = after;
    }
    punched + rest
}

fn each_text(row: &mut Row, edit: &dyn Fn(&mut String)) {
    edit(&mut row.path);
    match &mut row.shown {
        Shown::Value { text, .. } => edit(text),
        Shown::Range(one, other) | Shown::Pair(one, other) => {
            edit(one);
            edit(other);
        }
        Shown::Items { added, removed, .. } => added.iter_mut().chain(removed).for_each(edit),
        Shown::Patch(lines) => lines.iter_mut().for_each(edit),
    }
}

/// Splits entries of one key by the own texts that some share and others do not.
fn split(entries: Vec<Entry<'_>>) -> Vec<Vec<Entry<'_>>> {
    let count = entries.first().map_or(0, |entry| entry.rows.len());
    let splitting: Vec<usize> = (0..count).filter(|row| splits(&entries, *row)).collect();
    let mut parts: BTreeMap<Vec<String>, Vec<Entry<'_>>> = BTreeMap::new();
    for entry in entries {
        let texts = splitting.iter().map(|row| entry.own_text(*row).unwrap_or_default().to_owned());
        parts.entry(texts.collect()).or_default().push(entry);
    }
    parts.into_values().collect()
}

/// Whether the texts of a row are neither all equal nor all different.
fn splits(entries: &[Entry<'_>], row: usize) -> bool {
    let mut texts: Vec<&str> = entries.iter().filter_map(|entry| entry.own_text(row)).collect();
    texts.sort_unstable();
    texts.dedup();
    match texts.len() {
        0 | 1 => false,
        different => different < entries.len() || different < RANGE_MIN,
    }
}

/// The group, its place and its stem.
fn merge<'a>(entries: &[Entry<'a>]) -> Option<(usize, String, Group<'a>)> {
    let (first, last) = (entries.first()?, entries.last()?);
    let names: Vec<&str> = entries.iter().filter_map(Entry::segment_text).collect();
    let pattern = pattern(&first.change.address, first.segment, &names);
    let fill = |text: &mut String| {
        if text.contains(HOLE) {
            *text = text.replace(HOLE, &pattern);
        }
    };
    let rows = first.rows.iter().enumerate().map(|(at, row)| {
        let mut row = row.clone();
        if let (Some(one), Some(other)) = (first.own_text(at), last.own_text(at))
            && one != other
        {
            row.shown = Shown::Range(one.into(), other.into());
        }
        each_text(&mut row, &fill);
        row
    });
    let mut reasons = first.reasons.clone();
    reasons.iter_mut().for_each(fill);
    let group = Group {
        label: label(&first.change.address, first.segment, &pattern),
        members: entries.iter().map(|entry| entry.change).collect(),
        varying: first.segment.filter(|_| entries.len() > 1),
        action: first.change.action,
        reasons,
        origins: entries.iter().flat_map(|entry| origins(entry.change)).collect(),
        rows: rows.collect(),
    };
    Some((first.at, stem(&first.change.address, first.segment), group))
}

/// One name as it is; several with a star where they differ.
fn pattern(address: &Address, segment: Option<usize>, names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => super::clean(name),
        _ if segment == Some(1) && address.project().is_some() => "*".into(),
        [first, ..] => {
            let runs = |name: &str| text_runs(name).map(str::to_owned).collect::<Vec<_>>();
            let all: Vec<Vec<String>> = names.iter().map(|name| runs(name)).collect();
            let run = |(at, run): (usize, String)| {
                let equal = all.iter().all(|runs| runs.get(at) == Some(&run));
                if equal { super::clean(&run) } else { "*".into() }
            };
            runs(first).into_iter().enumerate().map(run).collect()
        }
    }
}

fn label(of: &Address, segment: Option<usize>, pattern: &str) -> String {
    let Some(varying) = segment else { return address(of) };
    if of.project().is_some() && varying == 1 {
        return super::clean(&stem(of, segment).replace(HOLE, pattern));
    }
    let segments = of.as_str().split('/').enumerate();
    let segments = segments
        .map(|(at, text)| if at == varying { pattern.to_owned() } else { super::clean(text) });
    segments.collect::<Vec<_>>().join("/")
}

/// The lines of what differs by a spec edit, or the line that asks for the resource.
fn origins(change: &Change) -> Vec<&Place> {
    let edited: Vec<&Place> = change
        .attributes
        .iter()
        .filter(|difference| difference.cause == crate::plan::Cause::Spec)
        .filter_map(|difference| difference.origin.as_ref())
        .collect();
    let asks =
        |reason: &Reason| matches!(reason, Reason::New | Reason::SpecChanged | Reason::AdoptAsked);
    match change.action {
        _ if !change.reasons.iter().any(asks) => Vec::new(),
        Action::Update | Action::Replace if !edited.is_empty() => edited,
        _ => change.origin.iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_segment_that_differs_is_the_project_or_the_numbered_one() {
        for (address, expected) in [
            ("project/county-01/Deployment/couchdb-1", Some(1)),
            ("vsphere/vm/agent-4", Some(2)),
            ("vsphere/vm/server-1/disk", Some(2)),
            ("vsphere/role/CNS-VM", None),
            ("vsphere/role/k8s", Some(2)),
        ] {
            assert_eq!(varying_segment(&Address::from(address)), expected, "{address}");
        }
    }

    #[test]
    fn only_whole_names_are_replaced() {
        assert_eq!(punch("agent-4 agent-40 my/agent-4", "agent-4"), "\u{1} agent-40 my/\u{1}");
        assert_eq!(punch("ää", "ä"), "ää");
    }

    #[test]
    fn patterns_keep_the_digits_that_are_equal() {
        let vm = Address::from("vsphere/vm/k8s-1");
        assert_eq!(pattern(&vm, Some(2), &["k8s-1", "k8s-12"]), "k8s-*");
        assert_eq!(pattern(&vm, Some(2), &["k8s-1"]), "k8s-1");
    }
}
