//! Section 2: what a VM must have, and how vCenter takes a change of it.

use boma::lab::{Adjustment, FaultRule, MachineSetup, ServeOptions, StagedFault};
use boma::plan::Operation;
use boma::provider::Retry;
use boma::resource::Reading;
use serde_json::json;

use super::real::Real;
use crate::vsphere::rig::{Backend, Rig, check, present, setup, standing};
use crate::vsphere::subject::Subject;
use crate::vsphere::vcsim::Gap;

on_each_backend! {
    either_form_of_the_disk_uuid_counts,
    what_was_written_is_read_again,
    hardware_goes_to_the_version_asked_for,
    controllers_come_beside_those_that_stand,
}

const AGENT: &str = "/DC1/vm/cht/agent-0";

/// A machine that boma made, switched off: vcsim crashes where one with a card is changed.
async fn cloned(backend: Backend) -> (Rig, Subject) {
    let rig = Rig::on(backend).await;
    rig.folder().await;
    let vm = Subject::vm("server-1");
    let object = rig.make(&vm, rig.machine("server-1")).await;
    (rig, vm.known(object))
}

/// vcsim shows the one form that is written, the lab both, as vCenter does.
async fn either_form_of_the_disk_uuid_counts(backend: Backend) {
    let (rig, vm) = cloned(backend).await;
    if !rig.has(Gap::ExtraConfigDoubles) {
        let off = json!({"disk_uuid": false});
        check(&present(rig.act(&vm, Operation::Update, off.clone()).await.unwrap()), off);
    }
    let on = json!({"disk_uuid": true});
    for _ in 0..2 {
        check(&present(rig.act(&vm, Operation::Update, on.clone()).await.unwrap()), on.clone());
    }
    check(&present(rig.read(&vm).await), on);
    rig.stop().await;
}

/// Keys that vCenter ignores and versions that it chooses itself are seen as they are.
async fn what_was_written_is_read_again(backend: Backend) {
    let (rig, vm) = cloned(backend).await;
    for (operation, wanted) in [
        (Operation::Update, json!({"memory_mib": 16384})),
        (Operation::UpgradeHardware, json!({"hardware_version": 17})),
    ] {
        let told = rig.act(&vm, operation, wanted).await.unwrap();
        assert_eq!(told, rig.read(&vm).await);
    }
    rig.stop().await;
}

/// Not to the newest that this host knows, never while it runs, and once is enough.
async fn hardware_goes_to_the_version_asked_for(backend: Backend) {
    let rig = Rig::with_machines(backend, 1).await;
    let vm = rig.standing("agent-0").await;
    let wanted = json!({"hardware_version": 17});
    if !rig.has(Gap::UpgradeIgnoresVersion) {
        let running = rig.act(&vm, Operation::UpgradeHardware, wanted.clone()).await.unwrap_err();
        assert!(running.message.contains("it is powered on"), "{running}");
    }
    rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
    for _ in 0..2 {
        let up = present(rig.act(&vm, Operation::UpgradeHardware, wanted.clone()).await.unwrap());
        rig.check_unless(Gap::UpgradeIgnoresVersion, &up, wanted.clone());
    }
    rig.stop().await;
}

/// vcsim takes any machine to its one version.
#[tokio::test]
async fn newer_hardware_is_left_alone() {
    let newer = MachineSetup { hardware_version: 19, powered_on: false, ..standing(0) };
    let rig = Rig::with(setup(vec![newer]), ServeOptions::default()).await;
    let vm = rig.standing("agent-0").await;
    let before = rig.digest().await;
    let older = json!({"hardware_version": 15});
    let object = present(rig.act(&vm, Operation::UpgradeHardware, older).await.unwrap());
    check(&object, json!({"hardware_version": 19}));
    assert_eq!(rig.digest().await, before);
    rig.stop().await;
}

/// vcsim 0.24.2 schedules nothing.
#[tokio::test]
async fn an_upgrade_is_scheduled_while_the_machine_runs() {
    let rig = Rig::with_machines(Backend::Lab, 1).await;
    let vm = rig.standing("agent-0").await;
    let later = json!({"hardware_version_after_shutdown": 17});
    let object = present(rig.act(&vm, Operation::Update, later.clone()).await.unwrap());
    check(&object, later);
    check(&object, json!({"hardware_version": 15, "power": "on"}));
    rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
    let on = present(rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap());
    check(&on, json!({"hardware_version": 17, "hardware_version_after_shutdown": 17}));
    rig.stop().await;
}

async fn controllers_come_beside_those_that_stand(backend: Backend) {
    let (rig, vm) = cloned(backend).await;
    for count in [2, 4, 4] {
        let wanted = json!({ "scsi_controllers": count });
        check(&present(rig.act(&vm, Operation::Update, wanted.clone()).await.unwrap()), wanted);
    }
    let many = rig.act(&vm, Operation::Update, json!({"scsi_controllers": 5})).await.unwrap_err();
    assert!(many.message.contains("of 4 SCSI buses, 4 are taken"), "{many}");
    rig.stop().await;
}

/// vcsim 0.24.2 does not look at `changeVersion`.
#[tokio::test]
async fn a_change_that_somebody_made_meanwhile_is_not_overwritten() {
    let rig = Rig::with_machines(Backend::Lab, 1).await;
    let vm = rig.standing("agent-0").await;
    let rule = FaultRule::next("ReconfigVM_Task", StagedFault::ConcurrentWrite);
    rig.control().stage(&[rule]).await.unwrap();
    let wanted = json!({"scsi_controllers": 2});
    let error = rig.act(&vm, Operation::Update, wanted.clone()).await.unwrap_err();
    assert!(error.message.contains("somebody else changed it"), "{error}");
    assert_eq!(error.retry, Retry::Later);
    check(&present(rig.act(&vm, Operation::Update, wanted.clone()).await.unwrap()), wanted);
    rig.stop().await;
}

/// vcsim has no guests.
#[tokio::test]
async fn a_guest_without_tools_is_not_waited_for() {
    let rig = Rig::with_machines(Backend::Lab, 1).await;
    let gone = Adjustment { path: AGENT.into(), tools: Some(false), ..Adjustment::default() };
    rig.control().set(&gone).await.unwrap();
    let vm = rig.standing("agent-0").await;
    check(vm.object.as_ref().unwrap(), json!({"tools": "not running"}));
    let off = rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
    check(&present(off), json!({"power": "off"}));
    let requests = rig.control().status().await.unwrap().requests;
    assert!(!requests.contains_key("ShutdownGuest"), "{requests:?}");
    rig.stop().await;
}

#[tokio::test]
async fn a_running_machine_is_not_changed_where_hot_add_is_off() {
    let rig = Rig::with_machines(Backend::Lab, 1).await;
    let vm = rig.standing("agent-0").await;
    let hot = json!({"cpus": 8});
    let refused = rig.act(&vm, Operation::Update, hot.clone()).await.unwrap_err();
    assert!(refused.message.contains("powered on"), "{refused}");
    rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
    let enabled = json!({"cpu_hot_add": true, "memory_hot_add": true});
    rig.act(&vm, Operation::Update, enabled).await.unwrap();
    rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap();
    check(&present(rig.act(&vm, Operation::Update, hot.clone()).await.unwrap()), hot);
    for less in [json!({"cpus": 2}), json!({"memory_mib": 4096})] {
        let refused = rig.act(&vm, Operation::Update, less).await.unwrap_err();
        assert!(refused.message.contains("powered on"), "{refused}");
    }
    assert!(matches!(rig.read(&vm).await, Reading::Present(_)));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cycle_is_said_and_needs_consent() {
    let real = Real::applied().await;
    real.edit("cpus       = 4", "cpus       = 6\nscsi_controllers = 2");
    let plan = real.run(0, &["plan"]);
    assert!(plan.stdout.contains("power cycle"), "{plan}");
    assert!(plan.stdout.contains("needs --allow-disruption"), "{plan}");
    let before = real.status().await.digest;
    real.run(3, &["apply", "--yes"]);
    assert_eq!(real.status().await.digest, before);
    real.run(0, &["apply", "--yes", "--allow-disruption"]);
    real.assert_settled();
    real.rig.stop().await;
}

/// Flags, extraConfig, roles and rules have no REST; so boma speaks no REST at all.
#[tokio::test(flavor = "multi_thread")]
async fn soap_is_all_that_is_spoken() {
    let real = Real::applied().await;
    let requests = real.status().await.requests;
    assert!(requests.contains_key("CloneVM_Task"), "{requests:?}");
    assert!(requests.keys().all(|method| !method.contains('/')), "{requests:?}");
    real.rig.stop().await;
}
