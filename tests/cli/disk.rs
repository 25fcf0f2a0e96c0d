//! A disk that is full: one error, and nothing lost.
//!
//! A limit on the size of files stands for the disk; the lab runs elsewhere and is not limited.

use super::env::{RESOURCES, TestEnv};
use super::process::Ran;

/// Runs the program with so many blocks of 512 bytes for each file it writes.
fn limited(env: &TestEnv, blocks: u32, arguments: &str) -> Ran {
    env.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec $BOMA {arguments}"))
}

#[test]
fn state_cannot_be_begun() {
    let env = TestEnv::new();
    let served = env.serve(0);
    let ran = limited(&env, 0, "apply --lab --yes small.toml").expect(1);
    ran.assert_one_error(&["state/lab/small/state", "nothing recorded is lost"]);
    env.apply();
    env.assert_settled();
    served.stop();
}

#[test]
fn state_cannot_grow() {
    for blocks in [2, 8, 14] {
        let env = TestEnv::new();
        let served = env.serve(0);
        let ran = limited(&env, blocks, "apply --lab --yes small.toml").expect(4);
        ran.assert_one_error(&["the state cannot be written", "apply again"]);
        env.expect(0, &["state", "list", "--lab", "small.toml"]);
        env.apply();
        env.assert_settled();
        let list = env.json(0, &["state", "list", "--lab", "small.toml"]);
        assert_eq!(list["resources"].as_array().map(Vec::len), Some(RESOURCES));
        served.stop();
    }
}

#[test]
fn a_plan_is_saved_whole_or_not_at_all() {
    let env = TestEnv::new();
    env.expect(0, &["plan", "--offline", "--out", "old.plan", "small.toml"]);
    let old = env.read("old.plan");
    let ran = limited(&env, 1, "plan --offline --full --out old.plan small.toml").expect(1);
    ran.assert_one_error(&["old.plan", "help: "]);
    assert_eq!(env.read("old.plan"), old);
    let names: Vec<_> = std::fs::read_dir(env.path(""))
        .expect("a folder")
        .map(|entry| entry.expect("one").file_name())
        .collect();
    // The spec, its lock, the plan and the home folder.
    assert_eq!(names.len(), 4, "something is left behind: {names:?}");
}

#[test]
fn the_result_cannot_be_written() {
    let env = TestEnv::new();
    let ran = env.shell("exec $BOMA plan --offline small.toml > /dev/full").expect(1);
    ran.assert_one_error(&["standard output", "No space left"]);
}

/// The log is a help, not the work.
#[test]
fn the_log_cannot_be_written() {
    let env = TestEnv::new();
    let ran = env.expect(0, &["apply", "--lab", "--yes", "--log-file", "/dev/full", "small.toml"]);
    let complaints = ran.stderr.lines().filter(|line| line.contains("No space left"));
    assert_eq!(complaints.count(), 1, "{ran}");
    env.assert_settled();
    let ran = env.expect(1, &["plan", "--lab", "--log-file", "none/boma.log", "small.toml"]);
    ran.assert_one_error(&["none/boma.log", "name another file"]);
}
