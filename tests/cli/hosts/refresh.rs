//! Looking at hosts costs one connection and one command each, and changes nothing.

use std::collections::BTreeMap;

use boma::lab::Status;

use super::rig::{DRIFT, NODES, PLAN, Rig};

#[test]
fn one_command_per_host() {
    let rig = Rig::applied();
    for command in [PLAN, DRIFT] {
        let before = rig.status();
        rig.env.expect(0, command);
        let after = rig.status();
        for (name, (commands, connections)) in counted(&after) {
            let (commands_before, connections_before) = counted(&before)[name];
            assert_eq!(commands - commands_before, 1, "{name}: {:#?}", after.hosts);
            assert_eq!(connections - connections_before, 1, "{name}: {:#?}", after.hosts);
        }
        let new = &after.history[before.history.len()..];
        assert_eq!(new.len(), NODES.len(), "{new:#?}");
        assert!(new.iter().all(|one| one.command.contains("boma-probe") && !one.changed));
        assert_eq!(after.clusters, before.clusters);
    }
}

fn counted(status: &Status) -> BTreeMap<&str, (u64, u64)> {
    let hosts = status.hosts.iter();
    hosts.map(|host| (host.name.as_str(), (host.commands, host.connections))).collect()
}
