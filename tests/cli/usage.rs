//! What is typed wrong, or not there.

use super::env::{RESOURCES, TestEnv};

#[track_caller]
fn check(code: i32, arguments: &[&str], words: &[&str]) {
    let env = TestEnv::new();
    env.write("broken.toml", "name = \"small\"\nnonsense = 1\n");
    let ran = env.expect(code, arguments);
    ran.assert_one_error(words);
    assert_eq!(ran.stdout, "", "{ran}");
}

#[test]
fn what_is_no_command_or_option() {
    for arguments in [&["aply"][..], &["plan"], &["plan", "--nonsense", "small.toml"]] {
        let ran = TestEnv::new().expect(1, arguments);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("--help"), "{ran}");
        assert_eq!(ran.stdout, "", "{ran}");
    }
    let ran = TestEnv::new().expect(1, &["plan", "--lab", "--state", "x", "small.toml"]);
    assert!(ran.stderr.contains("'--lab' cannot be used with '--state"), "{ran}");
}

#[test]
fn no_spec() {
    for command in ["validate", "plan", "apply", "destroy", "drift"] {
        check(1, &[command, "none.toml"], &["none.toml", "No such file", "help: name a TOML file"]);
    }
    check(1, &["show", "none.plan"], &["none.plan", "No such file", "boma plan --out"]);
}

#[test]
fn a_spec_that_is_refused() {
    let env = TestEnv::new();
    env.write("broken.toml", "name = \"small\"\nnonsense = 1\n");
    for command in ["plan", "apply", "destroy", "drift"] {
        let ran = env.expect(3, &[command, "--lab", "broken.toml"]);
        assert_eq!(ran.stdout, "", "{ran}");
        assert!(ran.stderr.contains("nonsense") && ran.stderr.contains("broken.toml:2:1"), "{ran}");
        ran.assert_one_error(&["broken.toml is refused", "nothing was changed"]);
    }
    let validated = env.expect(3, &["validate", "broken.toml"]);
    assert!(validated.stdout.contains("nonsense"), "{validated}");
    assert!(!env.path("state").exists());
}

#[test]
fn an_address_that_nobody_has() {
    for option in ["--replace", "--target", "--exclude"] {
        for command in ["plan", "apply"] {
            let arguments = [command, "--lab", option, "vsphere/vm/none", "small.toml"];
            check(1, &arguments, &["no resource has the address vsphere/vm/none", "lists all"]);
        }
    }
}

#[test]
fn nobody_to_ask() {
    let env = TestEnv::new();
    let ran = env.expect(1, &["apply", "--lab", "small.toml"]);
    ran.assert_one_error(&["nobody can be asked", "--yes"]);
    let plan = env.expect(2, &["plan", "--lab", "--detailed-exitcode", "small.toml"]);
    let last = format!("Plan: {RESOURCES} to add, 0 to change, 0 to destroy.\n");
    assert!(plan.stdout.ends_with(&last), "{plan}");
}

#[test]
fn help_and_version_are_results() {
    for arguments in [&["--help"][..], &["plan", "--help"], &["--version"]] {
        let ran = TestEnv::new().expect(0, arguments);
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran}");
    }
    for command in
        ["validate", "plan", "apply", "destroy", "drift", "show", "state", "lab", "schema"]
    {
        let ran = TestEnv::new().expect(0, &[command, "--help"]);
        assert!(ran.stdout.contains("130  interrupted"), "{ran}");
    }
}
