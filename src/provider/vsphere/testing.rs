//! Rows as vCenter would send them, for the tests of mappings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::collect::Row;
use super::moref::MoRef;
use crate::xml::Element;

/// A row from `propSet` and `missingSet` elements; prefixes `xsi` and `xsd` are declared.
pub fn row(kind: &str, value: &str, sets: &str) -> Row {
    let text = format!(
        r#"<objects xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><obj type="{kind}">{value}</obj>{sets}</objects>"#
    );
    Row::of(&Element::parse(&text).unwrap()).unwrap()
}

/// A property with a simple value.
pub fn property(name: &str, value: &str) -> String {
    format!("<propSet><name>{}</name><val>{value}</val></propSet>", name.replace('"', "&quot;"))
}

/// A property that refers to an object.
pub fn reference(name: &str, object: &MoRef) -> String {
    format!(
        r#"<propSet><name>{name}</name><val type="{}" xsi:type="ManagedObjectReference">{}</val></propSet>"#,
        object.kind, object.value
    )
}

/// The names of an element's children, in order.
pub fn names(element: &Element) -> Vec<&str> {
    element.children.iter().map(|child| child.name.as_str()).collect()
}
