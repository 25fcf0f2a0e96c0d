//! `boma lock`: what it pins, where it stays, and who writes it.

use super::env::TestEnv;

/// `small.toml` without a lock, leaving open which k3s, CPI, CSI and snapshot controller.
fn open() -> TestEnv {
    let env = TestEnv::new();
    std::fs::remove_file(env.path("boma.lock")).expect("a lock");
    for line in ["version     = \"v1.35.9+k3s1\"\n", "version = \"v8.2.0\"\n"] {
        env.edit(line, "");
    }
    env
}

fn lock(env: &TestEnv) -> String {
    String::from_utf8(env.read("boma.lock")).expect("text")
}

#[test]
fn what_is_open_is_pinned_once() {
    let env = open();
    let ran = env.expect(0, &["lock", "small.toml"]);
    assert!(ran.stdout.contains("+ k3s.version"), "{ran}");
    assert!(ran.stdout.ends_with("are pinned.\n"), "{ran}");
    let text = lock(&env);
    assert!(text.contains("[specs.small]\n") && text.contains("k3s.version = \"v1.35.9+k3s1\"\n"));
    let again = env.expect(0, &["lock", "small.toml"]);
    assert!(again.stdout.starts_with("boma.lock is current for small"), "{again}");
    assert_eq!(lock(&env), text);
}

#[test]
fn a_check_says_what_is_missing_and_writes_nothing() {
    let env = open();
    let missing = env.expect(3, &["lock", "--check", "small.toml"]);
    missing.assert_one_error(&["boma.lock pins nothing for small", "run `boma lock small.toml`"]);
    assert!(missing.stdout.contains("+ csi.sidecars.csi-attacher"), "{missing}");
    assert!(!env.path("boma.lock").exists());
    env.expect(0, &["lock", "small.toml"]);
    env.expect(0, &["lock", "--check", "small.toml"]);
    env.edit("[k3s]\n", "[k3s]\nversion = \"v1.35.8+k3s1\"\n");
    let stale = env.expect(3, &["lock", "--check", "small.toml"]);
    stale.assert_one_error(&["boma.lock is stale for small"]);
    assert!(stale.stdout.contains("- k3s.version  v1.35.9+k3s1 (the spec"), "{stale}");
}

#[test]
fn pins_stay_until_an_upgrade() {
    let env = open();
    env.expect(0, &["lock", "small.toml"]);
    let old = lock(&env).replace("v1.35.9+k3s1", "v1.35.5+k3s1");
    env.write("boma.lock", &old);
    env.expect(0, &["lock", "--check", "small.toml"]);
    let plan = env.expect(0, &["plan", "--lab", "--full", "small.toml"]);
    assert!(plan.stdout.contains("v1.35.5+k3s1") && !plan.stdout.contains("v1.35.9"), "{plan}");
    let upgrade = env.expect(0, &["lock", "--upgrade", "small.toml"]);
    assert!(upgrade.stdout.contains("~ k3s.version  v1.35.5+k3s1 -> v1.35.9+k3s1"), "{upgrade}");
    assert!(!lock(&env).contains("v1.35.5"));
}

#[test]
fn specs_of_a_folder_share_the_file() {
    let env = open();
    let other = String::from_utf8(env.read("small.toml")).expect("text");
    env.write("other.toml", other.replace("name = \"small\"", "name = \"other\""));
    env.expect(0, &["lock", "small.toml"]);
    env.expect(0, &["lock", "other.toml"]);
    env.expect(0, &["lock", "--check", "small.toml"]);
    let text = lock(&env);
    assert!(text.find("[specs.other]") < text.find("[specs.small]"), "{text}");
}

#[test]
fn a_lock_that_cannot_be_used_is_one_error_with_its_line() {
    let env = TestEnv::new();
    for (text, words) in [
        ("format = 1\ncolour = 2\n", &["boma.lock:2: `colour` is nothing that boma pins"][..]),
        ("format = 2\n", &["boma.lock:1: it has format 2, and this boma reads 1", "newer one"]),
        ("format = \n", &["boma.lock:1: it is not valid TOML", "version control"]),
    ] {
        env.write("boma.lock", text);
        for command in ["validate", "plan", "lock"] {
            env.expect(3, &[command, "small.toml"]).assert_one_error(words);
        }
    }
}

#[test]
fn only_a_lock_that_lacks_something_is_a_finding() {
    let env = open();
    let says = |words: &str| {
        let ran = env.expect(0, &["validate", "small.toml"]);
        assert_eq!(ran.stdout.contains("no-lock"), words == "no-lock", "{ran}");
    };
    says("no-lock");
    env.expect(0, &["apply", "--lab", "--yes", "--target", "vsphere/folder/*", "small.toml"]);
    assert!(!env.path("boma.lock").exists(), "the lab writes no lock");
    env.expect(0, &["lock", "small.toml"]);
    says("nothing");
}
