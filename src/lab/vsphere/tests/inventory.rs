//! Folders and places.

use super::client::Client;

#[test]
fn a_folder_is_made_once_and_goes_with_its_content() {
    let mut client = Client::new();
    let vm = client.at("/DC1/vm").unwrap();
    client.ok("CreateFolder", &vm, "<name>cht</name>");
    assert_eq!(client.fault("CreateFolder", &vm, "<name>CHT</name>").0, "DuplicateName");
    let folder = client.at("/DC1/vm/cht").unwrap();
    let machine = client.clone_vm("server-1", "", true);
    let list = machine.replace("VirtualMachine:", "<list type=\"VirtualMachine\">") + "</list>";
    client.task("MoveIntoFolder_Task", &folder, &list).unwrap();
    assert_eq!(client.at("/DC1/vm/cht/server-1"), Some(machine.clone()));
    assert_eq!(client.task("Destroy_Task", &folder, ""), Err("InvalidPowerState".to_owned()));
    client.task("PowerOffVM_Task", &machine, "").unwrap();
    client.task("Destroy_Task", &folder, "").unwrap();
    assert_eq!(client.at("/DC1/vm/cht"), None);
    assert_eq!(client.at("/DC1/vm/cht/server-1"), None);
    assert_eq!(client.fault("Destroy_Task", &vm, "").0, "NotSupported");
}

#[test]
fn names_are_escaped_as_vcenter_stores_them() {
    let mut client = Client::new();
    let vm = client.at("/DC1/vm").unwrap();
    client.ok("CreateFolder", &vm, "<name>a/b</name>");
    let folder = client.at("/DC1/vm/a%2fb").unwrap();
    assert_eq!(client.text(&folder, "name"), "a%2fb");
    assert_eq!(client.fault("CreateFolder", &vm, "<name></name>").0, "InvalidName");
}

#[test]
fn machines_are_found_by_bios_uuid_unless_asked_otherwise() {
    let mut client = Client::new();
    let machine = client.at("/DC1/vm/old/site/standing-1").unwrap();
    let (bios, instance) =
        (client.text(&machine, "config.uuid"), client.text(&machine, "config.instanceUuid"));
    let mut find = |uuid: &str, more: &str| {
        let body = format!("<uuid>{}</uuid><vmSearch>true</vmSearch>{more}", uuid.to_uppercase());
        let answer = client.ok("FindByUuid", "SearchIndex:SearchIndex", &body);
        answer.child("returnval").is_some()
    };
    assert!(find(&bios, ""));
    assert!(!find(&instance, ""));
    assert!(find(&instance, "<instanceUuid>true</instanceUuid>"));
}
