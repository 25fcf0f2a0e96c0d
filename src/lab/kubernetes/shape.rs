//! What values may look like: the types of the kinds that the server serves.
//!
//! `schema.txt` holds them, one type to a line: its name, with `~` before it where it has one owner
//! as a whole, then `field=type`. A type is `str`, `int`, `num`, `bool`, `bytes` (base 64),
//! `quantity`, `intstr`, `time`, `any`, another line's name, `[T]` (a list with one owner), `{T}`
//! (a set), `[T/key+key]` (a list by keys), `<T>` (a map) or `<<T>>` (a map with one owner). `!`
//! after it means required, `?VALUE` is the default.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value as Json;

/// What a value may be.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Text,
    Int,
    Number,
    Bool,
    /// Base 64.
    Bytes,
    Quantity,
    IntOrText,
    Time,
    /// Anything; maps are owned key by key, lists as a whole.
    Any,
    /// A line of the table.
    Named(&'static str),
    Struct(Arc<Type>),
    List(Arc<Shape>, Items),
    Map {
        value: Arc<Shape>,
        atomic: bool,
    },
}

/// How the items of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// Not at all: the list has one owner.
    Atomic,
    /// By themselves.
    Set,
    /// By the values of these fields.
    Keyed(Arc<[String]>),
}

/// Fields by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Type {
    /// It has one owner as a whole.
    pub atomic: bool,
    /// Fields that are not here are kept as they are.
    pub open: bool,
    pub fields: BTreeMap<String, Field>,
}

/// One field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub shape: Shape,
    pub required: bool,
    pub default: Option<Json>,
    /// Allowed values; empty where all are.
    pub values: Vec<Json>,
    /// What is said to who changes it. `None` where it may change.
    pub fixed: Option<String>,
}

static TABLE: LazyLock<BTreeMap<&'static str, Type>> =
    LazyLock::new(|| include_str!("schema.txt").lines().filter_map(line).collect());

/// Every kind's own fields, whatever else it has.
static OPEN: LazyLock<Type> = LazyLock::new(Type::default);

impl Shape {
    /// The shape of a kind that the table has.
    pub(super) fn of_kind(kind: &str) -> Option<Self> {
        TABLE.get_key_value(kind).map(|(name, _)| Self::Named(name))
    }

    /// Its fields; `None` for what is no struct.
    pub(super) fn fields(&self) -> Option<&Type> {
        match self {
            Self::Named(name) => Some(TABLE.get(name).unwrap_or(&OPEN)),
            Self::Struct(kind) => Some(kind),
            _ => None,
        }
    }

    /// The shape below a key of a struct or a map; `None` for a field that there is not.
    pub(super) fn below(&self, key: &str) -> Option<Shape> {
        if let Some(kind) = self.fields() {
            let known = kind.fields.get(key).map(|field| field.shape.clone());
            return known.or_else(|| kind.open.then_some(Self::Any));
        }
        match self {
            Self::Map { value, .. } => Some((**value).clone()),
            Self::Any => Some(Self::Any),
            _ => None,
        }
    }

    /// Whether it has one owner as a whole.
    pub(super) fn is_atomic(&self) -> bool {
        match self {
            Self::Map { atomic, .. } => *atomic,
            Self::List(_, items) => *items == Items::Atomic,
            other => other.fields().is_some_and(|kind| kind.atomic),
        }
    }

    /// Whether a key names a field of a struct, and not an item of a map.
    pub(super) fn is_field(&self, key: &str) -> bool {
        self.fields().is_some_and(|kind| kind.fields.contains_key(key))
    }
}

impl Field {
    pub(super) fn of(shape: Shape) -> Self {
        Self { shape, required: false, default: None, values: Vec::new(), fixed: None }
    }
}

fn line(line: &'static str) -> Option<(&'static str, Type)> {
    let mut words = line.split(' ');
    let name = words.next().filter(|name| !name.is_empty())?;
    let atomic = name.starts_with('~');
    let fields = words.filter_map(|word| {
        let (name, rest) = word.split_once('=')?;
        Some((name.to_owned(), field(rest)))
    });
    let kind = Type { atomic, open: false, fields: fields.collect() };
    Some((name.trim_start_matches('~'), kind))
}

fn field(text: &'static str) -> Field {
    let (text, default) = match text.split_once('?') {
        Some((text, default)) => (text, Some(default)),
        None => (text, None),
    };
    let shape = shape(text.trim_end_matches('!'));
    let default = default.map(|default| value(default, &shape));
    Field { shape, required: text.ends_with('!'), default, values: Vec::new(), fixed: None }
}

fn shape(text: &'static str) -> Shape {
    let inside = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = inside("<<", ">>") {
        return Shape::Map { value: Arc::new(shape(inner)), atomic: true };
    }
    if let Some(inner) = inside("<", ">") {
        return Shape::Map { value: Arc::new(shape(inner)), atomic: false };
    }
    if let Some(inner) = inside("{", "}") {
        return Shape::List(Arc::new(shape(inner)), Items::Set);
    }
    if let Some(inner) = inside("[", "]") {
        let (item, items) = match inner.split_once('/') {
            Some((item, keys)) => {
                (item, Items::Keyed(keys.split('+').map(str::to_owned).collect()))
            }
            None => (inner, Items::Atomic),
        };
        return Shape::List(Arc::new(shape(item)), items);
    }
    match text {
        "str" => Shape::Text,
        "int" => Shape::Int,
        "num" => Shape::Number,
        "bool" => Shape::Bool,
        "bytes" => Shape::Bytes,
        "quantity" => Shape::Quantity,
        "intstr" => Shape::IntOrText,
        "time" => Shape::Time,
        "any" => Shape::Any,
        name => Shape::Named(name),
    }
}

/// A default: text where the field is text, else JSON, else text.
fn value(text: &str, shape: &Shape) -> Json {
    match shape {
        Shape::Text => Json::from(text),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn named(shape: &Shape) -> Vec<&'static str> {
        match shape {
            Shape::Named(name) => vec![name],
            Shape::List(item, _) => named(item),
            Shape::Map { value, .. } => named(value),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_type_that_a_field_names_is_in_the_table() {
        for (name, kind) in TABLE.iter() {
            for (key, field) in &kind.fields {
                for other in named(&field.shape) {
                    assert!(TABLE.contains_key(other), "{name}.{key}: {other}");
                }
            }
        }
    }

    #[test]
    fn lists_know_their_keys_and_fields_their_defaults() {
        let container = Shape::of_kind("Container").unwrap();
        let Some(Shape::List(item, Items::Keyed(keys))) = container.below("ports") else {
            panic!("ports are a list by keys");
        };
        assert_eq!(*keys, ["containerPort".to_owned(), "protocol".to_owned()]);
        let protocol = &item.fields().unwrap().fields["protocol"];
        assert_eq!(protocol.default, Some(Json::from("TCP")));
        assert!(container.fields().unwrap().fields["name"].required);
        assert!(Shape::of_kind("LabelSelector").unwrap().is_atomic());
        assert!(container.below("nonsense").is_none());
    }
}
