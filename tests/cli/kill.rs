//! SIGKILL at any moment: the state loads, the next run finishes, nothing is doubled or lost.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::env::TestEnv;
use super::process::Ran;
use super::world::{World, planned, recorded};
use crate::seeds;

const APPLY: &[&str] = &["apply", "--lab", "--yes", "small.toml"];
const DESTROY: &[&str] = &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"];
const DELAY_MS: u64 = 20;

#[test]
fn of_apply_and_destroy() {
    seeds::each("cli::kill::of_apply_and_destroy", "BOMA_KILLS", 3, |seed| {
        let env = TestEnv::new();
        let served = env.serve(DELAY_MS);
        let fresh = World::of(&env, "small.toml");
        let applying = killed(&env, APPLY, seed, "apply");
        assert_loads(&env, &applying);
        finish_apply(&env);

        let destroying = killed(&env, DESTROY, seed, "destroy");
        assert_loads(&env, &destroying);
        if seed % 2 == 0 {
            env.expect(0, DESTROY);
        } else {
            // The other way round: what was half destroyed is built again.
            finish_apply(&env);
            env.expect(0, DESTROY);
        }
        let end = World::of(&env, "small.toml");
        // The disks of the projects are still there.
        assert_eq!(end.inventory, fresh.inventory);
        assert!(end.sessions_open <= 2, "each kill leaves at most one of {}", end.sessions_open);
        assert_eq!(recorded(&env).len(), 0);
        served.stop();
    });
}

/// Starts a command and kills it at a moment that follows from the seed.
fn killed(env: &TestEnv, command: &[&str], seed: u64, purpose: &str) -> Ran {
    let (apply, destroy) = undisturbed();
    let whole = if command == APPLY { apply } else { destroy };
    let mut running = env.start(command);
    running.leave_for(whole.mul_f64(seeds::share(seed, purpose)));
    running.kill()
}

/// How long an apply and a destroy take that nobody kills.
fn undisturbed() -> (Duration, Duration) {
    static MEASURED: OnceLock<(Duration, Duration)> = OnceLock::new();
    *MEASURED.get_or_init(|| {
        let env = TestEnv::new();
        let served = env.serve(DELAY_MS);
        let durations = [APPLY, DESTROY].map(|command| {
            let begun = Instant::now();
            env.expect(0, command);
            begun.elapsed()
        });
        served.stop();
        durations.into()
    })
}

/// The state can be read; where there is none yet, the kill came before anything was done.
#[track_caller]
fn assert_loads(env: &TestEnv, killed: &Ran) {
    if env.path("state/lab/small/state/state.json").exists() {
        env.expect(0, &["state", "list", "--lab", "small.toml"]);
    } else {
        assert!(!killed.stderr.contains("started"), "{killed}");
    }
}

#[track_caller]
fn finish_apply(env: &TestEnv) {
    env.expect(0, &[APPLY, &["--allow-disruption"]].concat());
    env.assert_settled();
    World::of(env, "small.toml").assert_nothing_twice();
    assert_eq!(recorded(env), planned(env));
}

/// Intent and mark come before the clone, and its task's id as soon as there is one.
#[test]
fn of_an_apply_whose_clone_is_under_way() {
    let env = TestEnv::new();
    let served = env.serve(600_000);
    let mut running = env.start(&[APPLY, &["--target", "vsphere/vm/agent-1"]].concat());
    // Said of a task that runs, whose id is written down by then.
    running.wait_for(|line| line.starts_with("vsphere/vm/agent-1: clone"));
    running.kill();
    let journal = String::from_utf8(env.read("state/lab/small/state/journal")).expect("text");
    let of_it: Vec<&str> =
        journal.lines().filter(|line| line.contains("vsphere/vm/agent-1")).collect();
    let first = |part: &str| of_it.iter().position(|line| line.contains(part));
    assert!(first("\"intent\"").is_some_and(|at| at == 0), "{journal}");
    assert!(first("\"task\"") > first("\"busy\""), "{journal}");
    assert_eq!(of_it.len(), 3, "{journal}");
    served.stop();
}

/// The lab itself dies in the middle of an apply, as a vCenter that loses power.
#[test]
fn of_the_lab() {
    let env = TestEnv::new();
    let served = env.serve(300);
    let mut applying = env.start(APPLY);
    applying.wait_for(|line| line.contains("vsphere/vm/") && line.contains("create started"));
    served.process.kill();
    let ended = applying.finish().expect(4);
    assert!(ended.stderr.lines().last().is_some_and(|line| line.contains("failed")), "{ended}");
    assert!(!ended.stderr.contains("panicked"), "{ended}");
    env.expect(0, &["state", "list", "--lab", "small.toml"]);

    let served = env.serve(0);
    finish_apply(&env);
    served.stop();
}
