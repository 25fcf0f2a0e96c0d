//! Parts of a plan: targets, excludes, replacements, and what leaves the spec.

use super::env::{RESOURCES, TestEnv};
use super::world::{World, recorded};

fn addresses(env: &TestEnv, scope: &[&str]) -> Vec<String> {
    let plan = env.json(0, &[&["plan", "--lab", "small.toml"], scope].concat());
    let changes = plan["changes"].as_array().expect("changes").iter();
    changes.map(|change| change["address"].as_str().expect("an address").to_owned()).collect()
}

#[test]
fn a_target_brings_what_it_needs() {
    let env = TestEnv::new();
    let planned = addresses(&env, &["--target", "vsphere/permission/vm/agent-1"]);
    let wanted = [
        "vsphere/folder/cht",
        "vsphere/permission/vm/agent-1",
        "vsphere/role/CNS-VM",
        "vsphere/vm/agent-1",
    ];
    assert_eq!(planned, wanted);
    env.expect(
        0,
        &["apply", "--lab", "--yes", "--target", "vsphere/permission/vm/agent-1", "small.toml"],
    );
    assert_eq!(recorded(&env).into_iter().collect::<Vec<_>>(), wanted);
    env.apply();
    env.assert_settled();
}

#[test]
fn an_exclude_takes_what_needs_it() {
    let env = TestEnv::new();
    let planned = addresses(&env, &["--exclude", "vsphere/vm/agent-1"]);
    assert_eq!(planned.len(), RESOURCES - 5);
    assert!(!planned.iter().any(|address| address.ends_with("/agent-1")), "{planned:?}");
}

#[test]
fn a_role_is_replaced_with_what_holds_it() {
    let env = TestEnv::new();
    env.apply();
    let replace = ["--replace", "vsphere/role/CNS-DATASTORE"];
    let planned = addresses(&env, &replace);
    assert_eq!(
        planned,
        ["vsphere/permission/datastore/vsanDatastore", "vsphere/role/CNS-DATASTORE"]
    );
    env.expect(0, &[&["apply", "--lab", "--yes", "small.toml"], &replace[..]].concat());
    env.assert_settled();
    World::of(&env, "small.toml").assert_nothing_twice();
}

#[test]
fn a_replaced_vm_is_a_disruption() {
    let env = TestEnv::new();
    env.apply();
    let apply = ["apply", "--lab", "--yes", "--replace", "vsphere/vm/agent-2", "small.toml"];
    let before = World::of(&env, "small.toml");
    env.expect(3, &apply).assert_one_error(&["agent-2", "--allow-disruption"]);
    assert_eq!(World::of(&env, "small.toml"), before);
    env.expect(0, &[&apply[..], &["--allow-disruption"]].concat());
    env.assert_settled();
    World::of(&env, "small.toml").assert_nothing_twice();
}

/// Its path is known only once it has moved.
#[test]
fn a_vm_moves_and_gets_its_permission() {
    let env = TestEnv::new();
    env.expect(
        0,
        // Without permissions no cloud provider finds a machine: the cluster stays out, too.
        &[
            "apply",
            "--lab",
            "--yes",
            "--exclude",
            "vsphere/permission/vm/**",
            "--exclude",
            "cluster/**",
            "small.toml",
        ],
    );
    env.edit("folder   = \"cht\"", "folder   = \"elsewhere\"");
    env.apply();
    env.assert_settled();
    let world = World::of(&env, "small.toml").inventory;
    assert!(
        world
            .iter()
            .any(|line| line.starts_with("Permission")
                && line.contains("/DC1/vm/elsewhere/agent-1 "))
    );
}

/// What lives in a VM goes with it, so it is planned and recorded too.
#[test]
fn a_destroyed_vm_takes_what_lives_in_it() {
    let env = TestEnv::new();
    env.apply();
    let scope = ["--target", "vsphere/vm/agent-1"];
    assert_eq!(
        addresses(&env, &[&["--destroy"], &scope[..]].concat()),
        [
            "vsphere/permission/vm/agent-1",
            "vsphere/vm/agent-1",
            "host/firewall/agent-1",
            "k3s/agent/agent-1",
            "cluster/node/agent-1"
        ]
    );
    env.expect(
        0,
        &[&["destroy", "--lab", "--keep-disks", "--yes", "small.toml"], &scope[..]].concat(),
    );
    assert_eq!(recorded(&env).len(), RESOURCES - 5);
    env.expect(0, &["drift", "--lab", "small.toml"]);
}

#[test]
fn an_agent_that_leaves_the_spec_is_deleted() {
    let env = TestEnv::new();
    env.apply();
    env.edit("count     = 2\nname      = \"agent-{}\"", "count     = 1\nname      = \"agent-{}\"");
    env.edit("10.20.0.21-22", "10.20.0.21");
    let deleted = [
        "vsphere/permission/vm/agent-2",
        "vsphere/vm/agent-2",
        "host/firewall/agent-2",
        "k3s/agent/agent-2",
        "cluster/node/agent-2",
    ];
    // The others no longer let it in.
    let others = ["agent-1", "server-1", "server-2", "server-3"];
    let others = others.map(|machine| format!("host/firewall/{machine}"));
    let mut planned = addresses(&env, &[]);
    planned.retain(|address| !others.contains(address));
    assert_eq!(planned, deleted);
    let plan = env.json(0, &["plan", "--lab", "small.toml"]);
    assert_eq!(plan["summary"]["delete"], 5);
    let apply = ["apply", "--lab", "--yes", "small.toml"];
    env.expect(3, &apply).assert_one_error(&["agent-2", "--allow-disruption"]);
    env.expect(0, &[&apply[..], &["--allow-disruption"]].concat());
    env.assert_settled();
    assert!(!World::of(&env, "small.toml").inventory.iter().any(|line| line.contains("agent-2")));
}

/// Neither before its machines stand, nor where they stand alone.
#[test]
fn nothing_is_given_up_where_no_cluster_stands() {
    let env = TestEnv::new();
    let abandon = ["destroy", "--lab", "--yes", "--abandon-data", "county-01", "small.toml"];
    for _ in 0..2 {
        let refused = env.expect(3, &abandon);
        refused.assert_one_error(&["nothing stands of the project county-01"]);
        env.expect(0, &["plan", "--lab", "--destroy", "small.toml"]);
        env.expect(0, &["apply", "--lab", "--yes", "--target", "vsphere/**", "small.toml"]);
    }
    // Whoever cannot be asked may have a cluster.
    let served = env.serve(0);
    let dead = ["--fault", "dead", "--host", "server-1", "--times", "99"];
    env.expect(0, &[&["lab", "fault", "small.toml"], &dead[..]].concat());
    let unread = env.expect(1, &abandon).stderr;
    let words = ["what stands of the project county-01 could not be read", "server-1"];
    assert!(words.iter().all(|word| unread.contains(word)), "{unread}");
    served.stop();
}
