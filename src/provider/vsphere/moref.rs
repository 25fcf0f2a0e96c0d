//! References to managed objects.

use std::fmt;

use crate::xml::Element;

/// vCenter's own name of an object: a type and a value such as `vm-42`, never used again within
/// one vCenter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoRef {
    /// `VirtualMachine`, `Folder`, …
    pub kind: String,
    /// `vm-42`, `group-v3`, …
    pub value: String,
}

impl MoRef {
    /// Takes type and value.
    pub fn new(kind: &str, value: &str) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }

    /// Reads an element such as `<obj type="VirtualMachine">vm-42</obj>`. `None` for any other.
    pub fn of(element: &Element) -> Option<Self> {
        let value = element.text.trim();
        (!value.is_empty()).then(|| Self::new(element.attribute("type").unwrap_or_default(), value))
    }

    /// Reads the child of that name.
    pub fn child(element: &Element, name: &str) -> Option<Self> {
        element.child(name).and_then(Self::of)
    }

    /// Writes it as an element of that name.
    pub fn element(&self, name: &str) -> Element {
        Element::with_text(name, self.value.as_str()).attr("type", self.kind.as_str())
    }

    /// Starts a call of one of its methods.
    pub fn call(&self, method: &str) -> Element {
        Element::new(method).push(self.element("_this"))
    }

    /// Guesses the reference that a recorded value stands for; vCenter's values begin with a
    /// prefix per type. `None` for values that no entity has.
    pub fn from_value(value: &str) -> Option<Self> {
        const PREFIXES: &[(&str, &str)] = &[
            ("group-", "Folder"),
            ("vm-", "VirtualMachine"),
            ("datacenter-", "Datacenter"),
            ("datastore-", "Datastore"),
            ("domain-c", "ClusterComputeResource"),
            ("domain-s", "ComputeResource"),
            ("host-", "HostSystem"),
            ("resgroup-v", "VirtualApp"),
            ("resgroup-", "ResourcePool"),
            ("dvportgroup-", "DistributedVirtualPortgroup"),
            ("network-", "Network"),
        ];
        let (_, kind) = PREFIXES.iter().find(|(prefix, _)| value.starts_with(prefix))?;
        Some(Self::new(kind, value))
    }
}

impl fmt::Display for MoRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn type_and_xsi_type_do_not_collide() {
        let text = r#"<val xmlns:x="http://www.w3.org/2001/XMLSchema-instance" type="HostSystem" x:type="ManagedObjectReference">host-9</val>"#;
        let element = Element::parse(text).unwrap();
        assert_eq!(MoRef::of(&element), Some(MoRef::new("HostSystem", "host-9")));
        assert_eq!(MoRef::of(&Element::new("val")), None);
    }

    #[test]
    fn values_name_their_type() {
        for (value, kind) in [
            ("group-d1", "Folder"),
            ("vm-42", "VirtualMachine"),
            ("resgroup-v12", "VirtualApp"),
            ("resgroup-8", "ResourcePool"),
        ] {
            assert_eq!(MoRef::from_value(value), Some(MoRef::new(kind, value)));
        }
        assert_eq!(MoRef::from_value("42"), None);
    }
}
