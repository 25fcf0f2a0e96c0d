//! Reading: views, paths, pages.

use crate::xml::Element;

use super::super::schema::SCHEMA;
use super::client::Client;

fn view(client: &mut Client, class: &str) -> String {
    let body = format!(
        "<container type=\"Folder\">group-d1</container><type>{class}</type><recursive>true</recursive>"
    );
    let answer = client.ok("CreateContainerView", "ViewManager:ViewManager", &body);
    answer.child_text("returnval").unwrap().to_owned()
}

fn spec(view: &str, class: &str, paths: &[&str]) -> String {
    let paths: String = paths.iter().map(|path| format!("<pathSet>{path}</pathSet>")).collect();
    format!(
        "<specSet><propSet><type>{class}</type>{paths}</propSet><objectSet><obj type=\"ContainerView\">{view}</obj><skip>true</skip>\
         <selectSet xsi:type=\"TraversalSpec\"><type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet></specSet>"
    )
}

fn ids(result: &Element) -> Vec<String> {
    let objects = result.child("returnval").unwrap().children_named("objects");
    objects.map(|object| object.child_text("obj").unwrap().to_owned()).collect()
}

const COLLECTOR: &str = "PropertyCollector:propertyCollector";

#[test]
fn pages_come_one_by_one_and_a_token_works_once() {
    let mut client = Client::new();
    let view = view(&mut client, "VirtualMachine");
    let body = format!(
        "{}<options><maxObjects>3</maxObjects></options>",
        spec(&view, "VirtualMachine", &["name"])
    );
    let first = client.ok("RetrievePropertiesEx", COLLECTOR, &body);
    let token = first.child("returnval").unwrap().child_text("token").unwrap().to_owned();
    let next = format!("<token>{token}</token>");
    let second = client.ok("ContinueRetrievePropertiesEx", COLLECTOR, &next);
    assert_eq!((ids(&first).len(), ids(&second).len()), (3, 1));
    assert_eq!(second.child("returnval").unwrap().child("token"), None);
    assert_eq!(client.fault("ContinueRetrievePropertiesEx", COLLECTOR, &next).0, "InvalidArgument");
}

#[test]
fn paths_reach_into_structures_and_are_typed() {
    let mut client = Client::new();
    let machine = client.at("/DC1/vm/old/site/standing-1").unwrap();
    let check = |client: &mut Client, path: &str, kind: &str, text: &str| {
        let val = client.get(&machine, path).unwrap_or_else(|| panic!("{path} is unset"));
        assert_eq!((val.xsi_type(), val.text.as_str()), (Some(kind), text), "{path}");
    };
    check(&mut client, "config.hardware.numCPU", "int", "4");
    check(&mut client, "config.version", "string", "vmx-15");
    check(&mut client, "config.flags.diskUuidEnabled", "boolean", "true");
    check(&mut client, "runtime.powerState", "VirtualMachinePowerState", "poweredOn");
    check(&mut client, "guest.ipAddress", "string", "10.20.0.99");
    check(
        &mut client,
        "config.hardware.device[2000].backing.fileName",
        "string",
        "[vsanDatastore] standing-1/standing-1.vmdk",
    );
    let option = client.get(&machine, "config.extraConfig[\"disk.enableuuid\"]").unwrap();
    assert_eq!(
        (option.xsi_type(), option.child_text("value")),
        (Some("OptionValue"), Some("TRUE"))
    );
    let devices = client.get(&machine, "config.hardware.device").unwrap();
    assert_eq!(devices.xsi_type(), Some("ArrayOfVirtualDevice"));
    let kinds: Vec<_> = devices.children.iter().filter_map(Element::xsi_type).collect();
    assert!(
        kinds.contains(&"ParaVirtualSCSIController") && kinds.contains(&"VirtualVmxnet3"),
        "{kinds:?}"
    );
}

#[test]
fn unset_is_left_out_and_invalid_is_a_fault() {
    let mut client = Client::new();
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    assert_eq!(client.get(&template, "resourcePool"), None);
    assert_eq!(client.get(&template, "guest.ipAddress"), None);
    let (class, id) = template.split_once(':').unwrap();
    for path in ["config.nonsense", "nonsense", "name.length", "config.hardware.device.key"] {
        let body = format!(
            "<specSet><propSet><type>VirtualMachine</type><pathSet>{path}</pathSet></propSet><objectSet><obj type=\"{class}\">{id}</obj></objectSet></specSet>"
        );
        assert_eq!(
            client.fault("RetrieveProperties", COLLECTOR, &body).0,
            "InvalidProperty",
            "{path}"
        );
    }
}

#[test]
fn selections_may_refer_to_themselves() {
    let mut client = Client::new();
    let body = "<specSet><propSet><type>ManagedEntity</type><pathSet>name</pathSet></propSet><objectSet><obj type=\"Folder\">group-d1</obj>\
        <selectSet xsi:type=\"TraversalSpec\"><name>f</name><type>Folder</type><path>childEntity</path><skip>false</skip>\
        <selectSet><name>f</name></selectSet><selectSet><name>d</name></selectSet></selectSet>\
        <selectSet xsi:type=\"TraversalSpec\"><name>d</name><type>Datacenter</type><path>vmFolder</path><skip>false</skip>\
        <selectSet><name>f</name></selectSet></selectSet></objectSet></specSet>";
    let answer = client.ok("RetrieveProperties", COLLECTOR, body);
    let names: Vec<_> = answer
        .children_named("returnval")
        .filter_map(|object| object.child("propSet").and_then(|set| set.child_text("val")))
        .collect();
    for name in
        ["Datacenters", "DC1", "vm", "old", "site", "standing-1", "legacy-db", "ubuntu-22.04"]
    {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}

/// Every element must be a field that the schema knows, in its place.
fn conforms(element: &Element, class: &str, path: &str) {
    let class = element.xsi_type().unwrap_or(class);
    let fields: Vec<&str> = SCHEMA.fields(class).iter().map(|field| field.name).collect();
    let mut last = 0;
    for child in &element.children {
        let path = format!("{path}.{}", child.name);
        let place = fields.iter().position(|name| *name == child.name);
        let place = place.unwrap_or_else(|| panic!("{path} is not a field of {class}"));
        assert!(place >= last, "{path} is out of order in {class}");
        last = place;
        conforms(child, SCHEMA.field(class, &child.name).unwrap().kind, &path);
    }
}

#[test]
fn every_property_of_every_object_keeps_to_the_schema() {
    let mut client = Client::new();
    client.clone_vm("a", "", true);
    let view = view(&mut client, "ManagedEntity");
    let body = spec(&view, "ManagedEntity", &[])
        .replace("</type></propSet>", "</type><all>true</all></propSet>");
    let answer = client.ok("RetrieveProperties", COLLECTOR, &body);
    assert!(answer.children.len() > 15);
    let sets = answer.children.iter().flat_map(|object| object.children_named("propSet"));
    for set in sets {
        let (name, val) = (set.child_text("name").unwrap(), set.child("val").unwrap());
        match val.xsi_type().unwrap().strip_prefix("ArrayOf") {
            Some(_) => val.children.iter().for_each(|item| conforms(item, &item.name, name)),
            None => conforms(val, val.xsi_type().unwrap(), name),
        }
    }
}

#[test]
fn one_property_can_be_fetched() {
    let mut client = Client::new();
    let answer = client.ok("Fetch", "Folder:group-d1", "<prop>name</prop>");
    assert_eq!(answer.child_text("returnval"), Some("Datacenters"));
    assert!(client.ok("Fetch", "Folder:group-d1", "<prop>parent</prop>").children.is_empty());
    assert_eq!(client.fault("Fetch", "Folder:group-d1", "<prop>x</prop>").0, "InvalidProperty");
}
