//! `boma import`: what stands is recorded, and nothing is changed.

use serde_json::{Value as Json, json};

use super::env::{RESOURCES, TestEnv};
use super::process::Ran;

const AGENT: &str = "vsphere/vm/agent-1";

/// A world that an apply made, some of which the state forgot.
fn forgotten(addresses: &[&str]) -> TestEnv {
    let env = TestEnv::new();
    env.apply();
    for address in addresses {
        env.expect(0, &["state", "rm", "--lab", "small.toml", address]);
    }
    env
}

#[track_caller]
fn import(env: &TestEnv, code: i32, address: &str, id: &str) -> Ran {
    env.expect(code, &["import", "--lab", "small.toml", address, id])
}

fn id(env: &TestEnv, address: &str) -> String {
    let shown = env.json(0, &["state", "show", "--lab", "small.toml", address]);
    shown["id"].as_str().expect("an id").to_owned()
}

fn machine(env: &TestEnv, name: &str) -> Json {
    let inventory = env.json(0, &["inventory", "--lab", "small.toml"]);
    let mut vms = inventory["vms"].as_array().expect("machines").iter();
    vms.find(|vm| vm["name"] == name).expect("a machine").clone()
}

fn world(env: &TestEnv) -> Json {
    env.json(0, &["lab", "status", "small.toml"])["digest"].clone()
}

#[test]
fn every_kind_is_recorded_by_its_id_or_place() {
    let all = [
        "vsphere/role/CNS-VM",
        "vsphere/folder/cht",
        AGENT,
        "vsphere/permission/vm/agent-1",
        "vsphere/permission/root",
        "vsphere/rule/servers",
    ];
    let env = TestEnv::new();
    env.apply();
    let before = world(&env);
    for address in all {
        let id = id(&env, address);
        for named in [id.as_str(), "-"] {
            env.expect(0, &["state", "rm", "--lab", "small.toml", address]);
            let said = import(&env, 0, address, named);
            assert!(said.stdout.contains(&id), "{said}");
            assert!(said.stdout.ends_with("Imported: it is as the spec wants it.\n"), "{said}");
        }
    }
    assert_eq!(world(&env), before);
    env.assert_settled();
}

#[test]
fn a_machine_is_found_by_its_path_in_any_spelling_of_its_uuid() {
    let env = forgotten(&[AGENT]);
    let vm = machine(&env, "agent-1");
    let path = vm["path"].as_str().expect("a path");
    import(&env, 0, AGENT, path);
    env.expect(0, &["state", "rm", "--lab", "small.toml", AGENT]);
    let uuid = vm["instance_uuid"].as_str().expect("a UUID").to_uppercase();
    import(&env, 0, AGENT, &uuid);
    assert_eq!(id(&env, AGENT), vm["instance_uuid"]);
    env.assert_settled();
}

#[test]
fn what_differs_is_left_to_the_next_plan() {
    let env = forgotten(&[AGENT]);
    let before = world(&env);
    env.edit("cpus      = 8", "cpus      = 6");
    let imported = env.json(0, &["import", "--lab", "small.toml", AGENT, "-"]);
    assert_eq!(imported["address"], AGENT);
    let attributes = imported["attributes"].as_array().expect("attributes");
    assert_eq!(attributes.len(), 1);
    let shown = ["path", "before", "after", "impact"].map(|key| &attributes[0][key]);
    assert_eq!(shown, [&json!("cpus"), &json!(8), &json!(6), &json!("power-cycle")]);
    assert_eq!(world(&env), before);

    // Its node goes with it: somebody has to move the pods away.
    let scope = ["--target", AGENT, "--target", "k3s/agent/agent-1"];
    let plan = env.json(0, &[&["plan", "--lab", "small.toml"], &scope[..]].concat());
    assert_eq!(plan["changes"][0]["action"], "update");
    assert_eq!(plan["changes"][0]["attributes"][0]["path"], "cpus");
    assert_eq!(plan["changes"][0]["attributes"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let env = forgotten(&[AGENT]);
    let vm = machine(&env, "agent-1");
    let bios = vm["bios_uuid"].as_str().expect("a UUID");
    let other = id(&env, "vsphere/vm/agent-2");
    let refused = |address: &str, id: &str, words: &[&str]| {
        import(&env, 3, address, id).assert_one_error(words);
    };
    refused(AGENT, bios, &["is the BIOS UUID", "instance UUID"]);
    refused(AGENT, &other, &["vsphere/vm/agent-2 already", "state mv"]);
    refused(AGENT, "/DC1/vm/cht/nobody", &["there is no vsphere/vm"]);
    refused(AGENT, "agent-1", &["names no vsphere/vm", "instance UUID", "inventory path"]);
    refused("vsphere/vm/agent-2", "-", &["recorded already", "state rm"]);
    refused("vsphere/vm/agent-9", "-", &["the spec has no resource"]);
    import(&env, 1, AGENT, "/DC1/vm/ubuntu-22.04").assert_one_error(&["a template stands there"]);
    let listed = env.expect(0, &["state", "list", "--lab", "small.toml"]).stdout;
    assert!(!listed.lines().any(|line| line == AGENT), "{listed}");
}

#[test]
fn a_lost_state_is_not_begun_anew_by_an_import() {
    let env = TestEnv::new();
    env.apply();
    std::fs::remove_dir_all(env.path("state/lab/small/state")).expect("removed");
    import(&env, 3, "vsphere/role/CNS-VM", "-")
        .assert_one_error(&["bear boma's marks", "boma apply"]);
    let plan = env.json(0, &["plan", "--lab", "small.toml"]);
    assert_eq!(plan["summary"]["adopt"], RESOURCES);
}

#[test]
fn a_permission_waits_for_its_machine() {
    let env = TestEnv::new();
    env.apply();
    let permission = "vsphere/permission/vm/agent-1";
    let id = id(&env, permission);
    env.expect(0, &["state", "rm", "--lab", "small.toml", permission]);
    env.edit("count     = 2\nname      = \"agent-{}\"", "count     = 2\nname      = \"worker-{}\"");
    import(&env, 3, "vsphere/permission/vm/worker-1", &id)
        .assert_one_error(&["what vsphere/permission/vm/worker-1 lives in is not there"]);
}
