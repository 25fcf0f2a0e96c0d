//! Ctrl-C: once finishes what is under way, twice stops at once. Either way the next apply goes on.

use super::env::{RESOURCES, TestEnv};
use super::process::Running;
use super::world::{World, planned, recorded};

const APPLY: &[&str] = &["apply", "--lab", "--yes", "small.toml"];

fn applying(env: &TestEnv) -> Running {
    let mut running = env.start(APPLY);
    running.wait_for(|line| line.contains("vsphere/vm/") && line.contains("create started"));
    running
}

#[track_caller]
fn finish(env: &TestEnv) {
    env.apply();
    env.assert_settled();
    assert_eq!(recorded(env), planned(env));
    World::of(env, "small.toml").assert_nothing_twice();
}

#[test]
fn once() {
    for signal in ["INT", "TERM"] {
        let env = TestEnv::new();
        let served = env.serve(200);
        let running = applying(&env);
        running.signal(signal);
        let ended = running.finish().expect(130);
        assert!(ended.stderr.contains("stopping: what is under way is finished"), "{ended}");

        // Whatever was begun is done and recorded, and in the state rather than its journal.
        let started = ended.stderr.lines().filter(|line| line.ends_with("create started")).count();
        let done = ended.stderr.lines().filter(|line| line.contains("create done")).count();
        assert_eq!((started, started < RESOURCES), (done, true), "{ended}");
        assert_eq!(recorded(&env).len(), done);
        let journal = env.read("state/lab/small/state/journal");
        assert!(journal.len() < 120, "it is not folded: {}", journal.len());
        assert_eq!(World::of(&env, "small.toml").sessions_open, 0);
        finish(&env);
        served.stop();
    }
}

#[test]
fn twice() {
    let env = TestEnv::new();
    // Far longer than the test may take: only stopping at once ends it.
    let served = env.serve(600_000);
    let mut running = applying(&env);
    running.signal("INT");
    running.wait_for(|line| line.starts_with("stopping: "));
    running.signal("INT");
    let ended = running.finish().expect(130);
    assert!(ended.stderr.contains("stopping at once"), "{ended}");
    env.expect(0, &["state", "list", "--lab", "small.toml"]);
    served.stop();
}

#[test]
fn twice_and_the_next_apply_finishes() {
    let env = TestEnv::new();
    let served = env.serve(400);
    let mut running = applying(&env);
    running.signal("INT");
    running.wait_for(|line| line.starts_with("stopping: "));
    running.signal("INT");
    running.finish().expect(130);
    finish(&env);
    served.stop();
}
