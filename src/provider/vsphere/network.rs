//! The network that a new machine's first card is put on.

use super::collect::{Row, retrieve_one};
use super::device::Devices;
use super::failure::Failure;
use super::session::Session;
use crate::xml::Element;

/// The types that hold a network card.
const CARDS: &[&str] = &[
    "VirtualVmxnet3",
    "VirtualVmxnet2",
    "VirtualVmxnet",
    "VirtualE1000",
    "VirtualE1000e",
    "VirtualPCNet32",
    "VirtualSriovEthernetCard",
];

/// The properties of port groups that [`backing`] needs.
pub const PORTGROUP: &[&str] = &["key", "config.distributedVirtualSwitch"];

/// What connects a card to a network: by name on a standard switch, by switch and key on a
/// distributed one.
///
/// # Errors
/// Any [`Failure`].
pub async fn backing(session: &Session, network: &Row) -> Result<Element, Failure> {
    if network.object.kind != "DistributedVirtualPortgroup" {
        let name =
            network.text("name").ok_or_else(|| Failure::missing("RetrievePropertiesEx", "name"))?;
        return Ok(Element::new("backing")
            .attr("xsi:type", "VirtualEthernetCardNetworkBackingInfo")
            .push(Element::with_text("deviceName", super::path::decode(name))));
    }
    let missing = |what: &str| Failure::missing("RetrievePropertiesEx", what);
    let key = network.text("key").ok_or_else(|| missing("port group key"))?;
    let switch = network
        .moref("config.distributedVirtualSwitch")
        .ok_or_else(|| missing("switch of the port group"))?;
    let row = retrieve_one(session, &switch, &["uuid"]).await?;
    Ok(distributed(row.text("uuid").ok_or_else(|| missing("switch UUID"))?, key))
}

/// The change that puts a template's first card on a network, or gives it one where it has none.
pub fn change(devices: Devices<'_>, backing: Element) -> Element {
    let mut cards: Vec<(i64, &Element)> = devices
        .all()
        .filter(|device| device.xsi_type().is_some_and(|kind| CARDS.contains(&kind)))
        .map(|card| (number(card, "key").unwrap_or(i64::MAX), card))
        .collect();
    cards.sort_by_key(|(key, _)| *key);
    let (operation, device) = match cards.first() {
        Some((_, card)) => ("edit", edited(card, backing)),
        None => ("add", added(backing)),
    };
    Element::new("deviceChange")
        .attr("xsi:type", "VirtualDeviceConfigSpec")
        .push(Element::with_text("operation", operation))
        .push(device)
}

fn distributed(switch: &str, key: &str) -> Element {
    let port = Element::new("port")
        .push(Element::with_text("switchUuid", switch))
        .push(Element::with_text("portgroupKey", key));
    Element::new("backing")
        .attr("xsi:type", "VirtualEthernetCardDistributedVirtualPortBackingInfo")
        .push(port)
}

fn edited(card: &Element, backing: Element) -> Element {
    let kept = |name: &str| card.child_text(name).map(|text| Element::with_text(name, text.trim()));
    Element::new("device")
        .attr("xsi:type", card.xsi_type().unwrap_or("VirtualVmxnet3"))
        .extend(kept("key"))
        .push(backing)
        .push(connectable())
        .extend(kept("controllerKey"))
        .extend(kept("unitNumber"))
}

fn added(backing: Element) -> Element {
    Element::new("device")
        .attr("xsi:type", "VirtualVmxnet3")
        .push(Element::with_text("key", "-1"))
        .push(backing)
        .push(connectable())
}

fn connectable() -> Element {
    Element::new("connectable")
        .push(Element::with_text("startConnected", "true"))
        .push(Element::with_text("allowGuestControl", "true"))
        .push(Element::with_text("connected", "true"))
}

fn number(element: &Element, name: &str) -> Option<i64> {
    element.child_text(name)?.trim().parse().ok()
}

/// Types of network a spec may name.
pub const NETWORKS: &[&str] = &["Network", "DistributedVirtualPortgroup"];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::names;

    fn devices(content: &str) -> Element {
        Element::parse(&format!(
            r#"<val xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{content}</val>"#
        ))
        .unwrap()
    }

    #[test]
    fn the_first_card_keeps_its_type_and_place() {
        let list = devices(
            r#"<VirtualDevice xsi:type="VirtualVmxnet3"><key>4001</key></VirtualDevice><VirtualDevice xsi:type="VirtualE1000e"><key>4000</key><deviceInfo><label>x</label></deviceInfo><controllerKey>100</controllerKey><unitNumber>7</unitNumber><macAddress>00:50:56:00:00:01</macAddress></VirtualDevice>"#,
        );
        let change = change(Devices::new(Some(&list), None), distributed("50 2f", "dvportgroup-9"));
        assert_eq!(names(&change), ["operation", "device"]);
        assert_eq!(change.child_text("operation"), Some("edit"));
        let device = change.child("device").unwrap();
        assert_eq!(device.xsi_type(), Some("VirtualE1000e"));
        assert_eq!(names(device), ["key", "backing", "connectable", "controllerKey", "unitNumber"]);
        let port = device.child("backing").and_then(|backing| backing.child("port")).unwrap();
        assert_eq!(names(port), ["switchUuid", "portgroupKey"]);
    }

    #[test]
    fn a_template_without_card_gets_one() {
        let list = devices("");
        let change = change(Devices::new(Some(&list), None), Element::new("backing"));
        assert_eq!(change.child_text("operation"), Some("add"));
        assert_eq!(names(change.child("device").unwrap()), ["key", "backing", "connectable"]);
    }
}
