//! Whole applies: planner, executor and provider on the test hosts.

use std::time::Duration;

use boma::apply::Event;
use boma::provider::host::Command;
use boma::resource::Address;
use serde_json::json;

use super::cluster::outages;
use super::fleet::{Fleet, MACHINES, REVERT_AFTER};
use super::rig::{Rig, until};

const OLD: (&str, &str) = ("v1.35.9+k3s1", "v1.35.8+k3s1");

/// boma comes from 10.20.0.1.
const LOCKED_OUT: (&str, &str) = ("10.20.0.1/32", "10.20.0.99/32");

/// One agent less.
const FEWER: [(&str, &str); 2] =
    [("[agents]\ncount     = 2", "[agents]\ncount     = 1"), ("10.20.0.21-22", "10.20.0.21")];

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn an_installation_is_made_kept_upgraded_and_made_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::over(Rig::boot(&MACHINES), folder.path()).await;
    fleet.edit(&[OLD]);
    fleet.converge().await;
    assert_eq!(nodes(&fleet.rig).await, MACHINES.map(|name| (name.to_owned(), OLD.1.to_owned())));
    // To bring everything up took no server down.
    assert_eq!(stops(&fleet.rig).await, [""; 0]);

    drift(&fleet.rig).await;
    let seen = fleet.differences().await;
    let expected = [
        "host/firewall/agent-2 Update rules",
        "k3s/agent/agent-1 Update config.kubelet-arg running",
        "k3s/agent/agent-2 Update service",
        "k3s/server/server-1 Update config.kubelet-arg",
        "k3s/server/server-3 Update service",
    ];
    assert_eq!(seen, expected);
    fleet.converge().await;
    // Two by hand. What is down comes back before boma takes another one down.
    assert_eq!(stops(&fleet.rig).await, ["server-1", "server-3", "server-1"]);

    fleet.rig.shell("server-1", "k3s kubectl delete node agent-1").await;
    let seen = fleet.differences().await;
    assert_eq!(seen, ["k3s/agent/agent-1 Replace running"]);
    fleet.converge().await;
    assert_eq!(nodes(&fleet.rig).await, MACHINES.map(|name| (name.to_owned(), OLD.1.to_owned())));

    fleet.edit(&[]);
    fleet.converge().await;
    let versions = MACHINES.map(|name| (name.to_owned(), OLD.0.to_owned()));
    assert_eq!(nodes(&fleet.rig).await, versions);
    let upgraded = ["server-1", "server-3", "server-1", "server-1", "server-2", "server-3"];
    assert_eq!(stops(&fleet.rig).await, upgraded);

    fleet.edit(&FEWER);
    fleet.converge().await;
    assert_eq!(nodes(&fleet.rig).await, versions[..4]);
    let ours = "find /usr/local /etc /var/lib -name '*k3s*'";
    assert_eq!(fleet.rig.shell("agent-2", ours).await, "");
    assert_eq!(stops(&fleet.rig).await, upgraded);
}

/// Changed files, stopped services and a rule that is gone.
async fn drift(rig: &Rig) {
    let config = "sed -i s/cloud-provider=external/cloud-provider=internal/ \
        /etc/rancher/k3s/config.yaml";
    rig.shell("agent-1", config).await;
    rig.shell("server-1", &format!("{config} && systemctl restart k3s")).await;
    rig.shell("agent-2", "systemctl stop k3s-agent").await;
    rig.shell("server-3", "systemctl stop k3s").await;
    rig.shell("agent-2", "ufw delete allow proto tcp from 10.20.0.11 to any port 10250").await;
}

/// The servers in the order in which they went down, each after the one before it was ready again.
async fn stops(rig: &Rig) -> Vec<&'static str> {
    let mut stops = outages(rig, &MACHINES[..3]).await;
    stops.sort_by(|one, other| one.0.total_cmp(&other.0));
    for pair in stops.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "two servers were down at once: {pair:?}");
    }
    stops.into_iter().map(|(_, _, name)| name).collect()
}

/// The spec says that boma comes from where it does not. The host finds out, the others are left
/// alone, and what is right is applied afterwards.
#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn rules_that_would_lock_boma_out_end_the_apply_and_go_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::over(Rig::boot(&MACHINES), folder.path()).await;
    fleet.converge().await;
    let rules = async |rig: &Rig, host: &str| rig.shell(host, "ufw show added").await;
    let mut before = Vec::new();
    for host in MACHINES {
        before.push(rules(&fleet.rig, host).await);
    }
    fleet.edit(&[LOCKED_OUT]);
    fleet.revert_after(Duration::from_secs(15));
    let report = fleet.apply(|_| {}).await;
    let failed: Vec<&str> = report.failures.iter().map(|one| one.address.as_str()).collect();
    assert!(failed.iter().all(|address| address.starts_with("host/firewall/")), "{failed:?}");
    assert!((1..MACHINES.len()).contains(&failed.len()), "others are left alone: {failed:?}");
    for failure in &report.failures {
        assert!(failure.message.contains("could not log in again"), "{failure:?}");
        assert!(failure.help.contains("[ssh] from"), "{failure:?}");
    }

    for (host, before) in MACHINES.into_iter().zip(before) {
        let hosts = fleet.rig.hosts();
        let target = fleet.rig.target(host);
        let again = async || hosts.run(&target, &Command::new("true")).await.ok();
        until("boma is let in again", Duration::from_secs(60), again).await;
        hosts.close().await;
        let restored = async || (rules(&fleet.rig, host).await == before).then_some(());
        until("the rules are those of before", Duration::from_secs(30), restored).await;
    }
    fleet.edit(&[]);
    fleet.revert_after(REVERT_AFTER);
    fleet.converge().await;
    assert_eq!(nodes(&fleet.rig).await.len(), 5);
    assert_eq!(stops(&fleet.rig).await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn a_link_that_is_cut_stops_one_host_and_the_next_apply_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::over(Rig::boot(&MACHINES), folder.path()).await;
    let second = Address::from("k3s/server/server-2");
    let cut = |event: &Event| match event {
        Event::Step { address, .. } if *address == second => fleet.rig.link("server-2", "cut"),
        _ => {}
    };
    let report = fleet.apply(cut).await;
    fleet.rig.link("server-2", "restore");
    let failed: Vec<&Address> = report.failures.iter().map(|failure| &failure.address).collect();
    assert_eq!(failed, [&second], "{:?}", report.failures);
    assert_ne!(report.failures[0].help, "");
    fleet.converge().await;
    assert_eq!(nodes(&fleet.rig).await.len(), 5);
    stops(&fleet.rig).await;
}

/// Names and versions of the nodes that are ready, servers first.
async fn nodes(rig: &Rig) -> Vec<(String, String)> {
    let text = rig.shell("server-1", "k3s kubectl get nodes -o json").await;
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ready = |node: &&serde_json::Value| {
        let conditions = node["status"]["conditions"].as_array().unwrap();
        conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == json!("True"))
    };
    let show = |node: &serde_json::Value| {
        let version = node["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap();
        (node["metadata"]["name"].as_str().unwrap().to_owned(), version.to_owned())
    };
    let mut nodes: Vec<_> =
        list["items"].as_array().unwrap().iter().filter(ready).map(show).collect();
    nodes.sort_by_key(|(name, _)| MACHINES.iter().position(|machine| machine == name));
    nodes
}
