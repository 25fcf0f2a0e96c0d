//! Whole applies: planner, executor and provider on the test hosts.

use boma::apply::Event;
use boma::resource::Address;
use serde_json::json;

use super::cluster::outages;
use super::fleet::{Fleet, MACHINES};
use super::rig::Rig;

const OLD: (&str, &str) = ("v1.35.9+k3s1", "v1.35.8+k3s1");

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

    drift(&fleet.rig).await;
    let seen = fleet.differences().await;
    let expected = [
        "host/firewall/agent-2 Update rules",
        "k3s/agent/agent-1 Update config.kubelet-arg running",
        "k3s/agent/agent-2 Update service",
    ];
    assert_eq!(seen, expected);
    fleet.converge().await;

    let before = outages(&fleet.rig, &MACHINES[..3]).await.len();
    fleet.edit(&[]);
    fleet.converge().await;
    let versions = MACHINES.map(|name| (name.to_owned(), OLD.0.to_owned()));
    assert_eq!(nodes(&fleet.rig).await, versions);
    let mut stops = outages(&fleet.rig, &MACHINES[..3]).await;
    stops.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert_eq!(stops.len() - before, 3, "{stops:?}");
    for pair in stops.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "two servers were down at once: {pair:?}");
    }

    fleet.edit(&FEWER);
    fleet.converge().await;
    assert_eq!(nodes(&fleet.rig).await, versions[..4]);
    let ours = "find /usr/local /etc /var/lib -name '*k3s*'";
    assert_eq!(fleet.rig.shell("agent-2", ours).await, "");
}

/// A changed file, a stopped service and a rule that is gone, each on a host of its own or not.
async fn drift(rig: &Rig) {
    let config = "sed -i s/cloud-provider=external/cloud-provider=internal/ \
        /etc/rancher/k3s/config.yaml";
    rig.shell("agent-1", config).await;
    rig.shell("agent-2", "systemctl stop k3s-agent").await;
    rig.shell("agent-2", "ufw delete allow proto tcp from 10.20.0.11 to any port 10250").await;
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
