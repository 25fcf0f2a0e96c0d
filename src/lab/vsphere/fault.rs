//! vim25 faults, as data and on the wire.

use serde::{Deserialize, Serialize};

use crate::xml::Element;

use super::world::Ref;

/// A fault with its typed fields, in the order of its schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault {
    /// The vim25 type, such as `InvalidPowerState`.
    pub kind: String,
    /// What the server says to a person.
    pub message: String,
    /// The type's own fields.
    pub fields: Vec<Field>,
}

/// One field of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Field {
    /// A simple value.
    Text(String, String),
    /// A reference to a managed object.
    Object(String, Ref),
    /// A data object of a type, with simple values.
    Record(String, String, Vec<(String, String)>),
}

impl Fault {
    pub(super) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), message: message.into(), fields: Vec::new() }
    }

    pub(super) fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push(Field::Text(name.to_owned(), value.into()));
        self
    }

    pub(super) fn object(mut self, name: &str, object: &Ref) -> Self {
        self.fields.push(Field::Object(name.to_owned(), object.clone()));
        self
    }

    pub(super) fn record(mut self, name: &str, class: &str, values: Vec<(String, String)>) -> Self {
        self.fields.push(Field::Record(name.to_owned(), class.to_owned(), values));
        self
    }

    /// The request could not be read as vim25.
    pub(super) fn request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequest", message)
    }

    pub(super) fn argument(property: &str) -> Self {
        Self::new("InvalidArgument", format!("A specified parameter was not correct: {property}"))
            .text("invalidProperty", property)
    }

    pub(super) fn gone(object: &Ref) -> Self {
        let message = format!(
            "The object '{}:{}' has already been deleted or has not been completely created",
            object.class, object.id
        );
        Self::new("ManagedObjectNotFound", message).object("obj", object)
    }

    pub(super) fn duplicate(name: &str, object: &Ref) -> Self {
        Self::new("DuplicateName", format!("The name '{name}' already exists."))
            .text("name", name)
            .object("object", object)
    }

    pub(super) fn power(requested: Option<&str>, existing: &str) -> Self {
        let fault = Self::new(
            "InvalidPowerState",
            format!(
                "The attempted operation cannot be performed in the current state ({existing})."
            ),
        );
        let fault = match requested {
            Some(state) => fault.text("requestedState", state),
            None => fault,
        };
        fault.text("existingState", existing)
    }

    pub(super) fn permission(object: &Ref, privilege: &str) -> Self {
        Self::new("NoPermission", "Permission to perform this operation was denied.")
            .object("object", object)
            .text("privilegeId", privilege)
    }

    /// The real one can do it, the lab cannot: better refused than silently ignored.
    pub(super) fn unsimulated(what: &str) -> Self {
        Self::new("NotSupported", format!("the lab does not simulate {what}"))
    }

    /// The whole body of a failed call.
    pub(super) fn soap(&self) -> Element {
        let detail = Element::new("detail")
            .push(self.typed(&format!("{}Fault", self.kind)).attr("xmlns", crate::xml::VIM25));
        Element::new("soapenv:Fault")
            .push(Element::with_text("faultcode", "ServerFaultCode"))
            .push(Element::with_text("faultstring", &self.message))
            .push(detail)
    }

    /// A `LocalizedMethodFault`, as tasks and missing properties carry it.
    pub(super) fn localized(&self, name: &str) -> Element {
        Element::new(name)
            .push(self.typed("fault"))
            .push(Element::with_text("localizedMessage", &self.message))
    }

    fn typed(&self, name: &str) -> Element {
        let fields = self.fields.iter().map(|field| match field {
            Field::Text(name, value) => Element::with_text(name, value),
            Field::Object(name, object) => object.element(name),
            Field::Record(name, class, values) => Element::new(name)
                .attr("xsi:type", class)
                .extend(values.iter().map(|(name, value)| Element::with_text(name, value))),
        });
        Element::new(name).attr("xsi:type", &self.kind).extend(fields)
    }
}
