//! What boma itself makes in a cluster, on a real API server.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use boma::plan::Desired;
use serde_json::json;

use super::audit::{Audit, Request};
use super::gaps::bridge_all;
use super::kubelet::{AGENTS, SERVERS, STORAGE, UNINITIALIZED};
use super::manifest::path;
use super::plane::Plane;
use super::site::{Site, in_cluster, lowered};

const USER: &str = "renderings";

/// How many requests a whole reading may take: it has a LIST for each kind, and as many more as
/// lists have pages. vCenter has the rest of the 45 that both may have.
const READS_MAX: usize = 32;

/// The product's main example: every object is accepted, ready in the order that the plan gives,
/// written once, and not again.
#[tokio::test]
#[ignore = "needs a control plane; run by .ci/conformance"]
async fn the_national_example_stands_and_is_written_once() {
    let plane = Plane::get();
    let _turn = Plane::alone().await;
    let mut desired = lowered(include_str!("../../examples/national-50-counties.toml"));
    bridge_all(&mut desired);
    let agents = agents(plane, &desired).await;
    uninitialize(plane).await;
    definitions_of_k3s(plane).await;
    // What is left of a failure must not fail other tests.
    let outcome = tokio::spawn(stands(plane, desired.clone())).await;
    remove(plane, &desired, &agents).await;
    outcome.unwrap();
}

async fn stands(plane: &'static Plane, desired: Desired) {
    let objects = in_cluster(&desired).count();
    assert!(objects > 1_000, "{objects} objects");
    let mut site = Site::new(desired, USER);
    site.converge().await;
    let client = plane.client(&plane.watched(USER));
    let audit = Audit { log: plane.audit_log.clone(), user: USER.into(), client };
    let writes = audit.writes().await;
    written_once(&writes);
    site.converge().await;
    assert_eq!(audit.writes().await.len(), writes.len(), "the second apply wrote");
    let before = audit.requests().await.len();
    assert_eq!(site.differences().await, [""; 0]);
    let reads = audit.requests().await.len() - before;
    println!("{objects} objects: {} writes, {reads} requests for a reading", writes.len());
    assert!(reads <= READS_MAX, "{reads} requests for one reading");
    uninitialized(plane).await;
}

/// Nodes take two: labels by apply, taints with the version that was read.
fn written_once(writes: &[Request]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for write in writes {
        assert!(write.code < 300, "{write:?}");
        *counts.entry(&write.object).or_default() += 1;
    }
    counts.retain(|object, count| *count > if object.starts_with("nodes/") { 2 } else { 1 });
    assert!(counts.is_empty(), "written more than once: {counts:?}");
}

/// The example has more agents than the control plane has nodes.
async fn agents(plane: &Plane, desired: &Desired) -> Vec<String> {
    let nodes = in_cluster(desired).filter(|(_, place)| place["kind"] == "Node");
    let names = nodes.map(|(_, place)| place["name"].as_str().unwrap().to_owned());
    let here = |name: &String| SERVERS.contains(&name.as_str()) || AGENTS.contains(&name.as_str());
    let missing: Vec<String> = names.filter(|name| !here(name)).collect();
    for name in &missing {
        plane.admin().post("/api/v1/nodes", &super::kubelet::node(name, 99)).await.ok();
    }
    missing
}

/// What k3s brings along: its helm controller reads such objects.
async fn definitions_of_k3s(plane: &Plane) {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object",
        "properties": {"valuesContent": {"type": "string"}, "failurePolicy": {"type": "string"}}}}});
    let names = json!({"plural": "helmchartconfigs", "singular": "helmchartconfig",
        "kind": "HelmChartConfig"});
    let version = json!({"name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": schema}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition", "metadata": {"name": "helmchartconfigs.helm.cattle.io"},
        "spec": {"group": "helm.cattle.io", "scope": "Namespaced", "names": names,
            "versions": [version]}});
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    plane.admin().post(path, &definition).await.ok();
    let path = "/apis/helm.cattle.io/v1/helmchartconfigs";
    let end = Instant::now() + Duration::from_secs(30);
    while plane.admin().get(path).await.code != 200 {
        assert!(Instant::now() < end, "the definition is not served");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// As nodes are that wait for their cloud provider.
async fn uninitialize(plane: &Plane) {
    let taint = json!({"key": UNINITIALIZED, "value": "true", "effect": "NoSchedule"});
    for node in plane.admin().items("/api/v1/nodes").await {
        let path = format!("/api/v1/nodes/{}", node["metadata"]["name"].as_str().unwrap());
        let mut taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
        taints.push(taint.clone());
        plane.admin().merge(&path, &json!({"spec": {"taints": taints}})).await.ok();
    }
}

async fn uninitialized(plane: &Plane) {
    for node in plane.admin().items("/api/v1/nodes").await {
        assert!(!node["spec"]["taints"].to_string().contains(UNINITIALIZED), "{node}");
    }
}

async fn remove(plane: &Plane, desired: &Desired, agents: &[String]) {
    let admin = plane.admin();
    let paths: Vec<String> = in_cluster(desired)
        .filter(|(_, place)| place["kind"] != "Node")
        .map(|(_, place)| path(&place))
        .collect();
    for path in &paths {
        admin.delete(path).await;
    }
    for name in agents {
        admin.delete(&format!("/api/v1/nodes/{name}")).await;
    }
    let clean = json!({"spec": {"taints": null}});
    for name in SERVERS.iter().chain(&AGENTS) {
        admin.merge(&format!("/api/v1/nodes/{name}"), &clean).await;
    }
    for volume in admin.items("/api/v1/persistentvolumes").await {
        let name = volume["metadata"]["name"].as_str().unwrap();
        if volume["spec"]["csi"]["driver"] == STORAGE {
            admin.delete(&format!("/api/v1/persistentvolumes/{name}")).await;
        }
    }
    // Namespaces go one by one.
    let end = Instant::now() + Duration::from_secs(300);
    for path in paths {
        while let Some(left) = admin.find(&path).await {
            assert!(Instant::now() < end, "{path} stays {left}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
