//! `host/firewall` with a real ufw.

use std::time::Duration;

use boma::plan::Operation;
use boma::provider::host::Command;
use boma::resource::Reading;
use serde_json::json;

use super::cluster::Subject;
use super::rig::{Rig, until};

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn rules_are_set_and_read() {
    let rig = Rig::boot(&["agent-3"]);
    let (machines, firewall) = (rig.machines(), Subject::of(&rig, "host/firewall", "agent-3"));
    let foreign = "ufw allow proto tcp from any to any port 9100 comment monitoring";
    rig.shell("agent-3", foreign).await;
    let wanted = json!({
        "rules": ["tcp 22 from any", "tcp 2379:2380 from 10.20.0.11", "udp 8472 from 10.20.0.12"],
        "default_deny": true,
    });
    for operation in [Operation::Create, Operation::Update] {
        let reading = firewall.act(&machines, operation, wanted.clone()).await.unwrap();
        let Reading::Present(object) = reading else { panic!("{reading:?}") };
        let tree = object.attributes.tree();
        let mut rules: Vec<&str> =
            tree["rules"].as_array().unwrap().iter().filter_map(|rule| rule.as_str()).collect();
        rules.sort_unstable();
        let expected =
            ["tcp 22 from any", "tcp 2379:2380 from 10.20.0.11", "udp 8472 from 10.20.0.12"];
        assert_eq!(rules, expected);
        assert_eq!(tree["default_deny"], true);
    }
    firewall.act(&machines, Operation::Delete, json!({})).await.unwrap();
    assert!(matches!(firewall.read(&machines).await, Reading::Absent));
    let left = rig.shell("agent-3", "ufw show added").await;
    assert!(left.contains("9100") && !left.contains("8472"), "{left}");
    machines.close().await;
}

/// boma was killed between the last rule and its confirmation.
#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn rules_that_nobody_confirmed_are_confirmed_by_the_next_run() {
    let rig = Rig::boot(&["agent-8"]);
    let (machines, firewall) = (rig.machines(), Subject::of(&rig, "host/firewall", "agent-8"));
    let wanted = json!({"rules": ["tcp 22 from any"], "default_deny": true});
    firewall.act(&machines, Operation::Create, wanted.clone()).await.unwrap();
    let rules = async || match firewall.read(&machines).await {
        Reading::Present(object) => object.attributes.tree()["rules"].clone(),
        reading => panic!("{reading:?}"),
    };
    assert_eq!(rules().await, wanted["rules"]);
    let arm = "systemd-run --unit boma-firewall-revert --on-active 600 -- true";
    rig.shell("agent-8", arm).await;
    assert_eq!(rules().await, json!([]));
    firewall.act(&machines, Operation::Update, wanted.clone()).await.unwrap();
    assert_eq!(rules().await, wanted["rules"]);
    machines.close().await;
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn rules_that_lock_boma_out_are_taken_back() {
    let rig = Rig::boot(&["agent-6"]);
    let machines = rig.machines().with_firewall_revert(Duration::from_secs(15));
    let firewall = Subject::of(&rig, "host/firewall", "agent-6");
    let before = rig.shell("agent-6", "ufw status verbose; ufw show added").await;
    let locked = json!({"rules": ["tcp 22 from 10.20.0.99"], "default_deny": true});
    let error = firewall.act(&machines, Operation::Create, locked).await.unwrap_err();
    assert!(error.to_string().contains("log in"), "{error}");
    assert!(rig.run("agent-6", &Command::new("true")).await.is_err(), "boma is not locked out");
    let login = async || rig.run("agent-6", &Command::new("true")).await.ok();
    until("the host lets boma in again", Duration::from_secs(60), login).await;
    let after = async || {
        let after = rig.shell("agent-6", "ufw status verbose; ufw show added").await;
        (after == before).then_some(())
    };
    until("the rules are those of before", Duration::from_secs(30), after).await;
    machines.close().await;
}
