//! What all kinds of the cluster have in common.

use crate::resource::{Comparison, Effect, Field};

/// Rows that every kind ends with; the last one covers all that no row before it does.
pub(super) const LAST: &[Field] = &[
    Field::computed("uid"),
    Field::volatile("ready"),
    Field::volatile("waiting"),
    Field::volatile("owned"),
    Field::volatile("managers"),
    Field::volatile("generation"),
    Field::owned("*").comparison(Comparison::Covered),
];

/// What differs between kinds but their fields.
#[derive(Clone, Copy)]
pub(super) struct Nature {
    /// Holds what nobody can make again.
    pub holds_data: bool,
    /// It hangs on machines while it is used, which `attached` lists: what hangs there goes with the
    /// machine.
    pub attaches: bool,
    /// How long it may take to be ready, in seconds.
    pub deadline_s: u64,
    /// How long it usually takes, in seconds.
    pub weight_s: u64,
}

/// Of use as soon as it is written.
pub(super) const PLAIN: Nature =
    Nature { holds_data: false, attaches: false, deadline_s: 120, weight_s: 1 };

/// A kind, by its name, its nature and tables of its own rows.
macro_rules! kind {
    ($name:literal, $nature:expr $(, $part:expr)* $(,)?) => {{
        use crate::resource::kinds::kubernetes::common::{LAST, Nature, count, joined};
        const PARTS: &[&[crate::resource::Field]] = &[$($part,)* LAST];
        const ROWS: [crate::resource::Field; count(PARTS)] = joined(PARTS);
        const NATURE: Nature = $nature;
        const FACTS: &crate::resource::KindFacts = &crate::resource::KindFacts {
            name: $name,
            layer: crate::resource::Layer::Cluster,
            fields: &ROWS,
            holds_data: NATURE.holds_data,
            identity: crate::resource::Identity::Mark,
            lifecycle: crate::resource::Lifecycle::Applied,
            freed_first: false,
            ready: crate::resource::Condition::Set(std::borrow::Cow::Borrowed("ready")),
            deletable: match NATURE.attaches {
                true => crate::resource::Condition::Empty(std::borrow::Cow::Borrowed("attached")),
                false => crate::resource::Condition::Exists,
            },
            deadline_s: NATURE.deadline_s,
            weight_s: NATURE.weight_s,
        };
        crate::resource::Kind::new(FACTS)
    }};
}
pub(super) use kind;

/// How many rows there are in all.
pub(super) const fn count(parts: &[&[Field]]) -> usize {
    let (mut part, mut rows) = (0, 0);
    while part < parts.len() {
        rows += parts[part].len();
        part += 1;
    }
    rows
}

/// All rows in order.
pub(super) const fn joined<const ROWS: usize>(parts: &[&[Field]]) -> [Field; ROWS] {
    let mut rows = [Field::owned(""); ROWS];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            rows[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    rows
}

/// A field that the API refuses to change, of an object that can be made anew.
pub(super) const fn fixed(path: &'static str) -> Field {
    Field::owned(path).comparison(Comparison::Covered).effect(Effect::Replace)
}

/// A list of maps, matched by one key.
pub(super) const fn list(path: &'static str, key: &'static str) -> Field {
    Field::owned(path).comparison(Comparison::ListBy(key))
}

/// A field that is compared as any other, above a row that would cover it otherwise.
pub(super) const fn any(path: &'static str) -> Field {
    Field::owned(path).comparison(Comparison::Covered)
}
