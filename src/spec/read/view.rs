//! Typed access to one table of the checked tree.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::diag::Place;
use crate::spec::check::Checker;
use crate::spec::keys::{Key, Need, Shape};
use crate::spec::node::{Checked, Node, Table};
use crate::spec::source::{Source, Span};
use crate::spec::{SecretRef, Sp};

static EMPTY: Table = Table { entries: Vec::new() };

/// A table, its keys and where it is.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) source: &'a Source,
    table: &'a Table,
    keys: &'static [Key],
    span: Span,
}

impl<'a> View<'a> {
    /// The top of the file.
    pub(super) fn root(source: &'a Source, table: &'a Table, keys: &'static [Key]) -> Self {
        Self { source, table, keys, span: (0, 0) }
    }

    pub(super) fn place(&self) -> Place {
        self.source.place(self.span)
    }

    /// Whether the value, or one of its items, was reported.
    pub(super) fn is_broken(&self, name: &str) -> bool {
        let broken = |node: &Node| matches!(node.value, Checked::Broken);
        self.table.get(name).is_some_and(|node| match &node.value {
            Checked::List(items) => items.iter().any(broken),
            _ => broken(node),
        })
    }

    /// Where a value is written; the table where it is not.
    pub(super) fn place_of(&self, name: &str) -> Place {
        match self.table.get(name) {
            Some(node) => self.source.place(node.span),
            None => self.place(),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    /// A table below this one; `None` where it is not written.
    pub(super) fn section_opt(&self, name: &str) -> Option<View<'a>> {
        let key = self.keys.iter().find(|key| key.name == name)?;
        match (&key.shape, self.table.get(name)) {
            (Shape::Table(keys), Some(node)) => Some(self.below(node, keys)),
            _ => None,
        }
    }

    /// A table below this one, empty where it is not written.
    pub(super) fn section(&self, name: &str) -> View<'a> {
        self.section_opt(name).unwrap_or_else(|| View {
            source: self.source,
            table: &EMPTY,
            keys: self.keys_of(name),
            span: (self.span.0, self.span.0),
        })
    }

    /// The tables of a list of tables.
    pub(super) fn sections(&self, name: &str) -> Vec<View<'a>> {
        let keys = self.keys_of(name);
        match self.table.get(name).map(|node| &node.value) {
            Some(Checked::List(items)) => items.iter().map(|node| self.below(node, keys)).collect(),
            _ => Vec::new(),
        }
    }

    /// Names, their places and their tables, of a map of tables.
    pub(super) fn tables(&self, name: &str) -> Vec<(Sp<String>, View<'a>)> {
        let keys = self.keys_of(name);
        self.entries(name)
            .map(|(key, span, node)| {
                let place = self.source.place(*span);
                let value = key.clone();
                (Sp { value, place }, self.below(node, keys))
            })
            .collect()
    }

    /// A map of texts.
    pub(super) fn text_map(&self, name: &str) -> BTreeMap<String, Sp<String>> {
        self.entries(name)
            .filter_map(|(key, _, node)| Some((key.clone(), self.leaf(node, as_text)?)))
            .collect()
    }

    /// A map of texts with the places of its names.
    pub(super) fn named_texts(&self, name: &str) -> Vec<(String, Place, Sp<String>)> {
        self.entries(name)
            .filter_map(|(key, span, node)| {
                Some((key.clone(), self.source.place(*span), self.leaf(node, as_text)?))
            })
            .collect()
    }

    pub(super) fn text_opt(&self, name: &str) -> Option<Sp<String>> {
        self.one(name, as_text, String::new())
    }

    pub(super) fn text(&self, name: &str) -> Sp<String> {
        self.text_opt(name).unwrap_or_else(|| self.filler(String::new()))
    }

    pub(super) fn bool_opt(&self, name: &str) -> Option<Sp<bool>> {
        let as_bool = |value: &Checked| match value {
            Checked::Bool(value) => Some(*value),
            _ => None,
        };
        self.one(name, as_bool, false)
    }

    pub(super) fn bool(&self, name: &str) -> Sp<bool> {
        self.bool_opt(name).unwrap_or_else(|| self.filler(false))
    }

    /// The range in the key table makes the number fit.
    pub(super) fn number_opt(&self, name: &str) -> Option<Sp<u32>> {
        let as_number = |value: &Checked| match value {
            Checked::Integer(value) => u32::try_from(*value).ok(),
            _ => None,
        };
        self.one(name, as_number, 0)
    }

    pub(super) fn number(&self, name: &str) -> Sp<u32> {
        self.number_opt(name).unwrap_or_else(|| self.filler(0))
    }

    pub(super) fn port(&self, name: &str) -> Sp<u16> {
        self.number(name).map(|port| u16::try_from(port).unwrap_or(0))
    }

    pub(super) fn secret_opt(&self, name: &str) -> Option<Sp<SecretRef>> {
        let as_secret = |value: &Checked| match value {
            Checked::Secret(value) => Some(value.clone()),
            _ => None,
        };
        self.one(name, as_secret, SecretRef::Env(String::new()))
    }

    pub(super) fn secret(&self, name: &str) -> Sp<SecretRef> {
        let none = SecretRef::Env(String::new());
        self.secret_opt(name).unwrap_or_else(|| self.filler(none))
    }

    /// A text that `parse` takes; the key table checked that it does.
    pub(super) fn parsed_opt<T: Clone>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
        filler: T,
    ) -> Option<Sp<T>> {
        let take = |value: &Checked| as_text(value).and_then(|text| parse(&text).ok());
        self.one(name, take, filler)
    }

    pub(super) fn parsed<T: Clone>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
        filler: T,
    ) -> Sp<T> {
        let missing = filler.clone();
        self.parsed_opt(name, parse, filler).unwrap_or_else(|| self.filler(missing))
    }

    pub(super) fn choice_opt<T: Clone>(
        &self,
        name: &str,
        turn: impl Fn(&str) -> T,
    ) -> Option<Sp<T>> {
        let filler = turn("");
        self.parsed_opt(name, |word| Ok(turn(word)), filler)
    }

    pub(super) fn choice<T: Clone>(&self, name: &str, turn: impl Fn(&str) -> T) -> Sp<T> {
        let filler = turn("");
        self.parsed(name, |word| Ok(turn(word)), filler)
    }

    /// A list of texts; broken items are left out.
    pub(super) fn list<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Vec<Sp<T>> {
        let Some((node, _)) = self.node(name) else {
            return Vec::new();
        };
        let take = |value: &Checked| as_text(value).and_then(|text| parse(&text).ok());
        match &node.value {
            Checked::List(items) => items.iter().filter_map(|item| self.leaf(item, take)).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Vec<Sp<String>> {
        self.list(name, |text| Ok(text.to_owned()))
    }

    /// A value with the place of something that is not written in this table.
    pub(super) fn filler<T>(&self, value: T) -> Sp<T> {
        Sp { value, place: self.source.absent(self.span) }
    }

    fn one<T>(&self, name: &str, take: impl Fn(&Checked) -> Option<T>, filler: T) -> Option<Sp<T>> {
        let (node, place) = self.node(name)?;
        let value = match &node.value {
            Checked::Broken => filler,
            other => take(other)?,
        };
        Some(Sp { value, place })
    }

    fn leaf<T>(&self, node: &Node, take: impl Fn(&Checked) -> Option<T>) -> Option<Sp<T>> {
        let value = take(&node.value)?;
        let place = self.source.place(node.span);
        Some(Sp { value, place })
    }

    /// What is written, or the default, and its place.
    fn node(&self, name: &str) -> Option<(Cow<'a, Node>, Place)> {
        if let Some(node) = self.table.get(name) {
            return Some((Cow::Borrowed(node), self.source.place(node.span)));
        }
        let key = self.keys.iter().find(|key| key.name == name);
        debug_assert!(key.is_some(), "the key table has no {name} here");
        let key = key?;
        let Need::Default(text) = key.need else {
            return None;
        };
        let value = toml::de::DeValue::parse(text).ok()?;
        let node = Checker::new(self.source).value(name, &key.shape, &value);
        Some((Cow::Owned(node), self.source.absent(self.span)))
    }

    fn entries(&self, name: &str) -> impl Iterator<Item = &'a (String, Span, Node)> + use<'a> {
        match self.table.get(name).map(|node| &node.value) {
            Some(Checked::Table(table)) => table.entries.iter(),
            _ => EMPTY.entries.iter(),
        }
    }

    fn below(&self, node: &'a Node, keys: &'static [Key]) -> View<'a> {
        let table = match &node.value {
            Checked::Table(table) => table,
            _ => &EMPTY,
        };
        View { source: self.source, table, keys, span: node.span }
    }

    fn keys_of(&self, name: &str) -> &'static [Key] {
        let key = self.keys.iter().find(|key| key.name == name);
        match key.map(|key| &key.shape) {
            Some(
                Shape::Table(keys)
                | Shape::List(Shape::Table(keys))
                | Shape::Map(_, Shape::Table(keys)),
            ) => keys,
            _ => &[],
        }
    }
}

fn as_text(value: &Checked) -> Option<String> {
    match value {
        Checked::Text(text) => Some(text.clone()),
        _ => None,
    }
}
