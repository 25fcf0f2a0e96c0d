//! Looking at hosts costs one connection and one command each, and changes nothing.

use std::collections::BTreeMap;

use boma::lab::{FaultRule, StagedFault, Status, StatusHost};

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

/// Late answers of all cost what the latest one costs.
#[test]
fn all_hosts_are_asked_before_the_first_has_answered() {
    const LATE_MS: u64 = 5000;
    let rig = Rig::applied();
    let late = StagedFault::SlowTask { ms: LATE_MS };
    rig.stage(&[FaultRule::next("boma-probe", late).times(NODES.len() as u64)]);
    let before = rig.status().history.len();
    rig.env.expect(0, PLAN);
    let asked = rig.status().history.split_off(before);
    let looks: Vec<u64> =
        asked.iter().filter(|one| !one.command.contains("k3s.yaml")).map(|one| one.at_ms).collect();
    assert_eq!(looks.len(), NODES.len(), "{asked:#?}");
    let apart = looks.iter().max().unwrap() - looks.iter().min().unwrap();
    assert!(apart < LATE_MS, "{apart} ms");
    assert!(rig.status().faults.is_empty(), "every host was late");
}

/// Commands, looks among them, and connections.
fn counted(status: &Status) -> BTreeMap<&str, [u64; 3]> {
    let hosts = status.hosts.iter();
    let looks = |host: &StatusHost| host.programs.get("boma-probe").copied().unwrap_or_default();
    hosts.map(|host| (host.name.as_str(), [host.commands, looks(host), host.connections])).collect()
}
