//! What speaks to nobody: `validate`, `plan --offline`, `show`; and `--lab`, which asks for no
//! secret. A spec from anywhere can be looked at without running anything in it.

use super::env::TestEnv;

/// A spec whose every secret leaves a trace when it is asked for, and whose vCenter is nowhere.
fn tempting() -> TestEnv {
    let env = TestEnv::new();
    for variable in
        ["VCENTER_USERNAME", "VCENTER_PASSWORD", "STORAGE_PASSWORD", "K3S_TOKEN", "S3_SECRET_KEY"]
    {
        let command = "{ command = [\"sh\", \"-c\", \"touch proof; echo secret\"] }";
        env.edit(&format!("{{ env = \"{variable}\" }}"), command);
    }
    env.edit("vcenter.example.org", "127.0.0.9");
    env
}

#[test]
fn the_same_spec_gives_the_same_bytes() {
    let env = tempting();
    for format in ["text", "json"] {
        let plan =
            || env.expect(0, &["plan", "--offline", "--full", "--format", format, "small.toml"]);
        let (first, second) = (plan(), plan());
        assert_eq!(first.stdout, second.stdout);
        assert_eq!((first.stderr, second.stderr), (String::new(), String::new()));
    }
}

#[test]
fn no_secret_is_asked_for() {
    let env = tempting();
    env.expect(0, &["validate", "small.toml"]);
    env.expect(0, &["plan", "--offline", "--out", "saved.plan", "small.toml"]);
    env.expect(0, &["show", "saved.plan"]);
    env.expect(0, &["plan", "--lab", "small.toml"]);
    env.expect(0, &["apply", "--lab", "--yes", "small.toml"]);
    env.expect(0, &["drift", "--lab", "small.toml"]);
    env.expect(0, &["plan", "--lab", "--offline", "small.toml"]);
    env.expect(0, &["lab", "drift", "small.toml"]);
    env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"]);
    assert!(!env.path("proof").exists());
    assert!(!env.path("state/small").exists(), "nothing of the lab is real");
    // Held against a run that does ask.
    env.expect(1, &["plan", "small.toml"]);
    assert!(env.path("proof").exists());
}

#[test]
fn prior_stands_for_live() {
    let env = TestEnv::new();
    env.apply();
    env.expect(0, &["lab", "drift", "small.toml", "--count", "5"]);
    let plan = env.expect(0, &["plan", "--lab", "--offline", "--detailed-exitcode", "small.toml"]);
    assert!(plan.stdout.ends_with("No changes.\n") && plan.stdout.contains("offline"), "{plan}");
}

/// As every path in a spec, wherever the command is run.
#[test]
fn a_folder_of_releases_is_found_from_the_spec() {
    let env = TestEnv::new();
    env.edit("[k3s]", "[k3s]\ndirectory = \"releases\"");
    std::fs::create_dir(env.path("specs")).unwrap();
    env.write("specs/small.toml", env.read("small.toml"));
    let plan =
        env.expect(0, &["plan", "--offline", "--state", "none", "--full", "specs/small.toml"]);
    assert!(plan.stdout.contains("specs/releases"), "{plan}");
}
