//! k3s on hosts, installed by hand as a client would.

use std::time::Duration;

use serde_json::Value;

use crate::lab::HostAction;

use super::client::{Rig, address};

/// A cluster's first server on `node-1`, with the others joined.
pub(super) async fn cluster(rig: &Rig, servers: usize, agents: usize) {
    let pace = HostAction::Pace { promote_ms: 0, ready_ms: 0 };
    rig.running.at_host("node-1", &pace).unwrap();
    let token = "server-secret";
    for number in 1..=servers + agents {
        let role = if number <= servers { "server" } else { "agent" };
        install(rig, number, role, token);
        let join = match number {
            1 => "cluster-init: true\n".to_owned(),
            _ => format!("server: \"https://{}:6443\"\n", address(1)),
        };
        write(rig, number, "/etc/rancher/k3s/config.yaml.d/50-join.yaml", &join);
        let unit = unit(role);
        rig.console(number, &format!("systemctl start --no-block {unit}"), "");
        assert_eq!(rig.console(number, &format!("systemctl is-active {unit}"), ""), "active\n");
    }
}

fn unit(role: &str) -> &'static str {
    if role == "server" { "k3s" } else { "k3s-agent" }
}

fn install(rig: &Rig, number: usize, role: &str, token: &str) {
    rig.console(number, "install -m 0755 /dev/stdin /usr/local/bin/k3s", "k3s v1.35.9+k3s1\n");
    rig.console(number, "install -D -m 0600 /dev/stdin /etc/rancher/k3s/token", token);
    let config = "token-file: /etc/rancher/k3s/token\ndisable:\n- \"local-storage\"\n";
    let config = if role == "server" { config } else { "token-file: /etc/rancher/k3s/token\n" };
    write(rig, number, "/etc/rancher/k3s/config.yaml", config);
    let unit = format!("/etc/systemd/system/{}.service", unit(role));
    let text = format!("[Service]\nType=notify\nExecStart=/usr/local/bin/k3s {role}\n");
    write(rig, number, &unit, &text);
    rig.console(number, "systemctl daemon-reload", "");
}

fn write(rig: &Rig, number: usize, path: &str, text: &str) {
    rig.console(number, &format!("install -D -m 0644 /dev/stdin {path}"), text);
}

#[tokio::test]
async fn a_cluster_forms_and_its_first_server_tells_of_all_nodes() {
    let rig = Rig::new(4).await;
    cluster(&rig, 3, 1).await;
    let nodes = rig.root(1, "k3s kubectl get nodes -o json").await;
    let nodes: Value = serde_json::from_str(&nodes.stdout).unwrap();
    assert_eq!(nodes["items"].as_array().unwrap().len(), 4);
    let ready = rig.root(2, &format!("curl -sk https://{}:6443/ping", address(1))).await;
    assert_eq!(ready.stdout, "pong");
    let status = rig.running.status().unwrap();
    assert_eq!(status.clusters.len(), 1);
    assert_eq!(status.clusters[0].nodes.len(), 4);
}

#[tokio::test]
async fn one_command_tells_everything_of_a_server() {
    let rig = Rig::new(1).await;
    cluster(&rig, 1, 0).await;
    write(&rig, 1, "/etc/boma/k3s-server.json", "{}\n");
    let probe = rig.root(1, "sh -c 'anything at all' boma-probe").await;
    let items: Value = serde_json::from_str(&probe.stdout).unwrap();
    for name in [
        "hostname",
        "machine-id",
        "product-serial",
        "product-uuid",
        "os-release",
        "kernel",
        "cpus",
        "meminfo",
        "disk",
        "clock",
        "clock-sync",
        "cgroup",
        "route",
        "mark/k3s-server.json",
        "ufw-status",
        "ufw-added",
        "docker-active",
        "k3s-version",
        "unit-show",
        "unit-text",
        "config",
        "config-d/50-join.yaml",
        "config-time",
        "token",
        "joined",
        "cacert-hash",
        "certificate-ends",
        "nodes",
    ] {
        assert!(items[name].is_string(), "{name} is missing");
    }
    for name in ["docker-version", "journal", "agent-token", "unit-env"] {
        assert!(items[name].is_null(), "{name} is there");
    }
    let programs = &rig.running.status().unwrap().hosts[0].programs;
    assert_eq!(programs.get("boma-probe"), Some(&1));
}

#[tokio::test]
async fn a_wrong_token_leaves_the_unit_activating_with_its_last_words() {
    let rig = Rig::new(2).await;
    cluster(&rig, 1, 0).await;
    install(&rig, 2, "agent", "wrong");
    let join = format!("server: \"https://{}:6443\"\n", address(1));
    write(&rig, 2, "/etc/rancher/k3s/config.yaml.d/50-join.yaml", &join);
    let client = rig.connect(2).await;
    assert!(client.hangs("sudo -n -- systemctl start k3s-agent").await);
    let active = client.run("systemctl is-active k3s-agent", b"").await;
    assert_eq!((active.status, active.stdout.as_str()), (Some(3), "activating\n"));
    let journal = rig.root(2, "journalctl -u k3s-agent -n 20 --no-pager -o cat").await;
    assert!(journal.stdout.contains("level="), "{}", journal.stdout);
}

#[tokio::test]
async fn k3s_wants_a_default_route_and_its_token_file() {
    let rig = Rig::new(1).await;
    install(&rig, 1, "server", "secret");
    rig.running.at_host("node-1", &HostAction::DefaultRoute(false)).unwrap();
    let journal = || rig.console(1, "journalctl -u k3s", "");
    rig.console(1, "systemctl start --no-block k3s", "");
    assert!(journal().contains("no default routes found"), "{}", journal());
    rig.running.at_host("node-1", &HostAction::DefaultRoute(true)).unwrap();
    rig.console(1, "rm -f /etc/rancher/k3s/token", "");
    rig.console(1, "systemctl restart --no-block k3s", "");
    assert!(journal().contains("open /etc/rancher/k3s/token: no such file or directory"));
}

#[tokio::test]
async fn a_reboot_starts_what_is_enabled_and_removal_leaves_nothing() {
    let rig = Rig::new(1).await;
    cluster(&rig, 1, 0).await;
    rig.console(1, "systemctl enable k3s", "");
    rig.running.at_host("node-1", &HostAction::Reboot).unwrap();
    tokio::time::timeout(Duration::from_secs(5), async {
        assert_eq!(rig.root(1, "systemctl is-active k3s").await.stdout, "active\n");
    })
    .await
    .unwrap();
    rig.console(1, "sh -c x boma-k3s-remove", "");
    let probe = rig.root(1, "sh -c x boma-probe").await;
    let items: Value = serde_json::from_str(&probe.stdout).unwrap();
    for name in ["k3s-version", "unit-text", "config", "token", "joined"] {
        assert!(items[name].is_null(), "{name} is there");
    }
}

#[tokio::test]
async fn drift_on_hosts_is_one_change_each_and_told() {
    let rig = Rig::new(3).await;
    cluster(&rig, 3, 0).await;
    let config = "token-file: /etc/rancher/k3s/token\nkubelet-arg:\n- \"a=b\"\ndocker: false\n";
    for number in 1..=3 {
        write(&rig, number, "/etc/boma/k3s-server.json", "{}\n");
        write(&rig, number, "/etc/rancher/k3s/config.yaml", config);
        rig.console(number, "ufw allow 80/tcp comment boma", "");
    }
    let mut properties = std::collections::BTreeSet::new();
    for seed in 1..=20 {
        let drifted = rig.running.drift_hosts(seed, 2).unwrap();
        assert!(drifted.iter().all(|one| one.object_type == "Host" && one.before != one.after));
        assert!(drifted.len() < 2 || drifted[0].name != drifted[1].name);
        properties.extend(drifted.into_iter().map(|one| one.property));
        (1..=3).for_each(|number| drop(rig.console(number, "systemctl start k3s", "")));
    }
    let expected = ["file /etc/rancher/k3s/config.yaml kubelet-arg", "ufw", "unit k3s.service"];
    assert_eq!(properties.into_iter().collect::<Vec<_>>(), expected);
    let edited = config.replace("docker", "- \"max-pods=120\"\ndocker");
    assert_eq!(rig.console(1, "cat /etc/rancher/k3s/config.yaml", ""), edited);
}

#[tokio::test]
async fn registries_that_are_no_configuration_keep_k3s_down() {
    let rig = Rig::new(1).await;
    cluster(&rig, 1, 0).await;
    let path = "/etc/rancher/k3s/registries.yaml";
    for (text, state) in [
        ("mirrors:\n  a:\n    endpoint: [\"https://b\"]\n", "active\n"),
        ("mirrors: [a\n", "activating\n"),
        ("- a\n", "activating\n"),
        ("mirrors:\n  a:\n endpoint: b\n", "activating\n"),
        ("# nothing\n", "active\n"),
    ] {
        write(&rig, 1, path, text);
        rig.console(1, "systemctl restart --no-block k3s", "");
        let line = "systemctl is-active k3s".to_owned();
        let action = HostAction::Run { line, stdin: String::new() };
        let seen = rig.running.at_host("node-1", &action).unwrap();
        assert_eq!(seen.stdout, state, "{text}");
    }
    let words = rig.console(1, "journalctl -u k3s --no-pager -o cat", "");
    assert!(words.contains("level=fatal") && words.contains(path), "{words}");
}
