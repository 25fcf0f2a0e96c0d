//! Machines from clone to removal.

use boma::plan::Operation;
use boma::provider::{Provider as _, Retry};
use boma::resource::{Mark, Reading};
use serde_json::json;

use super::rig::{Backend, Rig, check, present};
use super::subject::{Notes, STORAGE, Subject, machine};
use super::vcsim::Gap;

on_each_backend! {
    a_machine_lives_from_clone_to_removal,
    a_machine_is_renamed_and_moved_and_found_again,
    what_a_clone_needs_and_lacks_is_named,
}

async fn a_machine_lives_from_clone_to_removal(backend: Backend) {
    let rig = Rig::on(backend).await;
    let before = rig.digest().await;
    let folder = rig.folder().await;

    let vm = Subject::vm("server-1");
    assert_eq!(rig.read(&vm).await, Reading::Absent);
    let object = rig.make(&vm, rig.machine("server-1")).await;
    assert_eq!(object.mark, vm.mark);
    check(
        &object,
        json!({"name": "server-1", "folder": "/DC1/vm/cht", "path": "/DC1/vm/cht/server-1",
            "scsi_controllers": 2, "disk_uuid": true, "hardware_version": 13, "power": "off",
            "tools": "not running", "foreign_disks": []}),
    );
    let size = json!({"cpus": 4, "memory_mib": 8192, "cpu_hot_add": true});
    rig.check_unless(Gap::CloneKeepsSize, &object, size);
    rig.check_unless(Gap::EditsCrash, &object, json!({"disk_gib": 50}));
    let vm = vm.known(object);

    for _ in 0..2 {
        let wanted = json!({"hardware_version": 15});
        let up = rig.act(&vm, Operation::UpgradeHardware, wanted.clone()).await.unwrap();
        rig.check_unless(Gap::UpgradeIgnoresVersion, &present(up), wanted);
    }
    let changed = json!({"cpus": 8, "memory_mib": 16384, "scsi_controllers": 3,
        "cpu_hot_add": false, "memory_hot_add": true});
    let object = present(rig.act(&vm, Operation::Update, changed.clone()).await.unwrap());
    check(&object, changed);
    if !rig.has(Gap::EditsCrash) {
        let grown = json!({"disk_gib": 60});
        check(&present(rig.act(&vm, Operation::Update, grown.clone()).await.unwrap()), grown);
    }
    let plain = rig.act(&vm, Operation::Update, json!({"disk_uuid": false})).await.unwrap();
    rig.check_unless(Gap::ExtraConfigDoubles, &present(plain), json!({"disk_uuid": false}));

    let on = rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap();
    check(&present(on), json!({"power": "on"}));
    let running = present(rig.read(&vm).await);
    assert!(running.attributes.tree()["host"].is_string(), "{running:?}");
    rig.check_unless(
        Gap::NoGuest,
        &running,
        json!({"tools": "running", "hostname": "server-1-guest", "address": "10.20.0.77"}),
    );
    let again = rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap();
    check(&present(again), json!({"power": "on"}));

    let refused = rig.act(&folder, Operation::Delete, json!({})).await.unwrap_err();
    assert!(refused.message.contains("not empty: [\"server-1\"]"), "{refused}");
    let running = rig.act(&vm, Operation::Delete, json!({})).await.unwrap_err();
    assert!(running.message.contains("powered on"), "{running}");

    let off = rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
    check(&present(off), json!({"power": "off"}));
    if let Some(status) = rig.status().await {
        let asked = |method: &str| status.requests.contains_key(method);
        assert!(asked("ShutdownGuest") && !asked("PowerOffVM_Task"), "{:?}", status.requests);
    }
    for _ in 0..2 {
        assert_eq!(rig.act(&vm, Operation::Delete, json!({})).await.unwrap(), Reading::Absent);
    }
    assert_eq!(rig.read(&vm).await, Reading::Absent);
    for _ in 0..2 {
        assert_eq!(rig.act(&folder, Operation::Delete, json!({})).await.unwrap(), Reading::Absent);
    }
    assert_eq!(rig.digest().await, before);
    rig.stop().await;
}

async fn a_machine_is_renamed_and_moved_and_found_again(backend: Backend) {
    let rig = Rig::on(backend).await;
    rig.folder().await;
    let other = Subject::new("vsphere/folder", "other", json!({"path": "/DC1/vm/other"}));
    rig.make(&other, json!({"path": "/DC1/vm/other"})).await;
    let unknown = Subject::vm("server-1");
    let vm = unknown.clone().known(rig.make(&unknown, rig.machine("server-1")).await);
    let permission = Subject::permission("vm", "/DC1/vm/cht/server-1");
    let fields = json!({"entity": "/DC1/vm/cht/server-1", "principal": STORAGE, "group": false,
        "role": "ReadOnly", "propagate": false});
    let granted = rig.make(&permission, fields).await;
    let moved = json!({"name": "a/b", "folder": "/DC1/vm/other"});
    let object = present(rig.act(&vm, Operation::Update, moved.clone()).await.unwrap());
    check(&object, moved);
    check(&object, json!({"path": "/DC1/vm/other/a%2fb"}));
    // By id, and where no id is recorded by its mark.
    assert_eq!(rig.read(&vm).await, Reading::Present(object.clone()));
    if !rig.has(Gap::NoKeyedPaths) {
        assert_eq!(rig.read(&unknown).await, Reading::Present(object));
    }
    let permission = permission.known(granted);
    check(&present(rig.read(&permission).await), json!({"entity": "/DC1/vm/other/a%2fb"}));
    let all = [vm.wanted(), unknown.wanted(), permission.wanted(), other.wanted(), other.wanted()];
    let bulk = rig.vcenter.read(&all).await;
    check(&present(bulk[2].1.clone()), json!({"entity": "/DC1/vm/other/a%2fb"}));
    check(&present(bulk[3].1.clone()), json!({"children": ["a/b"]}));
    let back = json!({"name": "server-1"});
    check(&present(rig.act(&vm, Operation::Update, back.clone()).await.unwrap()), back);
    // Gone with the machine that it was set on.
    rig.act(&vm, Operation::Delete, json!({})).await.unwrap();
    let gone = if rig.has(Gap::PermissionsStay) { &all[..2] } else { &all[..3] };
    for wanted in gone {
        let alone = rig.vcenter.read(std::slice::from_ref(wanted)).await;
        assert_eq!(alone[0].1, Reading::Absent, "{}", wanted.address);
    }
    let bulk = rig.vcenter.read(gone).await;
    assert!(bulk.iter().all(|(_, reading)| *reading == Reading::Absent), "{bulk:?}");
    rig.stop().await;
}

async fn what_a_clone_needs_and_lacks_is_named(backend: Backend) {
    let rig = Rig::on(backend).await;
    rig.folder().await;
    for (key, part) in [
        ("template", "no template nope in /DC1"),
        ("datastore", "no datastore nope in /DC1"),
        ("network", "no network nope in /DC1"),
        ("pool", "no cluster or resource pool nope in /DC1"),
    ] {
        let mut attributes = machine("server-1");
        attributes[key] = "nope".into();
        let error =
            rig.act(&Subject::vm("server-1"), Operation::Create, attributes).await.unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
    let template = Subject::new("vsphere/vm", "t", json!({"path": "/DC1/vm/ubuntu-22.04"}));
    match rig.read(&template).await {
        Reading::Unread(reason) => assert!(reason.contains("a template stands there"), "{reason}"),
        other => panic!("{other:?}"),
    }
    rig.stop().await;
}

#[tokio::test]
async fn an_interrupted_clone_is_waited_for_and_found_by_its_mark() {
    let rig = Rig::start().await;
    rig.folder().await;
    rig.control().delay(600).await.unwrap();
    let vm = Subject::vm("server-1");
    let run = Notes::stopping();
    let stopped =
        vm.act(&rig.vcenter, &run, Operation::Create, machine("server-1")).await.unwrap_err();
    assert_eq!(stopped.retry, Retry::Later);
    assert!(stopped.message.contains("stopped while task-"), "{stopped}");
    let notes = run.notes.into_inner().unwrap();
    assert_eq!(notes.len(), 2, "what is worked on, and the task: {notes:?}");
    let object = present(rig.read(&vm.clone().noted(notes)).await);
    assert_eq!(object.mark, vm.mark);
    let forgotten = vm.clone().noted(vec![json!({"task": "task-unknown"})]);
    assert_eq!(rig.read(&forgotten).await, Reading::Present(object));
    rig.stop().await;
}

#[tokio::test]
async fn a_taken_name_is_adopted_only_with_our_mark() {
    let rig = Rig::start().await;
    rig.folder().await;
    rig.control().delay(400).await.unwrap();
    let vm = Subject::vm("server-1");
    // The clone of an interrupted run still runs when the next run makes its own.
    let run = Notes::stopping();
    vm.act(&rig.vcenter, &run, Operation::Create, machine("server-1")).await.unwrap_err();
    let object = rig.make(&vm, machine("server-1")).await;
    assert_eq!(object.mark, vm.mark);

    let mut other = vm.clone();
    other.mark = Some(Mark { lineage: "lineage-2".into(), address: vm.address.clone() });
    let error = rig.act(&other, Operation::Create, machine("server-1")).await.unwrap_err();
    assert!(
        error
            .message
            .contains("belongs to vsphere/vm/server-1 of the state with lineage lineage-1"),
        "{error}"
    );
    assert!(error.help.contains("adopt"), "{error:?}");
    assert_eq!(error.operation, "clone ubuntu-22.04 to /DC1/vm/cht/server-1");
    rig.stop().await;
}

#[tokio::test]
async fn a_running_machine_grows_where_hot_add_is_on_and_its_disk_always() {
    let rig = Rig::start().await;
    rig.folder().await;
    let vm = Subject::vm("server-1");
    let vm = vm.clone().known(rig.make(&vm, machine("server-1")).await);
    rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap();
    let grown = json!({"cpus": 8, "disk_gib": 70});
    check(&present(rig.act(&vm, Operation::Update, grown.clone()).await.unwrap()), grown);
    for (attributes, part) in [
        (json!({"cpus": 4}), "powered on"),
        (json!({"memory_mib": 16384}), "powered on"),
        (json!({"cpu_hot_add": false}), "powered on"),
        (json!({"disk_gib": 50}), "its system disk has 70 GiB, more than 50"),
        (json!({"scsi_controllers": 5}), "of 4 SCSI buses, 2 are taken"),
    ] {
        let error = rig.act(&vm, Operation::Update, attributes).await.unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_template_with_a_larger_disk_is_refused_before_the_clone() {
    let rig = Rig::start().await;
    rig.folder().await;
    let mut attributes = machine("server-1");
    attributes["disk_gib"] = 10.into();
    let vm = Subject::vm("server-1");
    let error = rig.act(&vm, Operation::Create, attributes).await.unwrap_err();
    let expected = "template ubuntu-22.04: its system disk has 20 GiB, more than 10";
    assert!(error.message.contains(expected), "{error}");
    assert_eq!(rig.read(&vm).await, Reading::Absent);
    rig.stop().await;
}

#[tokio::test]
async fn a_size_that_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let rig = Rig::start().await;
    rig.folder().await;
    let vm = Subject::vm("server-1");
    let vm = vm.clone().known(rig.make(&vm, machine("server-1")).await);
    let (one, other) = (json!({"cpus": 6}), json!({"cpus": 2}));
    rig.control().delay(300).await.unwrap();
    let (first, second) =
        tokio::join!(rig.act(&vm, Operation::Update, one), rig.act(&vm, Operation::Update, other));
    let failed = [first, second].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].message.contains("somebody else changed it"), "{failed:?}");
    assert_eq!(failed[0].retry, Retry::Later);
    rig.stop().await;
}
