//! The part of `VirtualMachineConfigSpec` that boma writes.

use crate::xml::Element;

/// What to change of a VM; what is not set stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ConfigSpec {
    /// Refuses the change where somebody else wrote since this version was read.
    pub change_version: Option<String>,
    /// The flag form of the disk UUID setting.
    pub disk_uuid_flag: Option<bool>,
    /// Virtual CPUs.
    pub cpus: Option<u64>,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// Whether memory can be added while it runs.
    pub memory_hot_add: Option<bool>,
    /// Whether CPUs can be added while it runs.
    pub cpu_hot_add: Option<bool>,
    /// `deviceChange` elements, carried out in this order.
    pub device_changes: Vec<Element>,
    /// extraConfig keys and values; an empty value removes the key.
    pub extra: Vec<(String, String)>,
    /// The hardware version to upgrade to when the guest next shuts down.
    pub scheduled_hardware: Option<u64>,
}

impl ConfigSpec {
    /// Writes it in the order of the WSDL, which vCenter enforces.
    pub fn element(self, name: &str) -> Element {
        let text =
            |name: &str, value: Option<String>| value.map(|value| Element::with_text(name, value));
        let number =
            |name: &str, value: Option<u64>| text(name, value.map(|value| value.to_string()));
        let truth = |name: &str, value: Option<bool>| text(name, value.map(|on| on.to_string()));
        let flags = self.disk_uuid_flag.map(|on| {
            Element::new("flags").push(Element::with_text("diskUuidEnabled", on.to_string()))
        });
        Element::new(name)
            .extend(text("changeVersion", self.change_version))
            .extend(flags)
            .extend(number("numCPUs", self.cpus))
            .extend(number("memoryMB", self.memory_mib))
            .extend(truth("memoryHotAddEnabled", self.memory_hot_add))
            .extend(truth("cpuHotAddEnabled", self.cpu_hot_add))
            .extend(self.device_changes)
            .extend(self.extra.iter().map(|(key, value)| option(key, value)))
            .extend(self.scheduled_hardware.map(scheduled))
    }

    /// Whether there is anything to change.
    pub fn is_empty(&self) -> bool {
        self.disk_uuid_flag.is_none()
            && self.cpus.is_none()
            && self.memory_mib.is_none()
            && self.memory_hot_add.is_none()
            && self.cpu_hot_add.is_none()
            && self.device_changes.is_empty()
            && self.extra.is_empty()
            && self.scheduled_hardware.is_none()
    }
}

/// Only after the guest has shut down by itself: a hard stop may be the moment of a failure, in
/// which nobody wants other hardware as well.
fn scheduled(version: u64) -> Element {
    Element::new("scheduledHardwareUpgradeInfo")
        .push(Element::with_text("upgradePolicy", "onSoftPowerOff"))
        .push(Element::with_text("versionKey", format!("vmx-{version}")))
}

fn option(key: &str, value: &str) -> Element {
    Element::new("extraConfig")
        .attr("xsi:type", "OptionValue")
        .push(Element::with_text("key", key))
        .push(Element::with_text("value", value).attr("xsi:type", "xsd:string"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::names;

    #[test]
    fn fields_follow_the_order_of_the_wsdl() {
        let spec = ConfigSpec {
            change_version: Some("2026-11-22T00:00:00Z".into()),
            disk_uuid_flag: Some(true),
            cpus: Some(4),
            memory_mib: Some(8192),
            memory_hot_add: Some(true),
            cpu_hot_add: Some(true),
            device_changes: vec![Element::new("deviceChange")],
            extra: vec![("disk.EnableUUID".into(), "TRUE".into())],
            scheduled_hardware: Some(19),
        };
        let element = spec.element("spec");
        let order = [
            "changeVersion",
            "flags",
            "numCPUs",
            "memoryMB",
            "memoryHotAddEnabled",
            "cpuHotAddEnabled",
            "deviceChange",
            "extraConfig",
            "scheduledHardwareUpgradeInfo",
        ];
        assert_eq!(names(&element), order);
        assert!(element.to_xml().ends_with(
            "<upgradePolicy>onSoftPowerOff</upgradePolicy><versionKey>vmx-19</versionKey></scheduledHardwareUpgradeInfo></spec>"
        ));
        assert!(element.to_xml().contains(
            r#"<extraConfig xsi:type="OptionValue"><key>disk.EnableUUID</key><value xsi:type="xsd:string">TRUE</value></extraConfig>"#
        ));
        assert!(ConfigSpec::default().is_empty());
    }
}
