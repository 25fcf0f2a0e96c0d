//! Properties of managed objects as trees, and paths into them.

use crate::xml::Element;

use super::entity;
use super::privilege;
use super::role;
use super::schema::{Field, SCHEMA, is_simple};
use super::session;
use super::task;
use super::world::{Ref, Session, World};

/// What properties are read from.
pub(super) struct Source<'a> {
    pub world: &'a World,
    pub session: &'a Session,
    /// Milliseconds since 1970.
    pub now: u64,
}

/// One object's top-level properties, each built at most once.
pub(super) struct Object<'a> {
    source: &'a Source<'a>,
    object: Ref,
    built: Vec<(String, Option<Vec<Element>>)>,
}

/// Why a path has no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The type has no such property.
    Invalid,
    /// It is not set.
    Unset,
}

impl<'a> Object<'a> {
    pub(super) fn new(source: &'a Source<'a>, object: Ref) -> Self {
        let built = Vec::new();
        Self { source, object, built }
    }

    /// The value at a path, as a `val` element with its type.
    pub(super) fn value(&mut self, path: &str) -> Result<Element, Missing> {
        let (field, elements) = self.walk(path)?;
        Ok(val(field, elements))
    }

    /// The references at a path; empty when it is unset or holds none.
    pub(super) fn references(&mut self, path: &str) -> Result<Vec<Ref>, Missing> {
        match self.walk(path) {
            Ok((field, elements)) if field.reference => {
                Ok(elements.iter().map(Ref::read).collect())
            }
            Ok(_) | Err(Missing::Invalid) => Err(Missing::Invalid),
            Err(Missing::Unset) => Ok(Vec::new()),
        }
    }

    fn walk(&mut self, path: &str) -> Result<(&'static Field, Vec<Element>), Missing> {
        let mut segments = segments(path).into_iter();
        let (name, key) = segments.next().ok_or(Missing::Invalid)?;
        let mut field = SCHEMA.field(&self.object.class, name).ok_or(Missing::Invalid)?;
        let mut current = self.top(name).map(|elements| pick(elements, key));
        let mut single = key.is_some() || !field.array;
        for (name, key) in segments {
            let actual =
                current.as_ref().and_then(|elements| elements.first()).and_then(Element::xsi_type);
            let class = actual.unwrap_or(field.kind);
            if !single || field.reference || is_simple(class) {
                return Err(Missing::Invalid);
            }
            if !SCHEMA.is_defined(class) {
                return Err(Missing::Unset);
            }
            field = SCHEMA.field(class, name).ok_or(Missing::Invalid)?;
            let inner = |elements: Vec<Element>| {
                let parent = elements.into_iter().next()?;
                let found: Vec<Element> =
                    parent.children.into_iter().filter(|child| child.name == name).collect();
                (!found.is_empty()).then(|| pick(found, key))
            };
            current = current.and_then(inner);
            single = key.is_some() || !field.array;
        }
        match current {
            Some(elements) if !(single && elements.is_empty()) => {
                let keyed = field.array && single;
                Ok((if keyed { single_of(field) } else { field }, elements))
            }
            _ => Err(Missing::Unset),
        }
    }

    fn top(&mut self, name: &str) -> Option<Vec<Element>> {
        if let Some((_, value)) = self.built.iter().find(|(known, _)| known == name) {
            return value.clone();
        }
        let mut value = top_level(self.source, &self.object, name);
        if let (Some(elements), Some(field)) = (&mut value, SCHEMA.field(&self.object.class, name))
        {
            for element in elements.iter_mut() {
                SCHEMA.arrange(element, field.kind);
            }
        }
        self.built.push((name.to_owned(), value.clone()));
        value
    }
}

/// RFC 3339 in UTC, as vCenter writes times.
pub(super) fn time(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |t| format!("{t:.3}"))
}

/// `a.b["k"].c` as `(a, –) (b, k) (c, –)`.
fn segments(path: &str) -> Vec<(&str, Option<&str>)> {
    let mut found = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (key, after) = match after.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((key, after)) => (Some(key.trim_matches('"')), after),
            None => (None, after),
        };
        found.push((name, key));
        rest = after.strip_prefix('.').unwrap_or(after);
        if after == rest && !rest.is_empty() {
            found.push(("", None));
            break;
        }
    }
    found
}

/// Only the element with that key, where one is given.
fn pick(elements: Vec<Element>, key: Option<&str>) -> Vec<Element> {
    let Some(key) = key else { return elements };
    elements
        .into_iter()
        .filter(|element| {
            element.child_text("key").is_some_and(|own| own.eq_ignore_ascii_case(key))
        })
        .collect()
}

/// The fields that `extraConfig["…"]` and `device[…]` end in: the element, not the list.
fn single_of(field: &Field) -> &'static Field {
    static OPTION: Field = Field {
        name: "extraConfig",
        kind: "OptionValue",
        optional: true,
        array: false,
        reference: false,
    };
    static DEVICE: Field = Field {
        name: "device",
        kind: "VirtualDevice",
        optional: true,
        array: false,
        reference: false,
    };
    if field.kind == "VirtualDevice" { &DEVICE } else { &OPTION }
}

fn val(field: &Field, elements: Vec<Element>) -> Element {
    let kind = if field.reference { "ManagedObjectReference" } else { field.kind };
    let qualified = if is_simple(kind) { format!("xsd:{kind}") } else { kind.to_owned() };
    if field.array {
        let capital = kind.chars().take(1).flat_map(char::to_uppercase);
        let item: String = if is_simple(kind) {
            kind.to_owned()
        } else {
            capital.clone().chain(kind.chars().skip(1)).collect()
        };
        let of: String = capital.chain(kind.chars().skip(1)).collect();
        let items = elements.into_iter().map(|element| Element { name: item.clone(), ..element });
        return Element::new("val").attr("xsi:type", format!("ArrayOf{of}")).extend(items);
    }
    let element = elements.into_iter().next().unwrap_or_default();
    let typed = element.xsi_type().is_some();
    let element = Element { name: "val".to_owned(), ..element };
    if typed { element } else { element.attr("xsi:type", qualified) }
}

fn top_level(source: &Source<'_>, object: &Ref, name: &str) -> Option<Vec<Element>> {
    let one = |element: Element| Some(vec![element]);
    match (object.class.as_str(), name) {
        ("Task", "info") => {
            let task = source.world.tasks.get(&object.id)?;
            one(task::info(task, source.now, "info"))
        }
        ("AuthorizationManager", "roleList") => {
            Some(source.world.roles.values().map(role::element).collect())
        }
        ("AuthorizationManager", "privilegeList") => Some(privilege::elements()),
        ("SessionManager", "currentSession") => {
            one(session::element(source.session, source.now, "currentSession"))
        }
        ("SessionManager", "sessionList") => Some(
            source
                .world
                .sessions
                .values()
                .map(|known| session::element(known, source.now, "sessionList"))
                .collect(),
        ),
        ("SessionManager", "defaultLocale") => one(Element::with_text(name, "en")),
        ("ServiceInstance", "content") => {
            one(session::service_content(source.world.seed, "content"))
        }
        ("ServiceInstance", "serverClock") => one(Element::with_text(name, time(source.now))),
        ("TaskManager", "recentTask") => {
            let tasks = source.world.tasks.values().filter(|task| task.listed);
            Some(tasks.map(|task| Ref::new("Task", &task.id).element(name)).collect())
        }
        _ => entity::property(source, source.world.get(&object.id)?, name),
    }
}

/// An element with simple children.
pub(super) fn texts<const N: usize>(name: &str, fields: [(&str, String); N]) -> Element {
    let children = fields.into_iter().map(|(name, text)| Element::with_text(name, text));
    Element::new(name).extend(children)
}
