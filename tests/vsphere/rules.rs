//! DRS rules.

use boma::plan::Operation;
use boma::provider::Provider as _;
use boma::resource::Reading;
use serde_json::json;

use super::rig::{Backend, Rig, check, present};
use super::subject::Subject;

pub fn server_rule() -> Subject {
    let place = json!({"cluster": "/DC1/host/Cluster1", "name": "small-servers"});
    Subject::new("vsphere/rule", "servers", place)
}

on_each_backend! {
    a_rule_keeps_machines_apart_and_leaves_other_rules_alone,
}

/// vcsim knows no rules of other people; its hosts and its power-ons know no rules at all.
async fn a_rule_keeps_machines_apart_and_leaves_other_rules_alone(backend: Backend) {
    let rig = Rig::with_machines(backend, 3).await;
    let before = rig.digest().await;
    let mut vms = Vec::new();
    for number in 0..3 {
        let object = rig.standing(&format!("agent-{number}")).await.object.unwrap();
        vms.push(object.attributes.tree()["moref"].clone());
    }
    let rule = server_rule();
    assert_eq!(rig.read(&rule).await, Reading::Absent);
    let fields = json!({"name": "small-servers", "cluster": "/DC1/host/Cluster1",
        "vms": [vms[0], vms[1]], "mandatory": false, "enabled": true});
    let object = rig.make(&rule, fields.clone()).await;
    check(&object, fields);
    let rule = rule.known(object.clone());
    assert_eq!(rig.read(&rule).await, Reading::Present(object.clone()));
    let many = [rule.wanted(), server_rule().wanted(), rule.wanted(), rule.wanted(), rule.wanted()];
    let bulk = rig.vcenter.read(&many).await;
    assert!(bulk.iter().all(|(_, found)| *found == Reading::Present(object.clone())), "{bulk:?}");

    // Two writes at once are one after the other: vCenter refuses the second of two.
    if before.is_some() {
        rig.control().delay(200).await.unwrap();
    }
    let (disabled, more) = (json!({"enabled": false}), json!({"vms": [vms[2], vms[1]]}));
    let (one, other) = tokio::join!(
        rig.act(&rule, Operation::Update, disabled),
        rig.act(&rule, Operation::Update, more.clone())
    );
    one.unwrap();
    let tree = present(other.unwrap()).attributes.tree();
    assert_eq!(tree["mandatory"], false);
    for _ in 0..2 {
        let gone = rig.act(&rule, Operation::Delete, json!({})).await.unwrap();
        assert_eq!(gone, Reading::Absent);
    }
    assert_eq!(rig.digest().await, before);
    rig.stop().await;
}
