//! The vim25 schema as data (`vim25.txt`), and the check that a request keeps to it.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::xml::{Element, VIM25};

use super::fault::Fault;

/// The table, read once.
pub(super) static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::read(include_str!("vim25.txt")));

/// All types and methods that the lab knows.
#[derive(Default)]
pub(super) struct Schema {
    classes: HashMap<&'static str, Class>,
    methods: HashMap<&'static str, Method>,
    enums: HashMap<&'static str, Vec<&'static str>>,
}

/// A managed or data object type.
struct Class {
    base: &'static str,
    managed: bool,
    fields: Vec<Field>,
}

/// A method: where it is, and its parameters after `_this`.
struct Method {
    class: &'static str,
    fields: Vec<Field>,
}

/// A property, field or parameter.
pub(super) struct Field {
    pub name: &'static str,
    /// The type's name; the class where `reference` is set.
    pub kind: &'static str,
    pub optional: bool,
    pub array: bool,
    pub reference: bool,
}

impl Schema {
    fn read(text: &'static str) -> Self {
        let mut schema = Self::default();
        let mut words: Vec<&'static str> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if !line.starts_with(' ') {
                schema.define(&words);
                words.clear();
            }
            words.extend(line.split_whitespace());
        }
        schema.define(&words);
        schema
    }

    fn define(&mut self, words: &[&'static str]) {
        match words {
            ["enum", name, values @ ..] => {
                self.enums.insert(name, values.to_vec());
            }
            ["method", name, class, _, fields @ ..] => {
                let fields = fields.iter().filter_map(|word| field(word)).collect();
                self.methods.insert(name, Method { class, fields });
            }
            [what, name, base, fields @ ..] => {
                let class = Class {
                    base,
                    managed: *what == "managed",
                    fields: fields.iter().filter_map(|word| field(word)).collect(),
                };
                self.classes.insert(name, class);
            }
            _ => {}
        }
    }

    /// Whether a type is another or derives from it.
    pub(super) fn is_a(&self, class: &str, base: &str) -> bool {
        base == "ManagedObject" || self.chain(class).any(|(name, _)| name == base)
    }

    /// Whether the name is one of a managed object type.
    pub(super) fn is_managed(&self, class: &str) -> bool {
        self.classes.get(class).is_some_and(|class| class.managed)
    }

    /// Whether a data type's fields are known.
    pub(super) fn is_defined(&self, class: &str) -> bool {
        self.classes.contains_key(class)
    }

    /// The fields of a type, those of its bases first.
    pub(super) fn fields(&self, class: &str) -> Vec<&Field> {
        let mut chain: Vec<_> = self.chain(class).map(|(_, class)| class).collect();
        chain.reverse();
        chain.iter().flat_map(|class| &class.fields).collect()
    }

    /// One field of a type or of its bases.
    pub(super) fn field(&self, class: &str, name: &str) -> Option<&Field> {
        self.chain(class)
            .find_map(|(_, class)| class.fields.iter().find(|field| field.name == name))
    }

    /// Whether a name is an enumeration.
    pub(super) fn is_enum(&self, name: &str) -> bool {
        self.enums.contains_key(name)
    }

    /// Puts the children of an element of that type into the schema's order, all the way down.
    pub(super) fn arrange(&self, element: &mut Element, class: &str) {
        let class = element.xsi_type().unwrap_or(class).to_owned();
        let fields = self.fields(&class);
        if fields.is_empty() {
            return;
        }
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        element.children.sort_by_key(|child| place(&child.name));
        for child in &mut element.children {
            if let Some(field) = self.field(&class, &child.name) {
                self.arrange(child, field.kind);
            }
        }
    }

    /// Checks a call: the method's class, then every element's place, type and presence.
    ///
    /// # Errors
    /// `MethodNotFound`, `InvalidRequest` in vpxd's words, or `NotSupported` for what vim25 has
    /// and the lab has not.
    pub(super) fn check_call(&self, call: &Element, class: &str) -> Result<(), Fault> {
        if call.namespace.as_deref() != Some(VIM25) {
            return Err(Fault::request(format!(
                "Unable to resolve WSDL method name {} in namespace {:?}",
                call.name,
                call.namespace.as_deref().unwrap_or("")
            )));
        }
        let Some(method) = self.methods.get(call.name.as_str()) else {
            return Err(Fault::unsimulated(&format!("the method {}", call.name)));
        };
        if !self.is_a(class, method.class) {
            return Err(Fault::request(format!(
                "The method {} is not implemented by {class}",
                call.name
            )));
        }
        let context = format!("parsing call information for method {}", call.name);
        self.check_fields(&call.children[1..], &method.fields.iter().collect::<Vec<_>>(), &context)
    }

    fn check_fields(
        &self,
        children: &[Element],
        fields: &[&Field],
        context: &str,
    ) -> Result<(), Fault> {
        let mut cursor = 0;
        let mut seen = vec![0_usize; fields.len()];
        for child in children {
            let rest = fields.get(cursor..).unwrap_or_default();
            let Some(step) = rest.iter().position(|field| field.name == child.name) else {
                return Err(Fault::request(format!(
                    "Unexpected element tag \"{}\" seen\n\nwhile {context}",
                    child.name
                )));
            };
            cursor += step;
            let field = fields[cursor];
            seen[cursor] += 1;
            if !field.array && seen[cursor] > 1 {
                return Err(Fault::request(format!(
                    "Element \"{}\" seen more than once\n\nwhile {context}",
                    child.name
                )));
            }
            self.check_value(child, field, context)?;
        }
        match fields.iter().zip(&seen).find(|(field, seen)| **seen == 0 && !field.optional) {
            Some((field, _)) => Err(Fault::request(format!(
                "Required property {} is missing\n\nwhile {context}",
                field.name
            ))),
            None => Ok(()),
        }
    }

    fn check_value(&self, value: &Element, field: &Field, context: &str) -> Result<(), Fault> {
        if field.reference {
            return check_reference(value, context);
        }
        let kind = match (value.xsi_type(), field.kind) {
            (None, "anyType") => {
                return Err(Fault::request(format!(
                    "The element \"{}\" of type anyType has no xsi:type\n\nwhile {context}",
                    value.name
                )));
            }
            (Some(kind), "anyType") => kind,
            (Some(kind), declared) if kind == declared || self.is_a(kind, declared) => kind,
            (Some(kind), declared) => {
                return Err(Fault::request(format!(
                    "Type {kind} is not a {declared} in element \"{}\"\n\nwhile {context}",
                    value.name
                )));
            }
            (None, declared) => declared,
        };
        if is_simple(kind) || self.is_enum(kind) {
            return self.check_simple(value, kind, context);
        }
        if !self.is_defined(kind) {
            return Err(Fault::unsimulated(&format!("the type {kind} of {}", value.name)));
        }
        let context = format!("parsing serialized DataObject of type {kind}\n\nwhile {context}");
        self.check_fields(&value.children, &self.fields(kind), &context)
    }

    fn check_simple(&self, value: &Element, kind: &str, context: &str) -> Result<(), Fault> {
        let text = value.text.trim();
        let fits = match kind {
            "boolean" => matches!(text, "true" | "false" | "1" | "0"),
            "byte" => text.parse::<i8>().is_ok(),
            "short" => text.parse::<i16>().is_ok(),
            "int" => text.parse::<i32>().is_ok(),
            "long" => text.parse::<i64>().is_ok(),
            "float" | "double" => text.parse::<f64>().is_ok(),
            _ => self.enums.get(kind).is_none_or(|values| values.contains(&text)),
        };
        if fits && value.children.is_empty() {
            return Ok(());
        }
        Err(Fault::request(format!(
            "Invalid value {text:?} for element \"{}\" of type {kind}\n\nwhile {context}",
            value.name
        )))
    }
}

/// Whether the name is one of XML Schema's own types.
pub(super) fn is_simple(kind: &str) -> bool {
    matches!(
        kind,
        "boolean"
            | "byte"
            | "short"
            | "int"
            | "long"
            | "float"
            | "double"
            | "string"
            | "dateTime"
            | "base64Binary"
    )
}

fn check_reference(value: &Element, context: &str) -> Result<(), Fault> {
    if value.attribute("type").is_none_or(str::is_empty) || value.text.trim().is_empty() {
        return Err(Fault::request(format!(
            "The reference in element \"{}\" needs a type attribute and an id\n\nwhile {context}",
            value.name
        )));
    }
    Ok(())
}

fn field(word: &'static str) -> Option<Field> {
    let (name, kind) = word.split_once(':')?;
    let bare = kind.trim_end_matches("[]");
    Some(Field {
        name: name.trim_end_matches('?'),
        kind: bare.trim_start_matches('*'),
        optional: name.ends_with('?'),
        array: kind.ends_with("[]"),
        reference: kind.starts_with('*'),
    })
}

impl Schema {
    fn chain<'a>(
        &'a self,
        class: &str,
    ) -> impl Iterator<Item = (&'static str, &'a Class)> + use<'a> {
        let first = self.classes.get_key_value(class);
        let chain = std::iter::successors(first, |(name, class)| {
            self.classes.get_key_value(class.base).filter(|(base, _)| base != name)
        });
        chain.map(|(name, class)| (*name, class))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_wire_begins_with_the_base_class() {
        let names = |class: &str| SCHEMA.fields(class).iter().map(|f| f.name).collect::<Vec<_>>();
        assert_eq!(names("Permission"), ["entity", "principal", "group", "roleId", "propagate"]);
        assert_eq!(
            names("ParaVirtualSCSIController"),
            [
                "key",
                "deviceInfo",
                "backing",
                "connectable",
                "slotInfo",
                "controllerKey",
                "unitNumber",
                "busNumber",
                "device",
                "hotAddRemove",
                "sharedBus",
                "scsiCtlrUnitNumber",
            ]
        );
        assert_eq!(names("TraversalSpec"), ["name", "type", "path", "skip", "selectSet"]);
    }

    #[test]
    fn every_base_is_there_and_chains_end() {
        for (name, class) in &SCHEMA.classes {
            let known = SCHEMA.classes.contains_key(class.base);
            assert!(known || class.base == "ManagedObject", "{name} derives from {}", class.base);
            assert!(SCHEMA.chain(name).count() < 8, "{name}");
        }
        assert!(SCHEMA.is_a("VirtualMachine", "ManagedEntity"));
        assert!(!SCHEMA.is_a("Folder", "VirtualMachine"));
    }
}
