//! Agents that go, and one that is made anew.

use boma::lab::HostAction;

use super::rig::{APPLY, NODES, PLAN, Rig};

const OTHERS: [&str; 4] = ["agent-1", "server-1", "server-2", "server-3"];

fn without_agent_2(rig: &Rig) {
    rig.env
        .edit("count     = 2\nname      = \"agent-{}\"", "count     = 1\nname      = \"agent-{}\"");
    rig.env.edit("10.20.0.21-22", "10.20.0.21");
}

#[test]
fn a_removed_agent_leaves_nothing() {
    let rig = Rig::applied();
    without_agent_2(&rig);
    let plan = rig.env.expect(0, PLAN);
    assert!(plan.stdout.contains("k3s/agent/agent-2"), "{plan}");
    rig.apply();

    let cluster = rig.cluster();
    let of_agent: Vec<&str> = cluster
        .history
        .iter()
        .filter(|line| line.contains(" agent-2 "))
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    let order = |what: &str| of_agent.iter().position(|one| *one == what);
    assert!(order("Drained").is_some() && order("Drained") < order("Deleted"), "{of_agent:?}");
    let status = rig.status();
    assert!(status.hosts.iter().all(|host| host.name != "agent-2"), "{:?}", status.hosts);
    assert!(status.inventory.iter().all(|object| !object.path.ends_with("agent-2")));
    let removed = |command: &boma::lab::StatusCommand| {
        command.host == "agent-2"
            && command.command.contains("Stops k3s on this host and removes it")
    };
    assert!(status.history.iter().any(removed), "it was not uninstalled");
    rig.assert_whole(&OTHERS);
}

/// The machine is on, and nobody answers there.
#[test]
fn a_dead_agent_is_removed() {
    let rig = Rig::applied();
    rig.at("agent-2", HostAction::Dead(true));
    without_agent_2(&rig);
    let stuck = rig.env.run(APPLY);
    assert_ne!(stuck.code, Some(0), "nobody knows what is on it: {stuck}");
    rig.env
        .expect(1, &[APPLY, &["--dead", "agent-1"]].concat())
        .assert_one_error(&["left the spec"]);
    rig.env.expect(0, &[APPLY, &["--dead", "agent-2"]].concat());
    rig.assert_whole(&OTHERS);
}

#[test]
fn a_replaced_agent_joins_again() {
    let rig = Rig::applied();
    let before = rig.node("agent-1");
    rig.env.expect(0, &[APPLY, &["--replace", "k3s/agent/agent-1"]].concat());
    assert_eq!(rig.node("agent-1").provider_id, before.provider_id);
    let history = rig.cluster().history;
    let joined = history.iter().filter(|line| line.contains(" agent-1 Joined")).count();
    assert_eq!(joined, 2, "{history:#?}");
    rig.assert_whole(&NODES);
}
