//! A machine that is to join asks whether it can, before anything is written on it.

use boma::lab::{FaultRule, StagedFault};

use super::rig::{APPLY, NODES, PLAN, Rig};
use crate::cli::canary::Canaries;

/// A whole cluster, and agent-1 with hardly more than boma's mark.
fn half_an_agent() -> Rig {
    let rig = Rig::new();
    let full = FaultRule::next("install", StagedFault::DiskFull).nth(3).times(1000);
    rig.stage(&[FaultRule { host: Some("agent-1".into()), ..full }]);
    rig.env.expect(4, APPLY);
    rig.stage(&[]);
    rig
}

#[test]
fn where_it_shall_join_and_with_what() {
    let rig = half_an_agent();
    let token = rig.shell("server-1", "cat /etc/rancher/k3s/agent-token");
    let canaries = Canaries::new([token.trim()]);
    let asked = |rig: &Rig| {
        let of_agent = rig.status().history.into_iter().filter(|one| one.host == "agent-1");
        of_agent.filter(|one| one.command.contains("/v1-k3s/readyz")).count()
    };
    let before = asked(&rig);
    let plan = rig.env.expect(0, PLAN);
    assert_eq!(asked(&rig), before + 1, "it asks with the token");
    for rule in ["join-endpoint", "token-refused"] {
        assert!(!plan.stdout.contains(rule), "{plan}");
    }
    canaries.assert_unsaid(&plan);

    let fixed = "[k3s]\njoin_address = \"10.20.0.99\"";
    rig.env.edit("[k3s]", fixed);
    let plan = rig.env.expect(0, PLAN);
    assert_eq!(plan.stdout.matches("join-endpoint").count(), 1, "{plan}");
    assert!(plan.stdout.contains("agent-1 cannot join: no server can be joined"), "{plan}");
    assert!(plan.stdout.contains("TCP 6443"), "{plan}");
    rig.env.edit(fixed, "[k3s]");

    let (right, wrong) = ("{ env = \"K3S_AGENT_TOKEN\" }", "{ env = \"OTHER_TOKEN\" }");
    rig.env.edit(right, wrong);
    let history = rig.status().history.len();
    let plan = rig.env.expect(3, PLAN);
    assert_eq!(plan.stdout.matches("token-refused").count(), 1, "{plan}");
    let cause = "the cluster does not take the token of the spec: agent-1";
    assert!(plan.stdout.contains(cause), "{plan}");
    rig.env.expect(3, APPLY);
    let writes = |command: &str| command.contains("install -D") || command.contains("systemctl");
    let since = rig.status().history.split_off(history);
    assert!(since.iter().all(|one| !writes(&one.command)), "{since:#?}");
    rig.env.edit(wrong, right);

    // Who is in the cluster is asked nothing more.
    rig.apply();
    rig.assert_whole(&NODES);
    let before = asked(&rig);
    rig.env.expect(0, PLAN);
    assert_eq!(asked(&rig), before);
}
