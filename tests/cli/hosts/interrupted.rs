//! A run that dies while a node is drained: the next one ends what it began.

use boma::lab::{FaultRule, HostAction, StagedFault};

use super::rig::{APPLY, NODES, Rig};

/// Kills an apply of a change that restarts every node, once it prints such a line.
fn check(edit: (&str, &str), fault: Option<FaultRule>, moment: &str) -> Rig {
    let rig = Rig::applied();
    rig.env.edit(edit.0, edit.1);
    rig.stage(fault.as_slice());
    let mut running = rig.env.start(APPLY);
    running.wait_for(|line| line.starts_with(moment));
    running.kill();
    rig.stage(&[]);
    rig
}

fn finish(rig: &Rig) {
    rig.apply();
    rig.assert_whole(&NODES);
    rig.assert_gentle();
}

const UPGRADE: (&str, &str) = ("v1.35.9+k3s1", "v1.36.3+k3s1");
const SETTING: (&str, &str) =
    ("[cloud_provider]", "kubeconfig_mode = \"0640\"\n\n[cloud_provider]");

/// Nothing is renamed on that host until the fault is cleared.
fn stuck(host: &str) -> FaultRule {
    FaultRule { host: Some(host.into()), ..FaultRule::next("mv", StagedFault::Hang) }
}

/// The first server has boma's mark and none of its files yet.
#[test]
fn a_first_server_that_was_hardly_begun_is_finished() {
    let rig = Rig::new();
    // The firewall's mark and that of k3s are written; nothing after them is.
    let full = FaultRule {
        host: Some("server-1".into()),
        ..FaultRule::next("install", StagedFault::DiskFull)
    };
    rig.stage(&[full.nth(3).times(1000)]);
    rig.env.expect(4, APPLY);
    rig.stage(&[]);
    rig.shell("server-1", "cat /etc/boma/k3s-server.json");
    let config = "cat /etc/rancher/k3s/config.yaml".to_owned();
    let config = rig.at("server-1", HostAction::Run { line: config, stdin: String::new() });
    assert_ne!(config.status, 0, "{}", config.stdout);
    rig.apply();
    rig.assert_whole(&NODES);
}

#[test]
fn a_drained_server_is_taken_back() {
    let rig = check(UPGRADE, Some(stuck("server-2")), "k3s/server/server-2: update started");
    assert!(rig.node("server-2").cordoned);
    assert_eq!(rig.node("server-2").version, "v1.35.9+k3s1");
    finish(&rig);
    assert!(rig.cluster().nodes.iter().all(|node| node.version == "v1.36.3+k3s1"));
}

#[test]
fn a_drained_agent_is_taken_back() {
    let rig = check(UPGRADE, Some(stuck("agent-1")), "k3s/agent/agent-1: update started");
    assert!(rig.node("agent-1").cordoned);
    finish(&rig);
}

/// The edit is taken back meanwhile: nothing of the node differs any more but its cordon.
#[test]
fn a_drained_server_is_taken_back_without_the_change() {
    let rig = check(SETTING, Some(stuck("server-1")), "k3s/server/server-1: update started");
    assert!(rig.node("server-1").cordoned);
    rig.env.edit(SETTING.1, SETTING.0);
    finish(&rig);
}

#[test]
fn a_restarted_server_is_taken_back() {
    finish(&check(UPGRADE, None, "k3s/server/server-3: closing the window of started"));
    finish(&check(SETTING, None, "k3s/server/server-1: restart"));
}
