//! The state commands, and a state that is lost.

use super::env::{RESOURCES, TestEnv};
use super::world::{World, planned, recorded};

const ROLE: &str = "vsphere/role/CNS-VM";

#[track_caller]
fn summary(env: &TestEnv, action: &str) -> u64 {
    let plan = env.json(0, &["plan", "--lab", "small.toml"]);
    plan["summary"][action].as_u64().expect("a number")
}

#[test]
fn list_and_show() {
    let env = TestEnv::new();
    env.apply();
    assert_eq!(recorded(&env), planned(&env));
    let shown = env.expect(0, &["state", "show", "--lab", "small.toml", "vsphere/vm/agent-1"]);
    assert!(shown.stdout.starts_with("vsphere/vm/agent-1\n  kind: vsphere/vm\n"), "{shown}");
    assert!(shown.stdout.contains("  cpus: 8\n"), "{shown}");
    let unknown = env.expect(1, &["state", "show", "--lab", "small.toml", "vsphere/vm/agent-9"]);
    unknown.assert_one_error(&["no vsphere/vm/agent-9", "boma state list"]);
}

#[test]
fn without_any() {
    let env = TestEnv::new();
    for command in [&["list"][..], &["show"], &["rm"]] {
        let address: &[&str] = if command == ["list"] { &[] } else { &[ROLE] };
        let arguments = [&["state"], command, &["--lab", "small.toml"], address].concat();
        env.expect(1, &arguments).assert_one_error(&["there is no state", "apply the spec first"]);
    }
    assert!(!env.path("state").exists());
}

/// What is forgotten still stands, and its mark says whose it is.
#[test]
fn rm_forgets_and_the_next_apply_adopts() {
    let env = TestEnv::new();
    env.apply();
    let world = World::of(&env, "small.toml").digest;
    for address in ["vsphere/vm/agent-1", "vsphere/vm/server-2"] {
        env.expect(0, &["state", "rm", "--lab", "small.toml", address]);
        assert!(!recorded(&env).contains(address));
    }
    assert_eq!(World::of(&env, "small.toml").digest, world);
    assert_eq!(summary(&env, "adopt"), 2);
    env.apply();
    assert_eq!(World::of(&env, "small.toml").digest, world);
    env.assert_settled();
    let again = env.expect(1, &["state", "rm", "--lab", "small.toml", "vsphere/vm/none"]);
    again.assert_one_error(&["no vsphere/vm/none"]);
}

/// A folder bears no mark: that it is boma's has to be said.
#[test]
fn what_bears_no_mark_is_adopted_on_request() {
    let env = TestEnv::new();
    env.apply();
    env.expect(0, &["state", "rm", "--lab", "small.toml", "vsphere/folder/cht"]);
    let refused = env.expect(3, &["plan", "--lab", "small.toml"]);
    assert!(refused.stdout.contains("adopt = [\"vsphere/folder/cht\"]"), "{refused}");
    env.edit("name = \"small\"", "name = \"small\"\nadopt = [\"vsphere/folder/cht\"]");
    assert_eq!(summary(&env, "adopt"), 1);
    env.apply();
    env.assert_settled();
}

/// Every command that help texts name is there.
#[test]
fn a_way_out_can_be_gone() {
    let env = TestEnv::new();
    env.apply();
    env.expect(0, &["state", "rm", "--lab", "small.toml", "vsphere/folder/cht"]);
    let plan = env.expect(3, &["plan", "--lab", "--full", "small.toml"]).stdout;
    let commands = plan.split("`boma ").skip(1).filter_map(|rest| rest.split([' ', '`']).next());
    for command in commands {
        env.expect(0, &[command, "--help"]);
    }
}

#[test]
fn mv_gives_another_address() {
    let env = TestEnv::new();
    env.apply();
    let mv =
        |from: &'static str, to: &'static str| ["state", "mv", "--lab", "small.toml", from, to];
    env.expect(0, &mv(ROLE, "vsphere/role/Other"));
    assert!(recorded(&env).contains("vsphere/role/Other") && !recorded(&env).contains(ROLE));
    env.expect(1, &mv(ROLE, "vsphere/role/Third")).assert_one_error(&["no vsphere/role/CNS-VM"]);
    env.expect(1, &mv("vsphere/role/Other", "vsphere/vm/x"))
        .assert_one_error(&["no address of a vsphere/role"]);
    env.expect(1, &mv("vsphere/role/Other", "vsphere/role/CNS-DATASTORE"))
        .assert_one_error(&["recorded already"]);
    env.expect(0, &mv("vsphere/role/Other", ROLE));
    env.assert_settled();
}

#[test]
fn a_lost_state_is_adopted_from_the_marks() {
    let env = TestEnv::new();
    env.apply();
    let world = World::of(&env, "small.toml").digest;
    std::fs::remove_dir_all(env.path("state/lab/small/state")).expect("removed");
    assert_eq!((summary(&env, "adopt"), summary(&env, "create")), (RESOURCES as u64, 0));
    env.apply();
    env.assert_settled();
    assert_eq!(World::of(&env, "small.toml").digest, world);
    assert_eq!(recorded(&env), planned(&env));
}
