//! State files that are newer, damaged or cut short.

use super::env::TestEnv;

const STATE: &str = "state/lab/small/state/state.json";
const JOURNAL: &str = "state/lab/small/state/journal";

const ALL: &[&[&str]] = &[
    &["plan", "--lab", "small.toml"],
    &["apply", "--lab", "--yes", "small.toml"],
    &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"],
    &["drift", "--lab", "small.toml"],
    &["state", "list", "--lab", "small.toml"],
    &["state", "rm", "--lab", "small.toml", "vsphere/role/CNS-VM"],
];

/// Every command refuses, says these words, and leaves the files as they are.
#[track_caller]
fn check(env: &TestEnv, words: &[&str]) {
    let files = |env: &TestEnv| (env.read(STATE), env.read(JOURNAL));
    let before = files(env);
    for command in ALL {
        env.expect(1, command).assert_one_error(words);
        assert!(files(env) == before, "{command:?} changed a file");
    }
}

/// A state with a journal that has something in it: what a kill leaves.
fn interrupted() -> TestEnv {
    let env = TestEnv::new();
    let served = env.serve(200);
    let mut applying = env.start(&["apply", "--lab", "--yes", "small.toml"]);
    applying.wait_for(|line| line.contains("vsphere/vm/") && line.contains("create started"));
    applying.wait_for(|line| line.contains("create done"));
    applying.kill();
    served.stop();
    env
}

#[test]
fn of_a_newer_format() {
    let env = TestEnv::new();
    env.apply();
    let text = String::from_utf8(env.read(STATE)).expect("text");
    assert!(text.contains("\"format\":1,"), "{text}");
    env.write(STATE, text.replace("\"format\":1,", "\"format\":99,"));
    check(&env, &["newer boma", "format 99", "use that version"]);
    env.write(STATE, text);
    env.assert_settled();
}

#[test]
fn damaged_state() {
    let env = TestEnv::new();
    env.apply();
    let state = env.read(STATE);
    env.write(STATE, &state[..state.len() / 2]);
    check(&env, &[STATE, "restore"]);
    env.write(STATE, state);
    env.assert_settled();
}

#[test]
fn journal_cut_short() {
    let env = interrupted();
    let journal = env.read(JOURNAL);
    assert!(journal.len() > 200, "{}", journal.len());
    env.write(JOURNAL, &journal[..journal.len() - 3]);
    env.expect(0, &["state", "list", "--lab", "small.toml"]);
    env.apply();
    env.assert_settled();
}

#[test]
fn damaged_journal() {
    let env = interrupted();
    let whole = env.read(JOURNAL);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0x20;
    env.write(JOURNAL, &damaged);
    check(&env, &[JOURNAL, "restore"]);
    env.write(JOURNAL, &whole);
    env.apply();
    env.assert_settled();
}

#[test]
fn journal_without_its_state() {
    let env = interrupted();
    let state = env.read(STATE);
    std::fs::remove_file(env.path(STATE)).expect("removed");
    for command in ALL {
        env.expect(1, command).assert_one_error(&["missing", "restore"]);
    }
    env.write(STATE, state);
    env.apply();
    env.assert_settled();
}
