//! Virtual hardware that waits for the guest's next shutdown.

use serde_json::Value as Json;

use super::env::TestEnv;

const APPLY: &[&str] = &["apply", "--lab", "--yes", "small.toml"];

/// A world whose machines were made with hardware 15, and a spec that schedules 19.
fn scheduled() -> TestEnv {
    let env = TestEnv::new();
    env.apply();
    env.edit("[agents]\n", "[agents]\nhardware_version = 19\nhardware_upgrade = \"scheduled\"\n");
    env
}

fn hardware(env: &TestEnv, name: &str) -> Json {
    let inventory = env.json(0, &["inventory", "--lab", "small.toml"]);
    let mut vms = inventory["vms"].as_array().expect("machines").iter();
    vms.find(|vm| vm["name"] == name).expect("a machine")["hardware_version"].clone()
}

#[test]
fn is_upgraded_when_the_guest_shuts_down() {
    let env = scheduled();
    let plan = env.expect(0, &["plan", "--lab", "small.toml"]).stdout;
    assert!(plan.contains("hardware_version_after_shutdown: 15 -> 19"), "{plan}");
    assert!(!plan.contains("power cycle"), "{plan}");
    // Nothing that runs is disturbed.
    env.expect(0, APPLY);
    env.assert_settled();
    assert_eq!(hardware(&env, "agent-1"), 15);
    assert_eq!(hardware(&env, "server-1"), 15);

    // Any clean power cycle brings it.
    env.edit("memory    = \"32GiB\"", "memory    = \"36GiB\"");
    env.expect(0, &[APPLY, &["--allow-disruption"]].concat());
    assert_eq!(hardware(&env, "agent-1"), 19);
    assert_eq!(hardware(&env, "server-1"), 15);
    env.assert_settled();
}

#[test]
fn does_not_wait_any_more_where_the_spec_says_now() {
    let env = scheduled();
    env.expect(0, APPLY);
    env.edit("\"scheduled\"", "\"now\"");
    let refused = env.expect(3, APPLY);
    assert!(refused.stdout.contains("hardware_version: 15 -> 19"), "{refused}");
    env.expect(0, &[APPLY, &["--allow-disruption"]].concat());
    assert_eq!(hardware(&env, "agent-2"), 19);
    env.assert_settled();
    // The other way round there is nothing left to schedule, and nothing to take back.
    env.edit("\"now\"", "\"scheduled\"");
    let plan = env.json(0, &["plan", "--lab", "small.toml"]);
    assert_eq!(plan["summary"]["update"], 0, "{plan:#}");
}

#[test]
fn a_new_machine_does_not_wait() {
    let env = TestEnv::new();
    env.edit("[agents]\n", "[agents]\nhardware_version = 19\nhardware_upgrade = \"scheduled\"\n");
    env.apply();
    assert_eq!(hardware(&env, "agent-1"), 19);
    env.assert_settled();
}
