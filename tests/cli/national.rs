//! The whole country, once.

use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio::runtime::Runtime;

use super::env::TestEnv;
use super::served::Served;
use super::world::World;
use crate::kubernetes::client::Client;

const SPEC: &str = "national-50-counties.toml";
const TEXT: &str = include_str!("../../examples/national-50-counties.toml");

#[test]
fn applies_settles_and_leaves_no_trace() {
    let env = TestEnv::empty();
    env.write(SPEC, TEXT);
    env.lock(SPEC);
    let before = World::of(&env, SPEC);

    let applied = env.expect(0, &["apply", "--lab", "--yes", SPEC]);
    assert!(applied.stderr.contains("(projects 50/50 ready)"), "{applied}");
    let plan = env.expect(0, &["plan", "--lab", "--detailed-exitcode", SPEC]);
    assert_eq!(plan.stdout.lines().last(), Some("No changes."), "{plan}");

    // Requests to vCenter and cluster may be 45; those to hosts are among these, too.
    let plan = env.json(0, &["plan", "--lab", SPEC]);
    let requests = plan["read"]["requests"].as_u64();
    assert!(requests.is_some_and(|requests| requests <= 45), "{requests:?} requests");

    let applied = World::of(&env, SPEC);
    assert_ne!(applied.digest, before.digest);
    applied.assert_nothing_twice();
    for name in (1..=3)
        .map(|number| format!("server-{number}"))
        .chain((1..=9).map(|number| format!("agent-{number}")))
    {
        assert!(
            applied.inventory.iter().any(|line| line.ends_with(&format!("/DC1/vm/cht/{name}"))),
            "{name}"
        );
    }
    assert_cluster_works(&env);
    one_default_is_one_line(&env);
    one_county_is_its_own(&env);
    env.write(SPEC, TEXT);
    env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", SPEC]);
    // The disks of the counties are still there.
    let after = World::of(&env, SPEC);
    assert_eq!((after.inventory, after.sessions_open), (before.inventory, 0));
}

fn edit(env: &TestEnv, from: &str, to: &str) {
    assert!(TEXT.contains(from), "{from}");
    env.write(SPEC, TEXT.replacen(from, to, 1));
}

/// A default that all counties have: whatever their number, a line for each object.
fn one_default_is_one_line(env: &TestEnv) {
    edit(env, "[projects.defaults]\n", "[projects.defaults]\nlog_level = \"debug\"\n");
    let plan = env.expect(0, &["plan", "--lab", SPEC]);
    let lines: Vec<&str> = plan.stdout.lines().filter(|line| line.contains("project/")).collect();
    let parts = ["cht-api", "cht-couchdb-1", "cht-couchdb-2", "cht-couchdb-3", "cht-sentinel"];
    assert_eq!(lines.len(), parts.len(), "{plan}");
    for part in parts {
        let line = format!("  ~ project/*/Deployment/{part}    50 projects alike  ");
        assert!(lines.iter().any(|one| one.starts_with(&line)), "no {line:?}: {plan}");
    }
    let last = "Plan: 0 to add, 250 to change, 0 to destroy.";
    assert_eq!(plan.stdout.lines().last(), Some(last), "{plan}");
}

/// A 51st county, and one that is another than the others.
fn one_county_is_its_own(env: &TestEnv) {
    let counties = |expected: &str| {
        let plan = env.json(0, &["plan", "--lab", SPEC]);
        let changes = plan["changes"].as_array().expect("changes").iter();
        let changes: Vec<&str> = changes.filter_map(|one| one["address"].as_str()).collect();
        let own = format!("project/{expected}/");
        assert!(!changes.is_empty() && changes.iter().all(|one| one.starts_with(&own)), "{plan:#}");
        changes.len()
    };
    edit(env, "count  = 50", "count  = 51");
    assert_eq!(counties("county-51"), 24);
    edit(env, "couchdb = { storage = \"700GiB\" }", "couchdb = { storage = \"800GiB\" }");
    assert_eq!(counties("county-01"), 3);
}

/// Nodes are initialised, CPI and CSI run on all that they are for, every claim of the counties has
/// a volume that stays, and one class is the default.
#[track_caller]
fn assert_cluster_works(env: &TestEnv) {
    let served = Served::start(env, SPEC, 0);
    let api = Client::of_kubeconfig(&kubeconfig(env));
    let runtime = Runtime::new().expect("a runtime");
    let items = |path: &str| runtime.block_on(api.items(path));
    let get = |path: &str| runtime.block_on(api.get(path)).ok();

    let nodes = items("/api/v1/nodes");
    assert_eq!(nodes.len(), 12);
    for node in &nodes {
        let taints = node["spec"]["taints"].to_string();
        assert!(!taints.contains("uninitialized") && !taints.contains("not-ready"), "{taints}");
        let id = node["spec"]["providerID"].as_str().unwrap_or_default();
        assert!(id.starts_with("vsphere://"), "{node:#}");
    }
    let daemons = "/apis/apps/v1/namespaces/kube-system/daemonsets";
    let cpi = get(&format!("{daemons}/vsphere-cloud-controller-manager"));
    assert_eq!(cpi["status"]["numberReady"], 3, "{cpi:#}");
    let csi = "/apis/apps/v1/namespaces/vmware-system-csi";
    let controller = get(&format!("{csi}/deployments/vsphere-csi-controller"));
    assert_eq!(controller["status"]["availableReplicas"], 3, "{controller:#}");
    let driver = get(&format!("{csi}/daemonsets/vsphere-csi-node"));
    assert_eq!(driver["status"]["numberReady"], 12, "{driver:#}");

    let claims = items("/api/v1/persistentvolumeclaims");
    let volumes = items("/api/v1/persistentvolumes");
    assert!(claims.len() >= 150 && claims.len() == volumes.len(), "{} claims", claims.len());
    let bound = |claim: &Json| claim["status"]["phase"] == "Bound";
    assert!(claims.iter().all(bound), "a claim is not bound");
    let stays = |volume: &Json| volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain";
    assert!(volumes.iter().all(stays), "a volume goes with its claim");
    let mark = "storageclass.kubernetes.io/is-default-class";
    let classes = items("/apis/storage.k8s.io/v1/storageclasses");
    let defaults = classes.iter().filter(|class| class["metadata"]["annotations"][mark] == "true");
    let defaults: Vec<&Json> = defaults.map(|class| &class["metadata"]["name"]).collect();
    assert_eq!(defaults, ["vmware-sc"]);
    served.stop();
}

/// What `lab serve` writes once it answers for the cluster.
fn kubeconfig(env: &TestEnv) -> String {
    let file = env.path("state/lab/national/world/kubeconfig");
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match std::fs::read_to_string(&file) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => assert!(Instant::now() < end, "there is no kubeconfig"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
