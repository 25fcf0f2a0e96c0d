//! Accounts that may do some things: what each call asks for.

use crate::lab::{AccountSetup, GrantSetup};

use super::super::genesis::complete;
use super::super::status::status;
use super::client::{Client, setup};

const BOMA: &str = r"VSPHERE.LOCAL\boma-svc";
const MANAGER: &str = "AuthorizationManager:AuthorizationManager";

fn grant(path: &str, propagate: bool, privileges: &[&str]) -> GrantSetup {
    let privileges = privileges.iter().map(|&id| id.to_owned()).collect();
    GrantSetup { path: path.to_owned(), privileges, propagate, group: None }
}

/// A world in which an account holds these grants.
fn with(grants: &[GrantSetup]) -> Client {
    let mut setup = setup();
    setup.accounts = vec![AccountSetup {
        principal: BOMA.to_owned(),
        groups: Vec::new(),
        grants: grants.to_vec(),
    }];
    Client::of(&setup)
}

/// What an installer's account holds for clones, in the places where it needs them.
fn clone_grants() -> Vec<GrantSetup> {
    vec![
        grant("/", true, &[]),
        grant("/DC1/vm/ubuntu-22.04", false, &["VirtualMachine.Provisioning.DeployTemplate"]),
        grant(
            "/DC1/vm/old",
            true,
            &[
                "VirtualMachine.Inventory.CreateFromExisting",
                "VirtualMachine.Config.AddNewDisk",
                "VirtualMachine.Config.CPUCount",
            ],
        ),
        grant("/DC1/datastore/vsanDatastore", false, &["Datastore.AllocateSpace"]),
        grant("/DC1/host/Cluster1", true, &["Resource.AssignVMToPool"]),
        grant("/DC1/network/VM Network", false, &["Network.Assign"]),
    ]
}

/// Object path and privilege of the fault that a clone with four processors ends in.
fn clone_lacks(grants: &[GrantSetup]) -> Option<(String, String)> {
    let mut client = with(grants);
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    let body = client.clone_parameters("a", "<config><numCPUs>4</numCPUs></config>", false);
    let folder = client.reference("folder", "/DC1/vm");
    let body = body.replace(&folder, &client.reference("folder", "/DC1/vm/old"));
    client.login(BOMA);
    let fault = client.call("CloneVM_Task", &template, &body).err()?;
    let detail = fault.child("detail").unwrap().child("NoPermissionFault").unwrap();
    let path = client.desk.world.path(detail.child_text("object").unwrap());
    Some((path, detail.child_text("privilegeId").unwrap().to_owned()))
}

#[test]
fn a_clone_asks_for_each_privilege_where_it_is_needed() {
    let whole = clone_grants();
    assert_eq!(clone_lacks(&whole), None);
    for (place, grant) in whole.iter().enumerate() {
        for (index, privilege) in grant.privileges.iter().enumerate() {
            let mut less = whole.clone();
            less[place].privileges.remove(index);
            let at = match grant.path.as_str() {
                "/DC1/host/Cluster1" => "/DC1/host/Cluster1/Resources",
                other => other,
            };
            assert_eq!(clone_lacks(&less), Some((at.to_owned(), privilege.clone())));
        }
    }
}

#[test]
fn each_field_of_a_reconfigure_has_its_privilege() {
    let option = "<extraConfig xsi:type=\"OptionValue\"><key>a</key><value xsi:type=\"xsd:string\">b</value></extraConfig>";
    let device = |operation: &str, file: &str, device: &str| {
        format!("<deviceChange><operation>{operation}</operation>{file}{device}</deviceChange>")
    };
    let disk =
        "<device xsi:type=\"VirtualDisk\"><key>2000</key><capacityInKB>1</capacityInKB></device>";
    let adapter = "<device xsi:type=\"ParaVirtualSCSIController\"><key>-1</key><busNumber>1</busNumber>\
        <sharedBus>noSharing</sharedBus></device>";
    for (spec, privilege) in [
        ("<name>b</name>".to_owned(), "Rename"),
        ("<annotation>b</annotation>".to_owned(), "Annotation"),
        ("<flags><diskUuidEnabled>true</diskUuidEnabled></flags>".to_owned(), "Settings"),
        ("<numCPUs>2</numCPUs>".to_owned(), "CPUCount"),
        ("<memoryMB>8192</memoryMB>".to_owned(), "Memory"),
        (option.to_owned(), "AdvancedConfig"),
        (device("add", "<fileOperation>create</fileOperation>", disk), "AddNewDisk"),
        (device("add", "", disk), "AddExistingDisk"),
        (device("edit", "", disk), "DiskExtend"),
        (device("remove", "", disk), "RemoveDisk"),
        (device("add", "", adapter), "AddRemoveDevice"),
        ("<scheduledHardwareUpgradeInfo/>".to_owned(), "UpgradeVirtualHardware"),
    ] {
        let privilege = format!("VirtualMachine.Config.{privilege}");
        let mut client = with(&[grant("/", true, &[])]);
        let machine = client.at("/DC1/vm/Other Team/print-server").unwrap();
        client.login(BOMA);
        let body = format!("<spec>{spec}</spec>");
        let fault = client.call("ReconfigVM_Task", &machine, &body).unwrap_err();
        let detail = fault.child("detail").unwrap().child("NoPermissionFault").unwrap();
        assert_eq!(detail.child_text("privilegeId"), Some(privilege.as_str()), "{spec}");
        let mut client = with(&[grant("/", true, &[&privilege, "Datastore.AllocateSpace"])]);
        client.login(BOMA);
        client.ok("ReconfigVM_Task", &machine, &body);
    }
}

#[test]
fn a_new_disk_needs_space_on_the_datastore() {
    let mut client = with(&[grant("/", true, &["VirtualMachine.Config.AddNewDisk"])]);
    let machine = client.at("/DC1/vm/Other Team/print-server").unwrap();
    client.login(BOMA);
    let body = "<spec><deviceChange><operation>add</operation><fileOperation>create</fileOperation>\
        <device xsi:type=\"VirtualDisk\"><key>-1</key><controllerKey>1000</controllerKey>\
        <capacityInKB>1</capacityInKB></device></deviceChange></spec>";
    let fault = client.call("ReconfigVM_Task", &machine, body).unwrap_err();
    let detail = fault.child("detail").unwrap().child("NoPermissionFault").unwrap();
    assert_eq!(detail.child_text("privilegeId"), Some("Datastore.AllocateSpace"));
}

#[test]
fn destroying_needs_its_privilege_on_the_folder_as_well() {
    let own = grant("/DC1/vm/Other Team/print-server", false, &["VirtualMachine.Inventory.Delete"]);
    let mut client = with(&[grant("/", true, &[]), own]);
    let machine = client.at("/DC1/vm/Other Team/print-server").unwrap();
    client.login(BOMA);
    assert_eq!(client.fault("Destroy_Task", &machine, "").0, "NoPermission");
}

#[test]
fn nobody_gives_a_privilege_that_they_lack() {
    let own = ["Authorization.ModifyRoles", "Authorization.ModifyPermissions", "Cns.Searchable"];
    let mut client = with(&[grant("/", true, &own)]);
    client.login(BOMA);
    let role = |id: &str| format!("<name>x-{id}</name><privIds>{id}</privIds>");
    client.ok("AddAuthorizationRole", MANAGER, &role("Cns.Searchable"));
    assert_eq!(
        client.fault("AddAuthorizationRole", MANAGER, &role("StorageProfile.View")).0,
        "NoPermission"
    );
    let entity = client.reference("entity", "/DC1");
    let admin = format!(
        "{entity}<permission><principal>cht-storage</principal><group>false</group><roleId>-1</roleId>\
         <propagate>true</propagate></permission>"
    );
    assert_eq!(client.fault("SetEntityPermissions", MANAGER, &admin).0, "NoPermission");
}

#[test]
fn has_privilege_on_entities_tells_the_truth_of_entries_propagation_and_groups() {
    let (admins, others) = (r"VSPHERE.LOCAL\Operators", r"VSPHERE.LOCAL\Viewers");
    let group = |group: &str, grant: GrantSetup| GrantSetup { group: Some(group.into()), ..grant };
    let mut client = with(&[
        group(admins, grant("/DC1/vm", true, &["VirtualMachine.Interact.PowerOn"])),
        group(others, grant("/DC1/vm", true, &["VirtualMachine.Interact.PowerOff"])),
        grant("/DC1/vm/old", false, &["Folder.Create"]),
        group(others, grant("/DC1/vm/Other Team", true, &["Folder.Delete"])),
    ]);
    client.login(BOMA);
    let key = client.get("SessionManager:SessionManager", "currentSession.key").unwrap().text;
    let mut granted = |path: &str| -> Vec<String> {
        let entity = client.desk.world.at(path).unwrap().reference();
        let ids = [
            "VirtualMachine.Interact.PowerOn",
            "VirtualMachine.Interact.PowerOff",
            "Folder.Create",
            "Folder.Delete",
        ];
        let asked: String = ids.iter().map(|id| format!("<privId>{id}</privId>")).collect();
        let reference = format!("type=\"{}\">{}", entity.class, entity.id);
        let one = format!("<entity {reference}</entity><sessionId>{key}</sessionId>{asked}");
        let answer = client.ok("HasPrivilegeOnEntities", MANAGER, &one);
        let other = format!("<entities {reference}</entities><userName>{BOMA}</userName>{asked}");
        let same = client.ok("HasUserPrivilegeOnEntities", MANAGER, &other);
        let held = |answer: &crate::xml::Element| {
            let entity = answer.child("returnval").unwrap();
            let held = entity.children_named("privAvailability");
            let held = held.filter(|one| one.child_text("isGranted") == Some("true"));
            held.filter_map(|one| one.child_text("privId")?.rsplit('.').next().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        assert_eq!(held(&answer), held(&same));
        held(&answer)
    };
    // Two groups on one entity add up; the account's own entry hides them where it counts; the
    // nearest entry hides those above.
    assert_eq!(granted("/DC1/vm"), ["PowerOn", "PowerOff"]);
    assert_eq!(granted("/DC1/vm/ubuntu-22.04"), ["PowerOn", "PowerOff"]);
    assert_eq!(granted("/DC1/vm/old"), ["Create"]);
    assert_eq!(granted("/DC1/vm/old/site"), ["PowerOn", "PowerOff"]);
    assert_eq!(granted("/DC1/vm/Other Team/legacy-db"), ["Delete"]);
    let hidden = client.desk.world.at("/DC1/host/Cluster1").unwrap().id.clone();
    let body = format!(
        "<entity type=\"ClusterComputeResource\">{hidden}</entity><sessionId>{key}</sessionId>"
    );
    assert_eq!(client.fault("HasPrivilegeOnEntities", MANAGER, &body).0, "NoPermission");
}

#[test]
fn accounts_are_made_once_and_what_somebody_revoked_does_not_come_back() {
    let mut setup = setup();
    let grants = vec![grant("/", true, &["Folder.Create"])];
    setup.accounts =
        vec![AccountSetup { principal: BOMA.to_owned(), groups: vec!["Ops".to_owned()], grants }];
    let mut client = Client::of(&setup);
    let before = status(&client.desk).digest;
    assert!(complete(&mut client.desk.world, &setup).is_empty());
    let root = client.reference("entity", "/");
    let revoke = format!("{root}<user>{BOMA}</user><isGroup>false</isGroup>");
    client.ok("RemoveEntityPermission", MANAGER, &revoke);
    assert!(complete(&mut client.desk.world, &setup).is_empty());
    assert_ne!(status(&client.desk).digest, before);
}
