//! What belongs to other people is not touched, whatever boma does.

use std::collections::BTreeSet;

use super::env::TestEnv;
use super::world::World;

const APPLY: &[&str] = &["apply", "--lab", "--yes", "--allow-disruption", "small.toml"];

/// What stood before boma came still stands.
#[track_caller]
fn check(env: &TestEnv, foreign: &BTreeSet<String>) {
    let now: BTreeSet<String> = World::of(env, "small.toml").inventory.into_iter().collect();
    let gone: Vec<&String> = foreign.difference(&now).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn objects_stay() {
    let env = TestEnv::new();
    let fresh = World::of(&env, "small.toml");
    let foreign: BTreeSet<String> = fresh.inventory.iter().cloned().collect();
    assert!(foreign.iter().any(|line| line.contains("/DC1/vm/Other Team/")), "{foreign:#?}");

    env.expect(0, APPLY);
    check(&env, &foreign);
    for seed in ["1", "2", "3"] {
        env.expect(0, &["lab", "drift", "small.toml", "--seed", seed, "--count", "2"]);
        env.expect(0, APPLY);
        check(&env, &foreign);
    }
    env.edit("cpus       = 4", "cpus       = 6");
    env.expect(0, &[APPLY, &["--replace", "vsphere/vm/agent-1"]].concat());
    check(&env, &foreign);
    std::fs::remove_dir_all(env.path("state/lab/small/state")).expect("removed");
    env.expect(0, APPLY);
    env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"]);
    // The disks of the projects are still there, and nothing else is.
    let after = World::of(&env, "small.toml");
    assert_eq!((after.inventory, after.sessions_open), (fresh.inventory, fresh.sessions_open));
}
