//! k3s goes up one minor at a time, one node at a time, servers first.

use super::rig::{APPLY, NODES, PLAN, Rig};

const FROM: &str = "v1.35.9+k3s1";

#[test]
fn one_by_one_servers_first() {
    let rig = Rig::applied();
    rig.env.edit(FROM, "v1.36.3+k3s1");
    let plan = rig.env.expect(0, PLAN);
    assert!(plan.stdout.contains("Plan: 0 to add, 5 to change, 0 to destroy."), "{plan}");
    let refused = ["apply", "--lab", "--yes", "small.toml"];
    rig.env.expect(3, &refused).assert_one_error(&["disturbed", "--allow-disruption"]);
    assert!(rig.cluster().restarts.is_empty());

    rig.apply();
    let cluster = rig.cluster();
    let order: Vec<&str> = cluster.restarts.iter().map(|restart| restart.node.as_str()).collect();
    assert_eq!(order, ["server-1", "server-2", "server-3", "agent-1", "agent-2"]);
    assert!(cluster.nodes.iter().all(|node| node.version == "v1.36.3+k3s1"), "{cluster:#?}");
    assert!(cluster.snapshots.len() >= 3, "{:?}", cluster.snapshots);
    rig.assert_gentle();
    rig.assert_whole(&NODES);
}

/// There is no other voter to wait for, and there never will be.
#[test]
fn a_single_server_is_upgraded_without_waiting() {
    let rig = Rig::new();
    rig.env.edit("count      = 3", "count      = 1");
    rig.env.edit("10.20.0.11-13", "10.20.0.11");
    rig.env.edit("[k3s]", "[k3s]\nready_timeout = \"40s\"");
    rig.apply();
    rig.env.edit(FROM, "v1.36.3+k3s1");
    let applied = rig.apply();
    assert!(!applied.stderr.contains("spare_voters"), "{applied}");
    assert_eq!(rig.node("server-1").version, "v1.36.3+k3s1");
    rig.assert_gentle();
    rig.assert_whole(&["agent-1", "agent-2", "server-1"]);
}

#[test]
fn what_k3s_cannot_do_is_refused() {
    let rig = Rig::applied();
    let before = rig.cluster();
    let mut version = FROM;
    for (to, words) in [
        ("v1.37.1+k3s1", ["skips a minor", "one minor version at a time"]),
        ("v1.34.1+k3s1", ["upgrade-path", "raise `version` in [k3s]"]),
        ("v1.35.3+k3s1", ["is older than", "restore of an etcd snapshot"]),
    ] {
        rig.env.edit(version, to);
        version = to;
        for command in [PLAN, APPLY] {
            let ran = rig.env.expect(3, command);
            for word in words {
                assert!(ran.stdout.contains(word), "{word}: {ran}");
            }
        }
    }
    assert_eq!(rig.cluster(), before);
    rig.env.edit(version, FROM);
    rig.assert_whole(&NODES);
}
