//! What somebody changes on hosts by hand is named, exactly, and repaired.

use std::collections::BTreeSet;

use boma::lab::HostAction;

use super::rig::{DRIFT, NODES, Rig};
use crate::cli::env::RESOURCES;

#[test]
fn by_hand() {
    let rig = Rig::applied();
    let config = "/etc/rancher/k3s/config.yaml";
    rig.edit("server-2", config, "kubeconfig-mode: \"0600\"", "kubeconfig-mode: \"0644\"");
    rig.shell("agent-1", "systemctl stop k3s-agent");
    let rule = "allow proto tcp from 10.20.0.5 to any port 22 comment boma";
    rig.shell("agent-2", &format!("ufw delete {rule}"));

    let told = rig.env.json(2, DRIFT);
    let found: BTreeSet<(&str, &str)> = told["drift"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| {
            let attributes = one["attributes"].as_array().unwrap().iter();
            let path = |attribute: &'_ serde_json::Value| attribute["path"].as_str().is_some();
            assert!(attributes.clone().all(path));
            attributes.map(|it| (one["address"].as_str().unwrap(), it["path"].as_str().unwrap()))
        })
        .collect();
    let expected = [
        ("host/firewall/agent-2", "rules"),
        ("k3s/agent/agent-1", "service"),
        ("k3s/server/server-2", "config.write-kubeconfig-mode"),
        ("k3s/server/server-2", "running"),
    ];
    assert_eq!(found, expected.into());
    let text = rig.env.expect(2, DRIFT);
    let last = format!("Drift: 3 of {RESOURCES} resources changed outside boma.");
    assert_eq!(text.stdout.lines().last(), Some(last.as_str()), "{text}");

    rig.apply();
    let clean = rig.env.expect(0, DRIFT);
    assert!(clean.stdout.ends_with("No drift.\n"), "{clean}");
    assert!(rig.shell("agent-2", "ufw show added").contains("10.20.0.5"));
    rig.assert_whole(&NODES);
    // k3s on server-2 never ran with the edit.
    assert!(rig.cluster().restarts.iter().all(|restart| restart.node == "agent-1"));
}

/// What a run left that died just after it had founded the cluster: were its data lost, server-1
/// would found another one.
#[test]
fn founding_is_taken_back() {
    let rig = Rig::applied();
    let path = "/etc/rancher/k3s/config.yaml.d/50-boma-join.yaml";
    let content = "cluster-init: true\n".to_owned();
    rig.at("server-1", HostAction::Write { path: path.into(), content, mode: 0o600 });
    let drift = rig.env.expect(2, DRIFT);
    assert!(drift.stdout.contains("arguments: config.yaml -> founding"), "{drift}");
    rig.apply();
    let line = format!("test -e {path}");
    let there = rig.at("server-1", HostAction::Run { line, stdin: String::new() });
    assert_eq!(there.status, 1);
    assert!(rig.cluster().restarts.is_empty());
    rig.assert_whole(&NODES);
}

/// The node runs with what somebody wrote, so it is restarted, drained first: once it is Ready
/// again, for etcd has no voter to spare until then.
#[test]
fn by_hand_and_in_use() {
    let rig = Rig::applied();
    rig.at("server-2", HostAction::Pace { promote_ms: 400, ready_ms: 2000 });
    let config = "/etc/rancher/k3s/config.yaml";
    rig.edit("server-2", config, "kubeconfig-mode: \"0600\"", "kubeconfig-mode: \"0644\"");
    rig.shell("server-2", "systemctl restart k3s");
    rig.env.expect(2, DRIFT);
    rig.apply();
    let restarts = rig.cluster().restarts;
    let nodes: Vec<_> = restarts.iter().map(|it| (it.node.as_str(), it.was_drained())).collect();
    assert_eq!(nodes, [("server-2", false), ("server-2", true)], "by hand, and by boma");
    rig.assert_whole(&NODES);
}

/// boma says on the host that a token was written, before it is, and takes that back once the node
/// was restarted.
#[test]
fn a_token_that_no_process_has_taken_yet() {
    let rig = Rig::applied();
    let unused = "/etc/rancher/k3s/token.unused";
    let write = HostAction::Write { path: unused.into(), content: "new\n".into(), mode: 0o600 };
    rig.at("agent-1", write);
    rig.apply();
    let restarts = rig.cluster().restarts;
    let nodes: Vec<_> = restarts.iter().map(|it| (it.node.as_str(), it.was_drained())).collect();
    assert_eq!(nodes, [("agent-1", true)]);
    rig.assert_whole(&NODES);
}

/// No other server goes down while one is down.
#[test]
fn a_stopped_server_and_a_setting_of_all() {
    let rig = Rig::applied();
    let setting = ("[cloud_provider]", "kubeconfig_mode = \"0640\"\n\n[cloud_provider]");
    rig.shell("server-3", "systemctl stop k3s");
    rig.env.edit(setting.0, setting.1);
    rig.apply();
    let cluster = rig.cluster();
    assert_eq!(cluster.together_down, []);
    let nodes: Vec<&str> = cluster.restarts.iter().map(|one| one.node.as_str()).collect();
    assert_eq!(nodes, ["server-3", "server-1", "server-2"]);
    rig.assert_whole(&NODES);
}

/// Whom the hosts of others let in nowhere cannot report, though boma reaches it.
#[test]
fn rules_that_nodes_need_among_themselves() {
    let rig = Rig::applied();
    let close = |host: &str, port: &str, from: &str| {
        rig.shell(host, &format!("ufw delete allow proto tcp from {from} to any port {port}"));
    };
    for server in ["server-1", "server-2"] {
        close(server, "6443", "10.20.0.21");
    }
    assert!(rig.node("agent-1").ready, "one server is left to report to");
    close("server-3", "6443", "10.20.0.21");
    close("server-2", "2379:2380", "10.20.0.11");
    assert!(rig.node("server-2").ready, "server-3 makes a quorum with it");
    close("server-2", "2379:2380", "10.20.0.13");
    for (node, ready) in [("agent-1", false), ("agent-2", true), ("server-2", false)] {
        assert_eq!(rig.node(node).ready, ready, "{node}");
    }
    let drift = rig.env.json(2, DRIFT);
    let changed = drift["drift"].as_array().unwrap().iter();
    let changed: Vec<&str> = changed.map(|one| one["address"].as_str().unwrap()).collect();
    assert_eq!(
        changed,
        ["server-1", "server-2", "server-3"].map(|it| format!("host/firewall/{it}"))
    );
    rig.apply();
    assert!(rig.cluster().restarts.is_empty());
    rig.assert_whole(&NODES);
}

/// Any one thing that somebody may have done.
#[test]
fn one_thing_at_a_time() {
    let rig = Rig::applied();
    for (host, line) in [
        ("server-1", "systemctl stop k3s"),
        ("agent-1", "ufw --force disable"),
        ("server-3", "rm -f /etc/rancher/k3s/config.yaml"),
        ("agent-2", "rm -f /usr/local/bin/k3s"),
    ] {
        rig.shell(host, line);
        let drift = rig.env.expect(2, DRIFT);
        assert!(drift.stdout.contains(&format!("/{host}\n")), "{line}: {drift}");
        rig.apply();
        rig.env.expect(0, DRIFT);
    }
    rig.assert_whole(&NODES);
}
