//! Roles, permissions, privileges.

use super::client::Client;

const MANAGER: &str = "AuthorizationManager:AuthorizationManager";

pub(super) fn role(client: &mut Client, name: &str, privileges: &[&str]) -> String {
    let ids: String = privileges.iter().map(|id| format!("<privIds>{id}</privIds>")).collect();
    let answer = client.ok("AddAuthorizationRole", MANAGER, &format!("<name>{name}</name>{ids}"));
    answer.child_text("returnval").unwrap().to_owned()
}

/// Gives the storage account a role on a path.
pub(super) fn grant(client: &mut Client, path: &str, role: &str, propagate: bool) {
    let entity = client.reference("entity", path);
    let body = permission(&entity, r"VSPHERE.LOCAL\cht-storage", role, propagate);
    client.ok("SetEntityPermissions", MANAGER, &body);
}

fn permission(entity: &str, principal: &str, role: &str, propagate: bool) -> String {
    format!(
        "{entity}<permission><principal>{principal}</principal><group>false</group><roleId>{role}</roleId>\
         <propagate>{propagate}</propagate></permission>"
    )
}

#[test]
fn roles_hold_what_the_server_adds_and_refuse_what_it_does_not_know() {
    let mut client = Client::new();
    let id = role(&mut client, "CNS-DATASTORE", &["Datastore.FileManagement"]);
    assert!(id.parse::<i32>().unwrap() > 0);
    let list = client.get(MANAGER, "roleList").unwrap();
    let made = list.children.iter().find(|role| role.child_text("roleId") == Some(&id)).unwrap();
    let held: Vec<_> = made.children_named("privilege").map(|p| p.text.as_str()).collect();
    assert_eq!(
        held,
        ["Datastore.FileManagement", "System.Anonymous", "System.Read", "System.View"]
    );
    for (body, kind) in [
        ("<name>cns-datastore</name>", "AlreadyExists"),
        ("<name></name>", "InvalidName"),
        ("<name>x</name><privIds>No.Such</privIds>", "InvalidArgument"),
    ] {
        assert_eq!(client.fault("AddAuthorizationRole", MANAGER, body).0, kind);
    }
    let system = "<roleId>-2</roleId><failIfUsed>false</failIfUsed>";
    assert_eq!(client.fault("RemoveAuthorizationRole", MANAGER, system).0, "InvalidArgument");
    assert_eq!(
        client.fault("RemoveAuthorizationRole", MANAGER, &system.replace("-2", "4")).0,
        "NotFound"
    );
}

#[test]
fn permissions_are_merged_per_principal() {
    let mut client = Client::new();
    let entity = client.reference("entity", "/DC1/datastore/vsanDatastore");
    let id = role(&mut client, "CNS-DATASTORE", &["Datastore.FileManagement"]);
    let body = permission(&entity, r"VSPHERE.LOCAL\cht-storage", &id, false);
    client.ok("SetEntityPermissions", MANAGER, &body);
    client.ok("SetEntityPermissions", MANAGER, &body);
    let answer = client.ok(
        "RetrieveEntityPermissions",
        MANAGER,
        &format!("{entity}<inherited>false</inherited>"),
    );
    let principals: Vec<_> =
        answer.children_named("returnval").filter_map(|p| p.child_text("principal")).collect();
    assert_eq!(principals, [r"VSPHERE.LOCAL\backup-svc", r"VSPHERE.LOCAL\cht-storage"]);
    let used = format!("<roleId>{id}</roleId><failIfUsed>true</failIfUsed>");
    assert_eq!(client.fault("RemoveAuthorizationRole", MANAGER, &used).0, "RemoveFailed");
    let remove = format!(r"{entity}<user>VSPHERE.LOCAL\cht-storage</user><isGroup>false</isGroup>");
    client.ok("RemoveEntityPermission", MANAGER, &remove);
    assert_eq!(client.fault("RemoveEntityPermission", MANAGER, &remove).0, "NotFound");
    client.ok("RemoveAuthorizationRole", MANAGER, &used);
}

#[test]
fn permissions_are_refused_where_vcenter_takes_none() {
    let mut client = Client::new();
    for path in
        ["/DC1/vm", "/DC1/host", "/DC1/datastore", "/DC1/network", "/DC1/host/Cluster1/Resources"]
    {
        let entity = client.reference("entity", path);
        let body = permission(&entity, r"VSPHERE.LOCAL\cht-storage", "-2", false);
        assert_eq!(
            client.fault("SetEntityPermissions", MANAGER, &body).0,
            "InvalidArgument",
            "{path}"
        );
    }
    for path in ["/DC1", "/DC1/host/Cluster1/esx-1", "/DC1/host/Cluster1"] {
        let entity = client.reference("entity", path);
        client.ok(
            "SetEntityPermissions",
            MANAGER,
            &permission(&entity, "cht-storage@vsphere.local", "-2", false),
        );
    }
    let entity = client.reference("entity", "/DC1");
    assert_eq!(
        client
            .fault("SetEntityPermissions", MANAGER, &permission(&entity, "nobody", "-2", false))
            .0,
        "UserNotFound"
    );
    let root = client.reference("entity", "/");
    let last = permission(&root, "administrator@vsphere.local", "-2", true);
    assert_eq!(
        client.fault("SetEntityPermissions", MANAGER, &last).0,
        "AuthMinimumAdminPermission"
    );
}

#[test]
fn calls_need_their_privilege_and_the_fault_names_it() {
    let mut client = Client::new();
    let id = role(
        &mut client,
        "Operator",
        &["VirtualMachine.Interact.PowerOff", "VirtualMachine.Config.CPUCount"],
    );
    let root = client.reference("entity", "/");
    client.ok(
        "SetEntityPermissions",
        MANAGER,
        &permission(&root, "cht-storage@vsphere.local", &id, true),
    );
    let machine = client.at("/DC1/vm/old/site/standing-1").unwrap();
    client.login("cht-storage@vsphere.local");
    let fault = client
        .call(
            "ReconfigVM_Task",
            &machine,
            "<spec><numCPUs>8</numCPUs><memoryMB>8192</memoryMB></spec>",
        )
        .unwrap_err();
    let detail = fault.child("detail").unwrap().child("NoPermissionFault").unwrap();
    assert_eq!(detail.child_text("privilegeId"), Some("VirtualMachine.Config.Memory"));
    assert!(machine.ends_with(detail.child_text("object").unwrap()));
    assert_eq!(client.fault("AddAuthorizationRole", MANAGER, "<name>x</name>").0, "NoPermission");
    client.task("PowerOffVM_Task", &machine, "").unwrap();
    client.reconfigure(&machine, "<numCPUs>8</numCPUs>").unwrap();
}

#[test]
fn what_does_not_propagate_shows_only_its_own_entity() {
    let mut client = Client::new();
    let entity = client.reference("entity", "/DC1");
    client.ok(
        "SetEntityPermissions",
        MANAGER,
        &permission(&entity, "cht-storage@vsphere.local", "-2", false),
    );
    client.login("cht-storage@vsphere.local");
    assert!(client.at("/DC1").is_some());
    assert!(client.at("/DC1/vm/ubuntu-22.04").is_none());
}
