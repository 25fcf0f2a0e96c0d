//! Hosts and their cluster outlive the process that serves them.

use serde_json::{Value as Json, json};

use super::env::TestEnv;
use super::served::Served;

const STATUS: &[&str] = &["lab", "status", "small.toml"];

#[test]
fn they_are_as_they_were_after_a_kill() {
    let env = TestEnv::new();
    let served = env.serve(0);
    env.apply();
    let before = standing(&env);
    assert_eq!(before["clusters"][0]["voters"], json!(3));
    let ready = before["clusters"][0]["nodes"].as_array().expect("nodes");
    assert_eq!(ready.iter().filter(|node| node["ready"] == json!(true)).count(), 5);

    served.process.kill();
    assert_eq!(standing(&env), before);
    let again = env.serve(0);
    assert_eq!(standing(&env), before);
    env.expect(0, &["drift", "--lab", "small.toml"]);
    env.assert_settled();
    assert_eq!(standing(&env), before);
    again.stop();
}

#[test]
fn the_way_in_is_told_and_its_key_is_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let env = TestEnv::new();
    env.apply();
    let Served { process, .. } = env.serve(0);
    let key = env.path("state/lab/small/world/ssh.key");
    let mode = key.metadata().expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let status = env.json(0, STATUS);
    let port = status["hosts"][0]["port"].as_u64().expect("a port");
    let text = env.expect(0, STATUS).stdout;
    assert!(text.contains("k3s cluster: its API answers, nodes 5, voters 3"), "{text}");
    assert!(text.contains(&format!("port {port} · boots 1")), "{text}");
    process.signal("INT");
    let told = process.finish().expect(0).stdout;
    let command = format!("ssh -i state/lab/small/world/ssh.key -p {port} ubuntu@127.0.0.1");
    assert!(told.contains(&command), "{told}");
    assert_eq!(env.json(0, STATUS)["hosts"][0]["port"], json!(null));
}

#[test]
fn a_reset_takes_them_along() {
    let env = TestEnv::new();
    env.apply();
    env.expect(0, &["lab", "reset", "small.toml"]);
    let status = env.json(0, STATUS);
    assert_eq!((&status["hosts"], &status["clusters"]), (&json!([]), &json!([])));
    env.apply();
    env.assert_settled();
}

/// Hosts and clusters without what a process counts.
fn standing(env: &TestEnv) -> Json {
    let status = env.json(0, STATUS);
    let mut hosts = status["hosts"].clone();
    for host in hosts.as_array_mut().expect("hosts") {
        for counted in ["port", "connections", "commands"] {
            host.as_object_mut().expect("a host").remove(counted);
        }
    }
    json!({ "hosts": hosts, "clusters": status["clusters"], "digest": status["digest"] })
}
