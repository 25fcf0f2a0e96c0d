//! Holds a TOML tree against the key table and reports everything at once.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SecretRef;
use super::keys::{Key, Need, Shape};
use super::node::{Checked, Node, Table};
use super::scalar::{self, Form};
use super::source::{Source, Span, Wrong, nearest, shown};
use super::words::{describe, example_of, join, lower_first, one_of, table_name};
use crate::diag::Diagnostic;

/// The label of every diagnostic whose span may hold a secret: renderers mask the span.
pub const SECRET_LABEL: &str = "no reference to a secret";

pub(super) const SECRET_HELP: &str = "name where it is: { env = \"NAME\" }, \
     { file = \"path\" } or { command = [\"program\", \"argument\"] }; \
     change the secret if this file was shared";

/// Collects what is wrong while a tree is walked.
pub(super) struct Checker<'a> {
    pub(super) source: &'a Source,
    pub(super) found: Vec<Diagnostic>,
    /// Apart, since keys behind a syntax error are not missing.
    pub(super) missing: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, found: Vec::new(), missing: Vec::new() }
    }

    /// Checks a table with known keys. `path` is empty at the top of the file.
    pub(super) fn table(
        &mut self,
        path: &str,
        span: Span,
        keys: &'static [Key],
        table: &DeTable<'_>,
    ) -> Table {
        let mut entries = Vec::with_capacity(table.len());
        for (name, value) in table {
            let name_span = span_of(name);
            let name = name.get_ref().as_ref();
            match keys.iter().find(|key| key.name == name) {
                Some(key) => {
                    let node = self.value(&join(path, name), &key.shape, value);
                    entries.push((name.to_owned(), name_span, node));
                }
                None => {
                    // A slip of the finger stands for the key that was meant, which is
                    // then neither missing nor filled with a default.
                    let meant = self.unknown_key(path, name, name_span, keys);
                    if let Some(meant) = meant.filter(|meant| !table.contains_key(*meant)) {
                        let node = Node { span: name_span, value: Checked::Broken };
                        entries.push((meant.to_owned(), name_span, node));
                    }
                }
            }
        }
        for key in keys.iter().filter(|key| matches!(key.need, Need::Required)) {
            if !entries.iter().any(|(name, ..)| name == key.name) {
                self.missing_key(path, span, key);
            }
        }
        // Two slips can stand for one key.
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|a, b| a.0 == b.0);
        Table { entries }
    }

    /// Checks one value.
    pub(super) fn value(
        &mut self,
        path: &str,
        shape: &'static Shape,
        value: &Spanned<DeValue<'_>>,
    ) -> Node {
        let span = span_of(value);
        let value = match (shape, value.get_ref()) {
            (Shape::Text(form), DeValue::String(text)) => self.text(path, span, form, text),
            (Shape::TextOrEmpty(_), DeValue::String(text)) if text.is_empty() => {
                Checked::Text(String::new())
            }
            (Shape::TextOrEmpty(form), DeValue::String(text)) => self.text(path, span, form, text),
            (Shape::Choice(words), DeValue::String(text)) => self.choice(path, span, words, text),
            (Shape::Integer(min, max), DeValue::Integer(number)) => {
                let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
                self.integer(path, span, (*min, *max), number)
            }
            (Shape::Bool, DeValue::Boolean(value)) => Checked::Bool(*value),
            (Shape::Date, DeValue::String(text)) => self.text(path, span, &scalar::DATE, text),
            (Shape::Date, DeValue::Datetime(date)) => {
                self.text(path, span, &scalar::DATE, &date.to_string())
            }
            (Shape::Secret, value) => self.secret(path, span, value),
            (Shape::List(item), DeValue::Array(items)) => self.list(path, item, items.iter()),
            (Shape::OneOrMany(item), DeValue::Array(items)) => self.list(path, item, items.iter()),
            (Shape::OneOrMany(item), DeValue::String(_)) => {
                self.list(path, item, std::iter::once(value))
            }
            (Shape::Table(keys), DeValue::Table(table)) => {
                Checked::Table(self.table(path, span, keys, table))
            }
            (Shape::Map(form, item), DeValue::Table(table)) => self.map(path, form, item, table),
            (shape, other) => self.wrong_type(path, span, shape, other),
        };
        Node { span, value }
    }

    /// Reports an error and gives what stands in for the value.
    fn broken(&mut self, span: Span, wrong: Wrong) -> Checked {
        self.found.push(wrong.error(&self.source.place(span)));
        Checked::Broken
    }

    fn text(&mut self, path: &str, span: Span, form: &'static Form, text: &str) -> Checked {
        match (form.check)(text) {
            Ok(()) => Checked::Text(text.to_owned()),
            Err(reason) => {
                let message = format!("`{path}` is not {}", form.name);
                self.broken(span, Wrong::new(message, reason, form.help))
            }
        }
    }

    fn choice(&mut self, path: &str, span: Span, words: &[&'static str], text: &str) -> Checked {
        if words.contains(&text) {
            return Checked::Text(text.to_owned());
        }
        let label = match nearest(text, words.iter().copied()) {
            Some(word) => format!("perhaps \"{word}\""),
            None => "none of the known words".to_owned(),
        };
        let message = format!("`{path}` cannot be \"{}\"", shown(text));
        self.broken(span, Wrong::new(message, label, one_of(words)))
    }

    fn integer(
        &mut self,
        path: &str,
        span: Span,
        range: (i64, i64),
        number: Option<i64>,
    ) -> Checked {
        let (min, max) = range;
        match number.filter(|number| (min..=max).contains(number)) {
            Some(number) => Checked::Integer(number),
            None => {
                let message = format!("`{path}` is out of range");
                let help = format!("write a whole number from {min} to {max}");
                self.broken(span, Wrong::new(message, "out of range", help))
            }
        }
    }

    fn list<'v, 'i: 'v>(
        &mut self,
        path: &str,
        item: &'static Shape,
        items: impl Iterator<Item = &'v Spanned<DeValue<'i>>>,
    ) -> Checked {
        let nodes = items.enumerate().map(|(at, value)| {
            let path = format!("{path}[{at}]");
            self.value(&path, item, value)
        });
        Checked::List(nodes.collect())
    }

    fn map(
        &mut self,
        path: &str,
        form: &'static Form,
        item: &'static Shape,
        table: &DeTable<'_>,
    ) -> Checked {
        let mut entries = Vec::with_capacity(table.len());
        for (name, value) in table {
            let name_span = span_of(name);
            let name = name.get_ref().as_ref();
            if let Err(reason) = (form.check)(name) {
                let message = format!("a name in `{path}` is not {}", form.name);
                self.broken(name_span, Wrong::new(message, reason, form.help));
                continue;
            }
            let node = self.value(&join(path, name), item, value);
            entries.push((name.to_owned(), name_span, node));
        }
        Checked::Table(Table { entries })
    }

    /// A reference to a secret. Nothing that was written is repeated in what is reported.
    fn secret(&mut self, path: &str, span: Span, value: &DeValue<'_>) -> Checked {
        let DeValue::Table(table) = value else {
            let message = format!("`{path}` must say where the secret is, not what it is");
            return self.broken(span, Wrong::new(message, SECRET_LABEL, SECRET_HELP));
        };
        let mut entries = table.iter();
        let reference = match (entries.next(), entries.next()) {
            (Some((key, value)), None) => secret_ref(key.get_ref().as_ref(), value.get_ref()),
            _ => None,
        };
        match reference {
            Some(reference) => Checked::Secret(reference),
            None => {
                let message = format!("`{path}` is not a reference to a secret");
                self.broken(span, Wrong::new(message, SECRET_LABEL, SECRET_HELP))
            }
        }
    }

    /// Reports the key and returns the one that was probably meant.
    fn unknown_key(
        &mut self,
        path: &str,
        name: &str,
        span: Span,
        keys: &'static [Key],
    ) -> Option<&'static str> {
        let near = nearest(name, keys.iter().map(|key| key.name));
        let help = near.map_or_else(
            || {
                let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
                format!("known here: {}", names.join(", "))
            },
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{}` is not a key of {}", shown(name), table_name(path));
        self.broken(span, Wrong::new(message, "unknown key", help));
        near
    }

    fn missing_key(&mut self, path: &str, span: Span, key: &'static Key) {
        let message = format!("{} needs `{}`", table_name(path), key.name);
        let help = match (&key.shape, example_of(key)) {
            (Shape::Table(_), _) => {
                format!("add a table [{}]: {}", join(path, key.name), lower_first(key.doc))
            }
            (_, Some(example)) => format!("add: {} = {example}", key.name),
            (_, None) => format!("add `{}`: {}", key.name, lower_first(key.doc)),
        };
        let wrong = Wrong::new(message, "missing here", help.trim_end_matches('.'));
        self.missing.push(wrong.error(&self.source.place(span)));
    }

    fn wrong_type(
        &mut self,
        path: &str,
        span: Span,
        shape: &'static Shape,
        value: &DeValue<'_>,
    ) -> Checked {
        let (wanted, help) = describe(shape);
        let message = format!("`{path}` must be {wanted}");
        let label = match value {
            DeValue::Integer(_) => "an integer",
            DeValue::Array(_) => "an array",
            other => {
                return self
                    .broken(span, Wrong::new(message, format!("a {}", other.type_str()), help));
            }
        };
        self.broken(span, Wrong::new(message, label, help))
    }
}

fn secret_ref(key: &str, value: &DeValue<'_>) -> Option<SecretRef> {
    let line = |text: &str| (scalar::TEXT.check)(text).is_ok().then(|| text.to_owned());
    match (key, value) {
        ("env", DeValue::String(name)) => {
            is_variable(name).then(|| SecretRef::Env(name.to_string()))
        }
        ("file", DeValue::String(path)) => line(path).map(SecretRef::File),
        ("command", DeValue::Array(words)) if !words.is_empty() => {
            let words = words.iter().map(|word| line(word.get_ref().as_str()?));
            words.collect::<Option<_>>().map(SecretRef::Command)
        }
        _ => None,
    }
}

fn is_variable(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn span_of<T>(spanned: &Spanned<T>) -> Span {
    let span = spanned.span();
    (span.start, span.end)
}
