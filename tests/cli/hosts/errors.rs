//! What goes wrong on one host: one clear error with the next step, and the others go on.

use boma::lab::{FaultRule, HostAction, StagedFault};

use super::rig::{APPLY, NODES, PLAN, Rig};

/// One host of a whole cluster hides what is on it, and another one needs something.
fn check(host: &str, breaking: HostAction, cause: &str, way_out: &str) -> Rig {
    let rig = Rig::applied();
    rig.at(host, breaking);
    rig.shell("agent-2", "systemctl stop k3s-agent");
    for (code, command) in [(1, PLAN), (4, APPLY)] {
        let ran = rig.env.expect(code, command);
        assert_eq!(ran.stdout.matches(cause).count(), 1, "{cause}: {ran}");
        assert!(ran.stdout.contains(way_out), "{way_out}: {ran}");
        assert!(ran.stdout.lines().count() < 50, "{ran}");
        assert!(!ran.stderr.contains("panicked"), "{ran}");
    }
    assert!(rig.node("agent-2").ready, "the others go on");
    rig
}

#[track_caller]
fn converges(rig: &Rig) {
    rig.apply();
    rig.assert_whole(&NODES);
}

#[test]
fn changed_host_key() {
    let rig = check(
        "agent-1",
        HostAction::NewHostKey,
        "the host key of agent-1 (10.20.0.21:22) is not the expected one",
        "compare on the machine's console",
    );
    let plan = rig.env.expect(1, PLAN).stdout;
    assert_eq!(plan.matches("SHA256:").count(), 3, "both, and the one to pin: {plan}");
}

#[test]
fn refused_sudo() {
    let password = HostAction::SudoPassword(Some("another one".into()));
    let cause = "sudo on agent-1 refuses ubuntu";
    let rig = check("agent-1", password, cause, "[ssh] sudo_password");
    rig.at("agent-1", HostAction::SudoPassword(None));
    converges(&rig);
}

#[test]
fn dead_host() {
    let cause = "agent-1 (10.20.0.21:22) cannot be reached";
    let rig = check("agent-1", HostAction::Dead(true), cause, "check that the machine is on");
    rig.at("agent-1", HostAction::Dead(false));
    converges(&rig);
}

/// Only a warning while there is nothing to do on that host.
#[test]
fn wrong_clock() {
    let rig = Rig::applied();
    rig.at("agent-1", HostAction::Clock { seconds: 3600 });
    for (code, command) in [(0, PLAN), (0, PLAN), (4, APPLY)] {
        let ran = rig.env.expect(code, command);
        // Said by the plan, and by what it fails. Seconds may pass between two looks at a clock.
        let words = ran.stdout.matches("the clock of agent-1 is ").count();
        assert_eq!(ran.stdout.matches(" seconds ahead").count(), words, "{ran}");
        assert_eq!(words, if code == 4 { 2 } else { 1 }, "{ran}");
        assert!(ran.stdout.contains("timedatectl set-ntp true"), "{ran}");
        for agent in ["agent-1", "agent-2"] {
            rig.shell(agent, if code == 0 { "systemctl stop k3s-agent" } else { "true" });
        }
    }
    assert!(!rig.node("agent-1").ready);
    assert!(rig.node("agent-2").ready, "the others go on");
    rig.at("agent-1", HostAction::Clock { seconds: 0 });
    converges(&rig);
}

/// Something breaks on agent-1 while everything is made; the other hosts are finished.
fn breaks(fault: FaultRule, cause: &str) -> Rig {
    let rig = Rig::new();
    rig.stage(&[fault]);
    let applied = rig.env.expect(4, APPLY);
    let failures = applied.stderr.lines().filter(|line| line.contains(": failed: ")).count();
    assert_eq!(failures, 1, "{applied}");
    assert!(applied.stdout.contains(cause), "{cause}: {applied}");
    assert!(applied.stdout.contains("help: "), "{applied}");
    for node in ["agent-2", "server-1", "server-2", "server-3"] {
        assert!(rig.node(node).ready, "{applied}");
    }
    rig.stage(&[]);
    rig
}

fn of_agent_1(program: &str, fault: StagedFault) -> FaultRule {
    FaultRule { host: Some("agent-1".into()), ..FaultRule::next(program, fault) }.times(1000)
}

#[test]
fn no_space_in_the_middle() {
    let rig = breaks(of_agent_1("install", StagedFault::DiskFull), "No space left on device");
    converges(&rig);
}

#[test]
fn sudo_refused_in_the_middle() {
    let rig = breaks(of_agent_1("install", StagedFault::SudoRefused), "sudo on agent-1 refuses");
    converges(&rig);
}

#[test]
fn dead_in_the_middle() {
    let rig = breaks(of_agent_1("curl", StagedFault::Dead), "agent-1");
    rig.at("agent-1", HostAction::Dead(false));
    converges(&rig);
}

/// Once is no failure: the command is done again.
#[test]
fn cut_in_the_middle() {
    let rig = Rig::new();
    let cut = |host: &str, nth| FaultRule::on(host, StagedFault::DropAfter).nth(nth);
    rig.stage(&[cut("server-1", 12), cut("agent-1", 9), cut("agent-2", 25)]);
    let ran = rig.env.run(APPLY);
    assert!(matches!(ran.code, Some(0 | 4)), "{ran}");
    rig.stage(&[]);
    converges(&rig);
}
