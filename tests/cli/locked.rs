//! Two at a time.

use super::env::TestEnv;

const APPLY: &[&str] = &["apply", "--lab", "--yes", "small.toml"];

#[test]
fn the_second_learns_who_is_first() {
    let env = TestEnv::new();
    let served = env.serve(300);
    let mut first = env.start(APPLY);
    first.wait_for(|line| line.contains("vsphere/vm/") && line.contains("create started"));
    let owner = format!("process {} on ", first.pid());
    for command in [
        APPLY,
        &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"],
        &["state", "unlock", "--lab", "small.toml"],
    ] {
        let second = env.expect(1, command);
        second.assert_one_error(&[
            "is locked by",
            &owner,
            "apply --lab --yes small.toml",
            "user tester",
        ]);
    }
    // Looking needs no lock.
    env.expect(0, &["state", "list", "--lab", "small.toml"]);
    env.expect(0, &["plan", "--lab", "small.toml"]);
    first.finish().expect(0);
    env.assert_settled();
    served.stop();
}

#[test]
fn a_killed_owner_leaves_a_note_and_no_lock() {
    let env = TestEnv::new();
    let served = env.serve(300);
    let mut first = env.start(APPLY);
    first.wait_for(|line| line.contains("vsphere/vm/") && line.contains("create started"));
    let pid = first.pid();
    first.kill();
    let unlocked = env.expect(0, &["state", "unlock", "--lab", "small.toml"]);
    assert!(unlocked.stderr.contains(&format!("process {pid} on ")), "{unlocked}");
    let unlocked = env.expect(0, &["state", "unlock", "--lab", "small.toml"]);
    assert!(unlocked.stderr.contains("nobody held the lock"), "{unlocked}");
    env.apply();
    served.stop();
}

#[test]
fn one_lab_is_served_once() {
    let env = TestEnv::new();
    let served = env.serve(0);
    let pid = served.process.pid().to_string();
    let second = env.expect(1, &["lab", "serve", "small.toml"]);
    second.assert_one_error(&[&pid, "serves this lab already", "end that process first"]);
    env.expect(1, &["lab", "reset", "small.toml"]).assert_one_error(&["held by another process"]);
    served.stop();
    env.expect(0, &["lab", "reset", "small.toml"]);
    assert!(!env.path("state/lab/small").exists());
}
