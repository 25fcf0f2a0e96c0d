//! Looking at hosts costs one connection and one command each, and changes nothing.

use std::collections::BTreeMap;

use boma::lab::{Status, StatusHost};

use super::rig::{DRIFT, NODES, PLAN, Rig};

#[test]
fn one_command_per_host() {
    let rig = Rig::applied();
    for command in [PLAN, DRIFT] {
        let before = rig.status();
        rig.env.expect(0, command);
        let after = rig.status();
        for (name, counts) in counted(&after) {
            let earlier = counted(&before)[name];
            let more = [0, 1, 2].map(|at| counts[at] - earlier[at]);
            // The server that the cluster is asked through gives its kubeconfig besides.
            let commands = if name == "server-1" { 2 } else { 1 };
            assert_eq!(more, [commands, 1, 1], "{name}: {:#?}", after.hosts);
        }
        let new = &after.history[before.history.len()..];
        assert_eq!(new.len(), NODES.len() + 1, "{new:#?}");
        assert!(new.iter().all(|one| !one.changed), "{new:#?}");
        assert_eq!(after.clusters, before.clusters);
    }
}

/// Commands, looks among them, and connections.
fn counted(status: &Status) -> BTreeMap<&str, [u64; 3]> {
    let hosts = status.hosts.iter();
    let looks = |host: &StatusHost| host.programs.get("boma-probe").copied().unwrap_or_default();
    hosts.map(|host| (host.name.as_str(), [host.commands, looks(host), host.connections])).collect()
}
