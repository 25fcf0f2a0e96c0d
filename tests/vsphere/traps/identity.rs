//! Section 3: what a VM is known by.

use boma::lab::{Adjustment, ServeOptions};
use boma::plan::Operation;
use boma::provider::Provider as _;
use boma::resource::Reading;
use serde_json::{Value as Json, json};

use super::real::Real;
use crate::vsphere::rig::{Backend, Rig, check, present, setup, standing};
use crate::vsphere::subject::{STORAGE, Subject};

on_each_backend! {
    the_bios_uuid_is_lower_case_and_not_the_instance_uuid,
    a_machine_is_never_taken_by_its_name_alone,
    a_machine_is_known_by_its_id_wherever_it_is,
}

async fn the_bios_uuid_is_lower_case_and_not_the_instance_uuid(backend: Backend) {
    let rig = Rig::with_machines(backend, 1).await;
    let object = rig.standing("agent-0").await.object.unwrap();
    let tree = object.attributes.tree();
    let uuid = tree["bios_uuid"].as_str().unwrap();
    assert_eq!((uuid.len(), uuid.to_lowercase().as_str()), (36, uuid));
    assert_ne!(tree["bios_uuid"], tree["instance_uuid"]);
    assert_eq!(tree["instance_uuid"], object.id.as_str());
    rig.stop().await;
}

async fn a_machine_is_never_taken_by_its_name_alone(backend: Backend) {
    let rig = Rig::with_machines(backend, 1).await;
    let place = json!({"path": "/DC1/vm/elsewhere/agent-0"});
    let elsewhere = Subject::new("vsphere/vm", "agent-0", place);
    assert_eq!(rig.read(&elsewhere).await, Reading::Absent);
    rig.stop().await;
}

async fn a_machine_is_known_by_its_id_wherever_it_is(backend: Backend) {
    let rig = Rig::with_machines(backend, 2).await;
    let vm = rig.standing("agent-0").await;
    let moref = vm.object.as_ref().unwrap().attributes.tree()["moref"].clone();
    rig.act(&vm, Operation::Update, json!({"name": "renamed"})).await.unwrap();
    // Another one in its place is not it.
    let other = rig.standing("agent-1").await;
    rig.act(&other, Operation::Update, json!({"name": "agent-0"})).await.unwrap();
    check(&present(rig.read(&vm).await), json!({"name": "renamed", "moref": moref}));
    rig.stop().await;
}

/// vcsim has no privileges.
#[tokio::test]
async fn a_mark_that_is_not_shown_proves_no_absence() {
    let rig = Rig::with(setup((0..1).map(standing).collect()), ServeOptions::default()).await;
    for (name, entity, role) in [("root", "/", "ReadOnly"), ("vm", "/DC1/vm/cht/agent-0", "View")] {
        let fields = json!({"entity": entity, "principal": STORAGE, "group": false, "role": role,
            "propagate": true});
        rig.make(&Subject::permission(name, entity), fields).await;
    }
    let weak = rig.account(STORAGE);
    for name in ["agent-0", "agent-7"] {
        let vm = Subject::vm(name);
        let Reading::Unread(reason) = weak.read(&[vm.wanted()]).await.remove(0).1 else {
            panic!("{name} was read")
        };
        let expected = "lacks the privilege System.Read on /DC1/vm/cht/agent-0";
        assert!(reason.contains(expected), "{reason}");
    }
    weak.logout().await;
    rig.stop().await;
}

fn of_rule<'a>(plan: &'a Json, rule: &str) -> Vec<&'a str> {
    let findings = plan["findings"].as_array().unwrap().iter();
    let found = findings.filter(|finding| finding["rule"] == rule);
    found.map(|finding| finding["message"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bios_uuids_that_are_not_unique_are_denied() {
    let real = Real::applied().await;
    for (path, part) in [
        ("/DC1/vm/cht/agent-2", "agent-1 and agent-2 have one BIOS UUID"),
        ("/DC1/vm/Other Team/legacy-db", "/DC1/vm/Other Team/legacy-db and agent-1 have one"),
    ] {
        let copy = Adjustment {
            path: path.into(),
            bios_uuid_of: Some("/DC1/vm/cht/agent-1".into()),
            ..Adjustment::default()
        };
        real.rig.control().set(&copy).await.unwrap();
        let plan = real.run(3, &["plan", "--format", "json"]).json();
        let found = of_rule(&plan, "duplicate-uuid");
        assert!(found.iter().any(|message| message.contains(part)), "{found:?}");
    }
    real.run(3, &["apply", "--yes"]);
    real.rig.stop().await;
}

/// CPI takes a node's addresses from what the guest tells, once its name and cards are there.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_awaited_until_its_guest_tells_name_and_address() {
    let real = Real::applied().await;
    let inventory = real.run(0, &["inventory", "--format", "json"]).json();
    let vm = inventory["vms"].as_array().unwrap().iter().find(|vm| vm["name"] == "server-1");
    let vm = vm.unwrap();
    assert_eq!((&vm["guest_ip"], &vm["hostname"]), (&json!("10.20.0.11"), &json!("server-1")));
    let uuid = vm["bios_uuid"].as_str().unwrap();
    assert_eq!(vm["provider_id"], format!("vsphere://{uuid}"));
    real.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_of_containers_are_kept_out_of_what_the_guest_tells() {
    let real = Real::new().await;
    let plan = real.run(0, &["plan", "--format", "json"]).json();
    let changes = plan["changes"].as_array().unwrap();
    let vms: Vec<String> = changes
        .iter()
        .filter(|change| change["kind"] == "vsphere/vm")
        .map(|change| change["attributes"].to_string())
        .collect();
    assert_eq!(vms.len(), 5);
    assert!(vms.iter().all(|vm| vm.contains("exclude-nics=veth*,cni*")), "{}", vms[0]);
    real.rig.stop().await;
}
