//! What somebody changes behind boma's back is found, all of it and nothing else, and repaired.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::env::{RESOURCES, TestEnv};
use super::world::World;
use crate::seeds;

const APPLY: &[&str] = &["apply", "--lab", "--yes", "small.toml"];
const DRIFT: &[&str] = &["drift", "--lab", "small.toml"];

#[test]
fn seeds() {
    seeds::each("cli::drift::seeds", "BOMA_SEEDS", 3, |seed| check(seed, &[], RESOURCES));
}

/// The lab deletes no VM that has permissions: here none has any.
#[test]
fn seeds_that_delete() {
    // Without permissions no cloud provider finds a machine: the cluster stays out, too.
    let scope = ["--exclude", "vsphere/permission/**", "--exclude", "cluster/**"];
    let test = "cli::drift::seeds_that_delete";
    seeds::each(test, "BOMA_SEEDS", 3, |seed| check(seed, &scope, 20));
}

/// Namespaces have nothing but their name, and nobody edits what CouchDB was made with.
const STEADY: [&str; 3] =
    ["kubernetes/Credentials", "kubernetes/Namespace", "kubernetes/ProjectNamespace"];

/// What no seed can change proves nothing.
#[test]
fn every_kind_in_the_cluster_is_changed_by_some_seed() {
    let env = TestEnv::new();
    env.apply();
    let state = env.json(0, &["state", "list", "--lab", "small.toml"]);
    let all = state["resources"].as_array().expect("a list").iter();
    let kinds: BTreeMap<String, String> =
        all.map(|one| (text(&one["address"]), text(&one["kind"]))).collect();
    let drifted = ["lab", "drift", "small.toml", "--seed", "1", "--count", "500"];
    let drifted = env.expect(0, &drifted).json();
    let drifted = drifted["drifted"].as_array().expect("a list").iter();
    let changed = drifted.map(|one| kinds[&text(&one["address"])].as_str());
    let changed: BTreeSet<&str> = changed.chain(STEADY).collect();
    let in_cluster = kinds.values().map(String::as_str);
    let in_cluster: BTreeSet<&str> =
        in_cluster.filter(|kind| kind.starts_with("kubernetes/")).collect();
    assert_eq!(in_cluster.difference(&changed).collect::<Vec<_>>(), [&""; 0]);
}

fn check(seed: u64, scope: &[&str], resources: usize) {
    let env = TestEnv::new();
    let apply = [APPLY, scope].concat();
    env.expect(0, &apply);
    env.expect(0, DRIFT);
    let changed = drift_behind(&env, seed, 1 + (seed - 1) % 6);

    let told = env.json(2, DRIFT);
    let found = found(&told);
    let expected: BTreeSet<_> = changed.iter().map(|one| with_its_list(one, &found)).collect();
    assert_eq!(found, expected, "seed {seed}: {told:#}");
    assert_eq!(told["unread"], serde_json::json!([]));
    let text = env.expect(2, DRIFT);
    let addresses: BTreeSet<&String> = changed.iter().map(|(address, _)| address).collect();
    let count = addresses.len();
    let last = format!("Drift: {count} of {resources} resources changed outside boma.");
    assert_eq!(text.stdout.lines().last(), Some(last.as_str()), "{text}");

    if changed.iter().any(disturbs) {
        let before = World::of(&env, "small.toml");
        env.expect(3, &apply).assert_one_error(&["disturbed", "--allow-disruption"]);
        assert_eq!(World::of(&env, "small.toml"), before);
    }
    env.expect(0, &[&apply, &["--allow-disruption"][..]].concat());
    let clean = env.expect(0, DRIFT);
    assert!(clean.stdout.ends_with("No drift.\n"), "{clean}");
    env.expect(0, &[&["plan", "--lab", "--detailed-exitcode", "small.toml"], scope].concat());
}

/// What people do to a country by hand: address and attribute, by what they hold.
const SORTS: [(&str, &str); 10] = [
    ("project/county-0", ".image"),
    ("/Deployment/", "spec.replicas"),
    ("/Service/", "exists"),
    ("/ConfigMap/", "data."),
    ("cluster/node/", "taints.by-hand"),
    ("cluster/node/server-", "taints.node-role.kubernetes.io/control-plane"),
    ("vsphere/vm/", "power"),
    ("k3s/agent/", "config.kubelet-arg"),
    ("k3s/", "service"),
    ("vsphere/permission/", "exists"),
];

/// Seeds are of use only where each sort of change is among what they draw.
#[test]
fn every_sort_of_change_is_drawn_by_some_seed() {
    let env = TestEnv::new();
    env.expect(0, APPLY);
    let mut missing = Vec::from(SORTS);
    for seed in 1..=40 {
        if missing.is_empty() {
            return;
        }
        let env = env.copy();
        let seed = seed.to_string();
        let arguments = ["lab", "drift", "small.toml", "--seed", &seed, "--count", "60"];
        let drifted = env.expect(0, &arguments).json();
        for one in drifted["drifted"].as_array().expect("a list") {
            let (address, attribute) = (text(&one["address"]), text(&one["attribute"]));
            missing.retain(|(of, what)| !address.contains(of) || !attribute.contains(what));
        }
    }
    assert_eq!(missing, []);
}

fn drift_behind(env: &TestEnv, seed: u64, count: u64) -> BTreeSet<(String, String)> {
    let (seed, count) = (seed.to_string(), count.to_string());
    let arguments = ["lab", "drift", "small.toml", "--seed", &seed, "--count", &count];
    let drifted = env.expect(0, &arguments).json();
    let drifted = drifted["drifted"].as_array().expect("a list").clone();
    assert_eq!(drifted.len().to_string(), count);
    drifted.iter().map(|one| (text(&one["address"]), text(&one["attribute"]))).collect()
}

fn found(drift: &Json) -> BTreeSet<(String, String)> {
    let resources = drift["drift"].as_array().expect("a list").iter();
    let pairs = resources.flat_map(|one| {
        let attributes = one["attributes"].as_array().expect("a list").iter();
        attributes.map(|attribute| (text(&one["address"]), text(&attribute["path"])))
    });
    pairs.collect()
}

/// A list goes with its only entry, and is told as what went.
fn with_its_list(
    (address, path): &(String, String),
    found: &BTreeSet<(String, String)>,
) -> (String, String) {
    let list = path.split_once('.').map_or(path.as_str(), |(list, _)| list);
    let whole = (address.clone(), list.to_owned());
    if found.contains(&whole) { whole } else { (address.clone(), path.clone()) }
}

fn text(value: &Json) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What cannot be set right while the VM runs.
fn disturbs((address, attribute): &(String, String)) -> bool {
    address.starts_with("vsphere/vm/")
        && ["cpus", "memory_mib", "disk_uuid"].contains(&attribute.as_str())
}
