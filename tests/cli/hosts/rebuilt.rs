//! A server whose machine is gone comes back into the cluster that it was in.

use boma::lab::HostAction;

use super::rig::{APPLY, NODES, PLAN, Rig};

#[test]
fn server_1_joins_the_cluster_that_it_began() {
    let rig = Rig::applied();
    let before = rig.cluster();
    rig.delete_vm("/DC1/vm/cht/server-1");
    // The cloud provider takes the node away, or it stays and is not ready.
    let nodes = rig.cluster().nodes;
    assert!(nodes.iter().all(|node| node.name != "server-1" || !node.ready));

    let applied = rig.apply();
    assert!(applied.stderr.contains("k3s/server/server-1: join"), "{applied}");
    assert!(!applied.stderr.contains("init cluster"), "{applied}");
    let after = rig.cluster();
    assert_eq!((&after.id, &after.ca_hash), (&before.id, &before.ca_hash));
    assert_eq!(after.history.iter().filter(|line| line.ends_with("Born")).count(), 1);
    rig.assert_whole(&NODES);
}

/// Its machine is there and will never answer again.
#[test]
fn a_server_that_is_dead_for_good_is_made_anew() {
    let rig = Rig::applied();
    let before = rig.cluster();
    rig.at("server-1", HostAction::Dead(true));
    rig.env.expect(1, PLAN);
    let applied = rig.env.expect(0, &[APPLY, &["--replace", "vsphere/vm/server-1"]].concat());
    assert!(applied.stderr.contains("k3s/server/server-1: join"), "{applied}");
    assert_eq!(rig.cluster().ca_hash, before.ca_hash);
    rig.assert_whole(&NODES);
}

#[test]
fn an_agent_is_made_anew() {
    let rig = Rig::applied();
    let before = rig.node("agent-2");
    rig.delete_vm("/DC1/vm/cht/agent-2");
    rig.apply();
    assert_ne!(rig.node("agent-2").provider_id, before.provider_id);
    rig.assert_whole(&NODES);
}
