//! The checked tree between TOML and the model.

use super::source::Span;

/// A value that passed, or that was reported.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Checked,
}

#[derive(Clone, Debug)]
pub(super) enum Checked {
    /// Also choices and dates.
    Text(String),
    Integer(i64),
    Bool(bool),
    Secret(super::SecretRef),
    /// Broken items are left out.
    List(Vec<Node>),
    Table(Table),
    /// Reported; nothing more is said about it.
    Broken,
}

/// A table with the keys that are written and known, or a map with any keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Sorted by name. The span is the key's own.
    pub(super) entries: Vec<(String, Span, Node)>,
}

impl Table {
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        let at = self.entries.binary_search_by(|(key, ..)| key.as_str().cmp(name));
        at.ok().and_then(|at| self.entries.get(at)).map(|(.., node)| node)
    }
}
