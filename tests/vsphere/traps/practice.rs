//! Section 7: what users of other tools suffer from.

use boma::lab::{FaultRule, ServeOptions, StagedFault};
use boma::plan::Operation;
use boma::provider::Retry;
use boma::resource::Reading;
use serde_json::json;

use super::real::{Real, world};
use crate::vsphere::rig::{Backend, Rig, check, present, setup};
use crate::vsphere::subject::{Subject, machine};

const AGENT: &str = "/DC1/vm/cht/agent-0";
const VOLUME: &str = "[vsanDatastore] fcd/volume.vmdk";

/// vcsim has no disk that is not its machine's own.
#[tokio::test]
async fn disks_of_others_are_neither_changed_nor_destroyed() {
    let rig = Rig::with_machines(Backend::Lab, 1).await;
    rig.control().attach(AGENT, VOLUME).await.unwrap();
    let vm = rig.standing("agent-0").await;
    let disks = json!({"foreign_disks": [VOLUME]});
    check(vm.object.as_ref().unwrap(), disks.clone());
    let changed = json!({"disk_gib": 80, "scsi_controllers": 3});
    check(&present(rig.act(&vm, Operation::Update, changed).await.unwrap()), disks);
    rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
    let refused = rig.act(&vm, Operation::Delete, json!({})).await.unwrap_err();
    assert!(refused.message.contains(VOLUME), "{refused}");
    assert!(matches!(rig.read(&vm).await, Reading::Present(_)));
    rig.control().detach(AGENT, VOLUME).await.unwrap();
    assert_eq!(rig.act(&vm, Operation::Delete, json!({})).await.unwrap(), Reading::Absent);
    assert!(rig.control().status().await.unwrap().lost_disks.is_empty());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_machine_was_made_from_replaces_nothing() {
    let real = Real::applied().await;
    real.edit("template = \"ubuntu-22.04\"", "template = \"ubuntu-24.04\"");
    real.edit("network  = \"VM Network\"", "network  = \"Other\"");
    real.assert_settled();
    real.rig.stop().await;
}

/// A guest without Tools never tells its address. A warning, since a template that never ran shows
/// none either.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_without_tools_is_found_before_the_first_write() {
    let mut world = world();
    world.templates[0].tools = false;
    let real = Real::with(world).await;
    let plan = real.run(0, &["plan"]);
    assert!(plan.stdout.contains("VMware Tools were never seen in template"), "{plan}");
    real.rig.stop().await;
}

/// An OVA of a cloud image has them, and cloud-init prefers them.
#[tokio::test(flavor = "multi_thread")]
async fn vapp_properties_of_a_template_are_found_before_the_first_write() {
    let mut world = world();
    world.templates[0].vapp_properties = vec!["instance-id".into(), "user-data".into()];
    let real = Real::with(world).await;
    let plan = real.run(0, &["plan"]);
    let expected = "template ubuntu-22.04 has vApp properties: instance-id and user-data";
    assert!(plan.stdout.contains(expected), "{plan}");
    real.rig.stop().await;
}

/// No template tells what is in it; a clone that tells too little says why.
#[tokio::test]
async fn a_template_without_a_data_source_is_told_by_its_clone() {
    for (vapp, part) in [(vec![], "datasource_list"), (vec!["user-data".to_owned()], "vApp")] {
        let mut world = setup(Vec::new());
        world.templates[0].data_source = !vapp.is_empty();
        world.templates[0].vapp_properties = vapp;
        let rig = Rig::with(world, ServeOptions::default()).await;
        rig.folder().await;
        let vm = Subject::vm("server-1");
        let mut wanted = machine("server-1");
        wanted["cloud_init"]["userdata"] = r#"{"x":"info-set guestinfo.boma.hostkey"}"#.into();
        let vm = vm.clone().known(rig.make(&vm, wanted).await);
        assert!(vm.object.as_ref().unwrap().attributes.tree()["likely_cause"].is_null());
        let on = present(rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap());
        check(&on, json!({"tools": "running", "hostname": "server-1", "host_key": null}));
        let tree = on.attributes.tree();
        assert_ne!(tree["address"], "10.20.0.77");
        let cause = tree["likely_cause"].as_str().unwrap();
        let again = "--replace vsphere/vm/server-1";
        assert!(["VMware", part, again].iter().all(|part| cause.contains(part)), "{cause}");
        rig.stop().await;
    }
}

/// What told its host key has come up, whatever else it waits for.
#[tokio::test]
async fn a_guest_that_was_told_everything_has_no_cause() {
    let rig = Rig::start().await;
    rig.folder().await;
    let vm = Subject::vm("server-1");
    for (userdata, part) in
        [("info-set guestinfo.boma.hostkey", None), ("other", Some("cloud-init-output.log"))]
    {
        let mut wanted = machine("server-1");
        wanted["cloud_init"]["userdata"] = json!({ "x": userdata }).to_string().into();
        let vm = vm.clone().known(rig.make(&vm, wanted).await);
        let on = present(rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap());
        let tree = on.attributes.tree();
        assert_eq!(tree["address"], "10.20.0.77");
        let cause = tree["likely_cause"].as_str();
        assert_eq!(cause.is_some(), part.is_some(), "{cause:?}");
        assert!(part.is_none_or(|part| cause.unwrap().contains(part)), "{cause:?}");
        rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
        rig.act(&vm, Operation::Delete, json!({})).await.unwrap();
    }
    rig.stop().await;
}

/// vcsim answers whatever it has done.
#[tokio::test]
async fn a_clone_whose_answer_is_lost_is_found_by_its_mark() {
    let rig = Rig::with(setup(Vec::new()), ServeOptions::default()).await;
    rig.folder().await;
    let rule = FaultRule::next("CloneVM_Task", StagedFault::DropAfter);
    rig.control().stage(&[rule]).await.unwrap();
    let vm = Subject::vm("server-1");
    let lost = rig.act(&vm, Operation::Create, machine("server-1")).await.unwrap_err();
    assert_eq!(lost.retry, Retry::Later);
    let found = present(rig.read(&vm).await);
    assert_eq!(found.mark, vm.mark);
    // Made again by an apply that does not look: the name is taken, and the mark is ours.
    let again = rig.make(&vm, machine("server-1")).await;
    assert_eq!(again.id, found.id);
    let status = rig.control().status().await.unwrap();
    let ours = status.inventory.iter().filter(|object| object.path.ends_with("/server-1"));
    assert_eq!(ours.count(), 1);
    rig.stop().await;
}

#[tokio::test]
async fn a_machine_that_is_busy_is_worth_another_try() {
    let rig = Rig::with_machines(Backend::Lab, 1).await;
    let vm = rig.standing("agent-0").await;
    let kind = "TaskInProgress".to_owned();
    let fault = StagedFault::Refuse { kind, message: "Another task is in progress.".into() };
    let rule = FaultRule::next("ReconfigVM_Task", fault);
    rig.control().stage(&[rule]).await.unwrap();
    let wanted = json!({"scsi_controllers": 2});
    let busy = rig.act(&vm, Operation::Update, wanted.clone()).await.unwrap_err();
    assert_eq!(busy.retry, Retry::Later, "{busy}");
    check(&present(rig.act(&vm, Operation::Update, wanted.clone()).await.unwrap()), wanted);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_state() {
    let mut real = Real::new().await;
    real.env.set("STORAGE_PASSWORD", "hunter2-storage");
    real.env.set("K3S_TOKEN", "hunter2-token");
    real.run(0, &["apply", "--yes"]);
    let files = real.env.files("state");
    assert!(!files.is_empty());
    for file in files {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains("hunter2"), "{}", file.display());
        assert!(!text.contains(real.password()), "{}", file.display());
    }
    real.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applied_spec_has_nothing_left_to_change() {
    let real = Real::applied().await;
    for _ in 0..2 {
        real.assert_settled();
        real.run(0, &["apply", "--yes"]);
    }
    real.rig.stop().await;
}
