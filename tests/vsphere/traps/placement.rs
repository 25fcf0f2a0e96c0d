//! Section 6: rules that keep machines apart, and hosts that are nobody's to choose.

use boma::lab::{Adjustment, FaultRule, MachineSetup, ServeOptions, StagedFault};
use boma::plan::Operation;
use boma::provider::Retry;
use serde_json::{Value as Json, json};

use super::real::{Real, world};
use crate::vsphere::rig::{Backend, Rig, check, present, setup, standing};
use crate::vsphere::rules::server_rule;

on_each_backend! {
    a_rule_is_found_by_its_name_and_changed_by_its_key,
}

async fn morefs(rig: &Rig, count: usize) -> Vec<Json> {
    let mut morefs = Vec::new();
    for number in 0..count {
        let vm = rig.standing(&format!("agent-{number}")).await;
        morefs.push(vm.object.unwrap().attributes.tree()["moref"].clone());
    }
    morefs
}

fn fields(vms: &[Json], mandatory: bool) -> Json {
    json!({"name": "small-servers", "cluster": "/DC1/host/Cluster1", "vms": vms,
        "mandatory": mandatory, "enabled": true})
}

/// A second rule of the same name would be a second rule.
async fn a_rule_is_found_by_its_name_and_changed_by_its_key(backend: Backend) {
    let rig = Rig::with_machines(backend, 3).await;
    let vms = morefs(&rig, 3).await;
    let made = rig.make(&server_rule(), fields(&vms[..2], false)).await;
    let found = present(rig.read(&server_rule()).await);
    assert_eq!(found, made);
    let rule = server_rule().known(made.clone());
    let more = json!({ "vms": vms });
    let changed = present(rig.act(&rule, Operation::Update, more).await.unwrap());
    assert_eq!(changed.id, made.id);
    check(&changed, json!({"key": found.attributes.tree()["key"], "enabled": true}));
    rig.stop().await;
}

/// vcsim starts a machine whatever the rules say.
#[tokio::test]
async fn a_rule_that_must_hold_keeps_a_machine_off() {
    let off = |number| MachineSetup { powered_on: false, ..standing(number) };
    let rig = Rig::with(setup((0..3).map(off).collect()), ServeOptions::default()).await;
    let vms = morefs(&rig, 3).await;
    rig.make(&server_rule(), fields(&vms, true)).await;
    for (number, starts) in [(0, true), (1, true), (2, false)] {
        let vm = rig.standing(&format!("agent-{number}")).await;
        let outcome = rig.act(&vm, Operation::PowerOn, json!({})).await;
        assert_eq!(outcome.is_ok(), starts, "{outcome:?}");
        if let Err(error) = outcome {
            assert!(error.message.contains("affinity"), "{error}");
        }
    }
    rig.stop().await;
}

/// vcsim has no licences.
#[tokio::test]
async fn an_edition_without_drs_is_named() {
    let rig = Rig::with_machines(Backend::Lab, 2).await;
    let vms = morefs(&rig, 2).await;
    let kind = "LicenseRestricted".to_owned();
    let fault = StagedFault::TaskError { kind, message: "licence".into() };
    let rule = FaultRule::next("ReconfigureComputeResource_Task", fault);
    rig.control().stage(&[rule]).await.unwrap();
    let error = rig.act(&server_rule(), Operation::Create, fields(&vms, false)).await.unwrap_err();
    assert!(error.message.contains("DRS"), "{error}");
    assert!(error.help.contains("keep_apart"), "{error:?}");
    assert_eq!(error.retry, Retry::Never);
    rig.stop().await;
}

async fn move_to(real: &Real, machine: &str, host: &str) {
    let moved = Adjustment {
        path: format!("/DC1/vm/cht/{machine}"),
        host: Some(format!("/DC1/host/Cluster1/{host}")),
        ..Adjustment::default()
    };
    real.rig.control().set(&moved).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_a_wish_unless_the_spec_says_otherwise() {
    let real = Real::new().await;
    let plan = real.run(0, &["plan", "--format", "json"]).json();
    let rule = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["address"] == "vsphere/rule/servers");
    let attributes = rule.unwrap()["attributes"].as_array().unwrap();
    let mandatory = attributes.iter().find(|attribute| attribute["path"] == "mandatory");
    assert_eq!(mandatory.unwrap()["after"], false);
    real.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rule_the_servers_hosts_are_looked_at() {
    let real = Real::new().await;
    real.edit("keep_apart = \"prefer\"", "keep_apart = \"check\"");
    real.run(0, &["apply", "--yes"]);
    for (number, host) in [(1, "esxi-01"), (2, "esxi-02"), (3, "esxi-02")] {
        move_to(&real, &format!("server-{number}"), &format!("{host}.example.org")).await;
    }
    let plan = real.run(0, &["plan"]);
    let said = format!("{}{}", plan.stdout, plan.stderr);
    assert!(said.contains("server-2 and server-3 run on one ESXi host"), "{plan}");
    real.rig.stop().await;
}

/// vcsim's hosts mount every datastore.
#[tokio::test(flavor = "multi_thread")]
async fn a_datastore_that_a_host_does_not_reach_is_named() {
    let real = Real::new().await;
    let plan = real.run(0, &["plan"]);
    assert!(!plan.stdout.contains("is not mounted"), "{plan}");
    let gone = Adjustment {
        path: "/DC1/host/Cluster1/esxi-04.example.org".into(),
        unmount: Some("/DC1/datastore/vsanDatastore".into()),
        ..Adjustment::default()
    };
    real.rig.control().set(&gone).await.unwrap();
    let plan = real.run(0, &["plan"]);
    let expected = "datastore vsanDatastore is not mounted on esxi-04.example.org";
    assert!(plan.stdout.contains(expected), "{plan}");
    real.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_datastore_url_that_nothing_has_is_refused() {
    let real = Real::new().await;
    let class = "class = \"vmware-sc\"\n";
    let url = "datastore_url = \"ds:///vmfs/volumes/elsewhere/\"\n";
    real.edit(class, &format!("{class}{url}"));
    let plan = real.run(3, &["plan", "--format", "json"]).json();
    let findings = plan["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["rule"] == "site").unwrap();
    let (_, known) = found["help"].as_str().unwrap().split_once(" has ").unwrap();
    // What the help names is right.
    real.edit(url, &format!("datastore_url = \"{known}\"\n"));
    real.run(0, &["plan"]);
    real.rig.stop().await;
}

/// vcsim has policies of its own, under other names.
#[tokio::test(flavor = "multi_thread")]
async fn a_storage_policy_that_is_not_there_is_refused() {
    let mut world = world();
    world.policies = vec!["Gold".into()];
    let real = Real::with(world).await;
    let class = "class = \"vmware-sc\"\n";
    let named = |policy: &str| format!("{class}policy = \"{policy}\"\n");
    real.run(0, &["plan"]);
    let before = real.status().await;
    assert!(!before.requests.contains_key("PbmQueryProfile"), "{:?}", before.requests);
    real.edit(class, &named("Silver"));
    let refused = real.run(3, &["apply", "--yes"]);
    assert!(refused.stdout.contains("there is no storage policy Silver"), "{refused}");
    assert!(refused.stdout.contains("vSAN Default Storage Policy"), "{refused}");
    assert_eq!(real.status().await.digest, before.digest);
    // Names count to the letter, as the driver takes them.
    real.edit(&named("Silver"), &named("Gold"));
    real.run(0, &["plan"]);
    let lost = StagedFault::Refuse { kind: "NoPermission".into(), message: "denied".into() };
    let rule = FaultRule::next("PbmQueryProfile", lost);
    real.rig.control().stage(&[rule]).await.unwrap();
    let plan = real.run(0, &["plan"]);
    let said = "nobody knows whether there is a storage policy Gold";
    assert!(plan.stdout.contains(said), "{plan}");
    assert_eq!(real.status().await.sessions, []);
    real.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_by_drs_are_no_drift() {
    let real = Real::applied().await;
    for host in ["esxi-03.example.org", "esxi-04.example.org"] {
        move_to(&real, "agent-1", host).await;
        real.run(0, &["drift"]);
        real.assert_settled();
    }
    real.rig.stop().await;
}
