//! Roles and permissions.

use boma::plan::Operation;
use boma::provider::Retry;
use boma::resource::Reading;
use serde_json::json;

use super::rig::{Backend, Rig, check, present};
use super::subject::{Notes, STORAGE, Subject};
use super::vcsim::Gap;

on_each_backend! {
    roles_and_permissions_leave_other_peoples_alone,
    mistakes_in_permissions_are_said_plainly,
}

async fn roles_and_permissions_leave_other_peoples_alone(backend: Backend) {
    let rig = Rig::on(backend).await;
    let before = rig.status().await;
    let role = Subject::role("CNS-VM");
    let privileges =
        json!(["VirtualMachine.Config.AddExistingDisk", "VirtualMachine.Config.AddRemoveDevice"]);
    let object = rig.make(&role, json!({"name": "CNS-VM", "privileges": privileges})).await;
    check(&object, json!({"name": "CNS-VM", "privileges": privileges, "role_id": object.id}));
    let role = role.known(object);

    let path = "/DC1/datastore/vsanDatastore";
    let permission = Subject::permission("datastore", path);
    assert_eq!(rig.read(&permission).await, Reading::Absent);
    let fields = json!({"entity": path, "principal": r"vsphere.local\cht-storage", "group": false,
        "role": "CNS-VM", "propagate": false});
    let object = rig.make(&permission, fields).await;
    check(&object, json!({"entity": path, "role": "CNS-VM", "propagate": false}));
    rig.check_unless(Gap::AnyPrincipal, &object, json!({"principal": STORAGE}));
    let permission = permission.known(object.clone());
    assert_eq!(rig.read(&permission).await, Reading::Present(object));
    if let (Some(before), Some(with)) = (&before, rig.status().await) {
        assert!(before.inventory.iter().all(|object| with.inventory.contains(object)));
    }

    if !rig.has(Gap::RolesGoWhenUsed) {
        let used = rig.act(&role, Operation::Delete, json!({})).await.unwrap_err();
        assert!(used.message.contains("in use"), "{used}");
    }
    let more = json!(["Datastore.FileManagement"]);
    let updated = rig.act(&role, Operation::Update, json!({"privileges": more})).await.unwrap();
    check(&present(updated), json!({"name": "CNS-VM", "privileges": more}));
    let changed = json!({"role": "ReadOnly", "propagate": true});
    let updated = rig.act(&permission, Operation::Update, changed.clone()).await.unwrap();
    check(&present(updated), changed);
    for subject in [&permission, &role] {
        for _ in 0..2 {
            assert_eq!(
                rig.act(subject, Operation::Delete, json!({})).await.unwrap(),
                Reading::Absent
            );
            assert_eq!(rig.read(subject).await, Reading::Absent);
        }
    }
    assert_eq!(rig.digest().await, before.map(|status| status.digest));
    rig.stop().await;
}

async fn mistakes_in_permissions_are_said_plainly(backend: Backend) {
    let rig = Rig::on(backend).await;
    let nobody = r"VSPHERE.LOCAL\nobody";
    for (gap, entity, principal, role, part) in [
        (
            Some(Gap::AnyPrincipal),
            "/DC1",
            nobody,
            "ReadOnly",
            "does not know VSPHERE.LOCAL\\nobody",
        ),
        (Some(Gap::PermissionsAnywhere), "/DC1/vm", STORAGE, "ReadOnly", "takes no permissions on"),
        (None, "/DC1", STORAGE, "CNS-NONE", "no role \"CNS-NONE\""),
        (None, "/DC1/nowhere", STORAGE, "ReadOnly", "no object at /DC1/nowhere"),
    ] {
        if gap.is_some_and(|gap| rig.has(gap)) {
            continue;
        }
        let subject = Subject::permission("x", "/DC1");
        let attributes = json!({"entity": entity, "principal": principal, "group": false, "role": role, "propagate": false});
        let error = rig.act(&subject, Operation::Create, attributes).await.unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_missing_privilege_is_named_with_the_objects_path() {
    let rig = Rig::start().await;
    let permission = Subject::permission("root", "/");
    let fields = json!({"entity": "/", "principal": STORAGE, "group": false, "role": "ReadOnly", "propagate": true});
    rig.make(&permission, fields).await;
    let weak = rig.account(STORAGE);
    let folder = Subject::new("vsphere/folder", "cht", json!({"path": "/DC1/vm/cht"}));
    let outcome = folder
        .act(&weak, &Notes::default(), Operation::Create, json!({"path": "/DC1/vm/cht"}))
        .await;
    let error = outcome.unwrap_err();
    assert!(error.message.contains("lacks the privilege Folder.Create on /DC1/vm"), "{error}");
    assert!(error.help.contains("Folder.Create on /DC1/vm"), "{error:?}");
    assert_eq!(error.retry, Retry::Never);
    weak.logout().await;
    rig.stop().await;
}
