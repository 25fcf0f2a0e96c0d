//! Projects that charts and people installed on a real API server, planned and applied by the
//! engine: nothing restarts, nothing is left to do, and nothing is written a second time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use boma::plan::{Action, Desired, Plan};
use serde_json::{Value as Json, json};

use super::audit::Audit;
use super::charts::{Chart, SPACE, Way, charts, files, held, identities, install, run};
use super::client::Client;
use super::gaps::{bridge, bridge_all};
use super::manifest::{path, place};
use super::plane::Plane;
use super::site::{Site, lowered};
use super::upstream_projects::text;

/// The machines that the files pin pods to.
const MACHINES: [(&str, u8); 3] = [("agent-01", 91), ("agent-02", 92), ("agent-03", 93)];
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

#[tokio::test]
#[ignore = "needs a control plane and other projects' manifests; run by .ci/conformance"]
async fn every_project_that_stands_is_planned_and_taken_over_without_a_restart() {
    let plane = Plane::get();
    let _turn = Plane::alone().await;
    let admin = plane.admin();
    for (name, number) in MACHINES {
        admin.post("/api/v1/nodes", &super::kubelet::node(name, number)).await.ok();
    }
    // What is left of a failure must not fail other tests.
    let outcome = tokio::spawn(all(plane)).await;
    for (name, _) in MACHINES {
        admin.delete(&format!("/api/v1/nodes/{name}")).await;
    }
    outcome.unwrap();
}

async fn all(plane: &'static Plane) {
    let files = files();
    for chart in charts() {
        let objects = bridged(chart.objects(&files));
        for (number, &way) in chart.ways.iter().enumerate() {
            let user = format!("{}-{number}", chart.file.replace(['/', '.'], "-"));
            let (chart, objects) = (&chart, &objects);
            let outcome = tokio::time::timeout(6 * LIMIT, one(plane, &user, chart, way, objects));
            outcome.await.unwrap_or_else(|_| panic!("{user} hangs"));
        }
    }
}

async fn one(plane: &'static Plane, user: &str, chart: &Chart, way: Way, objects: &[Json]) {
    let what = format!("{} {way:?}", chart.file);
    let admin = plane.admin();
    let volumes = volumes(objects);
    for volume in &volumes {
        admin.post("/api/v1/persistentvolumes", volume).await.ok();
    }
    install(&admin, way, objects).await;
    let deployments = objects.iter().filter(|object| object["kind"] == "Deployment").count();
    stand(&admin, &what, deployments).await;
    let before = (identities(&admin).await, templates(&admin).await);

    let mut site = Site::new(desired(&chart.keys), user);
    taken_over(&what, &site.plan().await);
    site.converge().await;
    let after = (identities(&admin).await, templates(&admin).await);
    assert_eq!(after, before, "{what}: something was restarted");
    if way.is_helms() {
        assert_eq!(held(&admin, chart, objects).await, [""; 0], "{what}");
    }
    let client = plane.client(&plane.watched(user));
    let audit = Audit { log: plane.audit_log.clone(), user: user.into(), client };
    let written = audit.writes().await.len();
    site.converge().await;
    assert_eq!(audit.writes().await.len(), written, "{what}: the second apply wrote");
    for stray in objects.iter().filter(|object| chart.is_stray(object)) {
        assert!(admin.find(&path(&place(stray, SPACE))).await.is_some(), "{what}: {stray}");
    }
    let own = objects.iter().filter(|object| object["kind"] == "PersistentVolume");
    clear(&admin, own.chain(&volumes)).await;
}

/// Everything stands already, and no pod is another one afterwards.
fn taken_over(what: &str, plan: &Plan) {
    assert_eq!(plan.blocked, [], "{what}");
    assert!(plan.changes.len() > 14, "{what}");
    for change in &plan.changes {
        assert_eq!(change.action, Action::Adopt, "{what}: {}", change.address);
        let mut paths = change.attributes.iter().map(|one| one.path.as_str());
        assert!(!paths.any(|path| path.starts_with("spec.template")), "{what}: {change:#?}");
    }
}

/// The project alone.
fn desired(keys: &str) -> Desired {
    let mut desired = lowered(&text(keys));
    desired.resources.retain(|address, _| address.project() == Some("county-01"));
    bridge_all(&mut desired);
    desired
}

/// Server-side apply of 1.20 wants the whole key of a port.
fn bridged(mut objects: Vec<Json>) -> Vec<Json> {
    for object in &mut objects {
        bridge(object);
        let pods = object.pointer_mut("/spec/template/spec/containers");
        for container in pods.and_then(Json::as_array_mut).into_iter().flatten() {
            for port in container["ports"].as_array_mut().into_iter().flatten() {
                port["protocol"] = json!("TCP");
            }
        }
    }
    objects
}

/// A volume for each claim that names none.
fn volumes(objects: &[Json]) -> Vec<Json> {
    let claims = objects.iter().filter(|object| object["kind"] == "PersistentVolumeClaim");
    let open = claims.filter(|claim| claim["spec"]["volumeName"].is_null());
    let volume = |claim: &Json| {
        let (name, spec) = (&claim["metadata"]["name"], &claim["spec"]);
        json!({"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": format!("of-{}", name.as_str().unwrap())},
            "spec": {"capacity": spec["resources"]["requests"], "accessModes": spec["accessModes"],
                "storageClassName": spec["storageClassName"],
                "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/nowhere"}}})
    };
    open.map(volume).collect()
}

async fn deployments(admin: &Client) -> Vec<Json> {
    admin.items(&format!("/apis/apps/v1/namespaces/{SPACE}/deployments")).await
}

/// How many Deployments are as their controller made them.
async fn observed(admin: &Client) -> usize {
    let is_seen = |one: &&Json| {
        let status = &one["status"];
        status["observedGeneration"] == one["metadata"]["generation"]
            && status["availableReplicas"] == one["spec"]["replicas"]
    };
    deployments(admin).await.iter().filter(is_seen).count()
}

async fn templates(admin: &Client) -> BTreeMap<String, Json> {
    let told = |one: &Json| (one["metadata"]["name"].to_string(), one["spec"]["template"].clone());
    deployments(admin).await.iter().map(told).collect()
}

async fn clear(admin: &Client, volumes: impl Iterator<Item = &Json>) {
    let space = format!("/api/v1/namespaces/{SPACE}");
    admin.delete(&space).await;
    let paths: Vec<String> = volumes.map(|volume| path(&place(volume, SPACE))).collect();
    for path in &paths {
        admin.delete(path).await;
    }
    let end = Instant::now() + LIMIT;
    for path in paths.iter().chain([&space]) {
        while let Some(left) = admin.find(path).await {
            assert!(Instant::now() < end, "{path} stays {left}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Waits until everything runs.
async fn stand(admin: &Client, what: &str, deployments: usize) {
    let end = Instant::now() + LIMIT;
    while !run(admin).await || observed(admin).await != deployments {
        assert!(Instant::now() < end, "{what}: {:#?}", identities(admin).await);
        tokio::time::sleep(PAUSE).await;
    }
}
