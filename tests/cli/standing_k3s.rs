//! A k3s that people installed after the guide is taken over as it stands.

use boma::lab::{ClusterStatus, Lab, Opened, ServeOptions, Setup};
use serde_json::Value as Json;

use super::env::{SMALL, TestEnv};

const SPEC: &str = "fleet.toml";
const APPLY: &[&str] = &["apply", "--lab", "--yes", SPEC];

#[test]
fn arguments_move_to_config_yaml_without_a_restart() {
    let env = fleet(&[("[k3s]\n", "[k3s]\nruntime = \"docker\"\n"), DOCKER]);
    let before = cluster(&env);
    assert_eq!(before.nodes.len(), 5);
    assert!(before.restarts.is_empty());

    let plan = env.json(0, &["plan", "--lab", SPEC]);
    for node in NODES {
        let change = change(&plan, node);
        assert_eq!(change["action"], "adopt", "{node}");
        let attributes = change["attributes"].as_array().expect("attributes");
        let paths: Vec<&str> = attributes.iter().filter_map(|one| one["path"].as_str()).collect();
        assert_eq!(paths, ["arguments"], "{node}");
    }

    env.expect(0, APPLY);
    assert_settled(&env);
    // Nothing restarts and no pod leaves; the cloud provider's and the driver's come.
    let after = cluster(&env);
    assert!(after.restarts.is_empty());
    for (before, after) in before.nodes.iter().zip(&after.nodes) {
        assert!(after.pods >= before.pods, "{}", after.name);
    }

    // What a later change restarts comes up with the arguments that it had.
    edit(
        &env,
        "runtime = \"docker\"\n",
        "runtime = \"docker\"\nkubelet_args = [\"max-pods=150\"]\n",
    );
    let refused = env.expect(3, APPLY);
    assert!(refused.stderr.contains("--allow-disruption"), "{refused}");
    env.expect(0, &["apply", "--lab", "--yes", "--allow-disruption", SPEC]);
    assert_settled(&env);
    let after = cluster(&env);
    assert_eq!(after.restarts.len(), 5);
    assert!(after.together_down.is_empty());
    assert!(after.nodes.iter().all(|node| node.ready && !node.cordoned));
}

/// A server that was installed without `cluster-init`: there is no etcd to save or to vote in.
#[test]
fn a_server_with_sqlite_is_taken_over_and_changed() {
    let one = [("count      = 3", "count      = 1"), ("10.20.0.11-13", "10.20.0.11")];
    let env = fleet(&one);
    let adopted = env.expect(0, APPLY);
    assert!(adopted.stdout.contains("the cluster's data on server-1 is not in etcd"), "{adopted}");
    assert_settled(&env);
    edit(&env, "[k3s]\n", "[k3s]\nkubelet_args = [\"max-pods=150\"]\n");
    env.expect(0, &["apply", "--lab", "--yes", "--allow-disruption", SPEC]);
    assert_settled(&env);
    let after = cluster(&env);
    assert!(after.nodes.iter().all(|node| node.ready && !node.cordoned && node.member.is_empty()));
    assert_eq!(after.restarts.len(), 3);
    assert!(!after.history.iter().any(|line| line.contains("SnapshotSaved")), "{after:#?}");
}

#[test]
fn wrong_provider_ids_are_set_right_one_node_per_apply() {
    let instance = ("[k3s]\n", "[k3s]\nprovider_id = \"instance-uuid\"\n");
    let env = fleet(&[instance, ("[projects]\n", PROVIDER_ID_WAIVED)]);
    // No cloud provider of 1.35 is let in before: it would find no machine.
    let ran = env.expect(3, APPLY);
    assert!(ran.stdout.contains("cpi-provider-id"), "{ran}");
    env.expect(0, &machines(APPLY));
    let wrong = cluster(&env).nodes;

    // Adopted as they are; the right id alone makes none of them anew.
    edit(&env, instance.1, instance.0);
    let plan = env.json(0, &machines(&["plan", "--lab", SPEC]));
    assert_eq!(plan["changes"], serde_json::json!([]), "{plan:#}");
    let one = ["apply", "--lab", "--yes", "--allow-disruption", "--replace", "k3s/agent/agent-1"];
    let one = machines(&[&one[..], &[SPEC]].concat());

    // No node restarts, and none is made anew while the cloud provider deletes nodes.
    assert_refused(&env, &one);
    edit(&env, "[k3s]\n", "[k3s]\nkubelet_args = [\"max-pods=150\"]\n");
    let restart = machines(&["apply", "--lab", "--yes", "--allow-disruption", SPEC]);
    assert_refused(&env, &restart);
    edit(&env, "kubelet_args = [\"max-pods=150\"]\n", "");
    edit(&env, "[cloud_provider]\n", "[cloud_provider]\nskip_node_deletion = true\n");
    let two = [&one[..], &["--replace", "k3s/server/server-2"]].concat();
    assert_refused(&env, &two);
    assert!(cluster(&env).restarts.is_empty());

    for (at, node) in NODES.iter().enumerate() {
        let apply = ["apply", "--lab", "--yes", "--allow-disruption", "--replace", node, SPEC];
        env.expect(0, &machines(&apply));
        let now = cluster(&env).nodes;
        let moved = |before: &boma::lab::NodeStatus| {
            let after = now.iter().find(|after| after.name == before.name).expect("a node");
            assert!(after.ready && !after.cordoned, "{after:#?}");
            after.provider_id != before.provider_id
        };
        assert_eq!(wrong.iter().filter(|before| moved(before)).count(), at + 1, "{node}");
    }
    edit(&env, "skip_node_deletion = true\n", "");
    env.expect(0, APPLY);
    assert_settled(&env);
    let findings = env.json(0, &["plan", "--lab", SPEC])["findings"].clone();
    assert!(!findings.to_string().contains("wrong-provider-id"), "{findings:#}");
    assert!(cluster(&env).together_down.is_empty());
}

/// A command that leaves the cluster's objects alone.
fn machines<'a>(command: &[&'a str]) -> Vec<&'a str> {
    [command, &["--exclude", "cluster/**"]].concat()
}

#[track_caller]
fn assert_refused(env: &TestEnv, arguments: &[&str]) {
    let refused = env.run(arguments);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["wrong-provider-id", "images of CPI and CSI", "SKIP_NODE_DELETION", "--replace"] {
        assert!(said.contains(part), "{part}: {refused}");
    }
    refused.expect(3);
}

const PROVIDER_ID_WAIVED: &str = "[[waivers]]
rule    = \"provider-id\"
reason  = \"as it was installed\"
expires = 2099-12-31

[projects]
";

#[test]
fn a_server_token_changes_only_from_one_that_is_given() {
    let env = fleet(&[]);
    env.expect(0, APPLY);
    let before = cluster(&env);
    let (old, new) = ("{ env = \"K3S_TOKEN\" }", "{ env = \"NEW_TOKEN\" }");
    edit(&env, old, new);
    let refused = env.run(&["apply", "--lab", "--yes", "--allow-disruption", SPEC]);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("previous_token"), "{refused}");
    assert_eq!(undisturbed(&env), undisturbed_of(&before));

    edit(&env, new, &format!("{new}\nprevious_token = {old}"));
    env.expect(0, &["apply", "--lab", "--yes", "--allow-disruption", SPEC]);
    assert_settled(&env);
    let after = cluster(&env);
    let rotated = after.history.iter().filter(|line| line.contains("TokenRotated")).count();
    assert_eq!(rotated, 1, "{:#?}", after.history);
    let restarted: Vec<&str> = after.restarts.iter().map(|one| one.node.as_str()).collect();
    assert_eq!(restarted, ["server-1", "server-2", "server-3"]);
    assert!(after.together_down.is_empty());
    assert!(after.nodes.iter().all(|node| node.ready && !node.cordoned));

    edit(&env, &format!("\nprevious_token = {old}"), "");
    assert_settled(&env);
}

const NODES: [&str; 5] = [
    "k3s/server/server-1",
    "k3s/server/server-2",
    "k3s/server/server-3",
    "k3s/agent/agent-1",
    "k3s/agent/agent-2",
];

const DOCKER: (&str, &str) =
    ("[cloud_provider]\n", "[docker]\nversion = \"24.0.9\"\n\n[cloud_provider]\n");

/// A spec of machines that stand, and k3s on them.
fn fleet(edits: &[(&str, &str)]) -> TestEnv {
    let env = TestEnv::empty();
    let mut spec = SMALL.to_owned();
    let standing = [
        ("name = \"small\"", "name  = \"fleet\""),
        ("template = \"ubuntu-22.04\"\n", ""),
        ("cpu_hot_add    = false\nmemory_hot_add = false\n", ""),
        ("# A change of their size is a power cycle.\n", ""),
    ];
    for (from, to) in standing.iter().chain(edits) {
        assert!(spec.contains(from), "{from}");
        spec = spec.replacen(from, to, 1);
    }
    env.write(SPEC, spec);
    env.expect(0, &["lab", "status", SPEC]);
    env
}

#[track_caller]
fn edit(env: &TestEnv, from: &str, to: &str) {
    let spec = String::from_utf8(env.read(SPEC)).expect("text");
    assert!(spec.contains(from), "{from}");
    env.write(SPEC, spec.replacen(from, to, 1));
}

#[track_caller]
fn assert_settled(env: &TestEnv) {
    let plan = env.expect(0, &["plan", "--lab", "--detailed-exitcode", SPEC]);
    assert_eq!(plan.stdout.lines().last(), Some("No changes."), "{plan}");
}

fn change<'a>(plan: &'a Json, address: &str) -> &'a Json {
    let changes = plan["changes"].as_array().expect("changes");
    let found = changes.iter().find(|change| change["address"] == address);
    found.unwrap_or_else(|| panic!("{address} in {plan:#}"))
}

/// What a restart would show in: restarts, and the pods of each node.
fn undisturbed(env: &TestEnv) -> (usize, Vec<(String, usize)>) {
    undisturbed_of(&cluster(env))
}

fn undisturbed_of(cluster: &ClusterStatus) -> (usize, Vec<(String, usize)>) {
    let pods = cluster.nodes.iter().map(|node| (node.name.clone(), node.pods));
    (cluster.restarts.len(), pods.collect())
}

/// The only cluster of the lab.
fn cluster(env: &TestEnv) -> ClusterStatus {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = env.path("state/lab/fleet/world");
        let Opened::Owned(lab) = Lab::open(&folder, &Setup::default()).expect("a lab") else {
            panic!("somebody has the lab");
        };
        let running = lab.serve(ServeOptions::default()).await.expect("it is served");
        let status = running.status().expect("a status");
        running.shutdown().await.expect("it ends");
        let [cluster] = &status.clusters[..] else { panic!("{:#?}", status.clusters) };
        cluster.clone()
    })
}
