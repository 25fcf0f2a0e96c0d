//! A server that does not answer blocks what needs it, and nothing is made in its place.

use boma::lab::HostAction;

use super::rig::{APPLY, DRIFT, NODES, PLAN, Rig};
use crate::cli::process::Ran;

#[test]
fn server_1_blocks_what_needs_it() {
    let rig = Rig::applied();
    rig.at("server-1", HostAction::Dead(true));
    rig.shell("agent-2", "systemctl stop k3s-agent");
    let before = rig.status();

    let plan = rig.env.expect(1, PLAN);
    check(&plan);
    assert!(plan.stdout.contains("k3s/agent/agent-2"), "the rest is printed: {plan}");
    assert!(plan.stdout.contains("Plan: 0 to add, 1 to change, 0 to destroy."), "{plan}");
    let drift = rig.env.expect(1, DRIFT);
    check(&drift);
    assert!(drift.stdout.contains("service: active -> inactive"), "the rest is printed: {drift}");
    let after = rig.status();
    assert_eq!(after.inventory, before.inventory);
    assert_eq!(after.clusters, before.clusters);

    check(&rig.env.expect(4, APPLY));
    assert_eq!(rig.status().inventory, before.inventory);
    assert_eq!(rig.cluster().nodes.len(), NODES.len());
    rig.at("server-1", HostAction::Dead(false));
    rig.apply();
    rig.assert_whole(&NODES);
}

/// Nobody remembers that there is a cluster, and its first server does not answer.
#[test]
fn a_lost_state_makes_no_second_cluster() {
    let rig = Rig::applied();
    std::fs::remove_dir_all(rig.env.path("state/lab/small/state")).unwrap();
    rig.at("server-1", HostAction::Dead(true));
    let before = rig.status();
    check(&rig.env.expect(4, APPLY));
    let after = rig.status();
    assert_eq!(after.inventory, before.inventory);
    assert_eq!(after.clusters, before.clusters);
    rig.at("server-1", HostAction::Dead(false));
    rig.apply();
    rig.assert_whole(&NODES);
}

/// It is said once who does not answer, and what waits for it.
#[track_caller]
fn check(ran: &Ran) {
    assert_eq!(
        ran.stdout.matches("server-1 (10.20.0.11:22) cannot be reached").count(),
        1,
        "{ran}"
    );
    assert!(ran.stdout.contains("check that the machine is on"), "{ran}");
    for blocked in ["host/firewall/server-1", "k3s/server/server-1"] {
        assert!(ran.stdout.contains(blocked), "{blocked}: {ran}");
    }
}
