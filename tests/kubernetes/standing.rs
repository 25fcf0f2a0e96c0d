//! The control plane and its stand-in nodes have to do what real ones do, or they prove nothing.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::audit::{Audit, Request};
use super::client::Client;
use super::kubelet::MISSING_IMAGE;
use super::plane::Plane;

#[tokio::test]
#[ignore = "needs a control plane; run by .ci/conformance"]
async fn pods_run_where_they_may_and_wait_where_they_may_not() {
    let _turn = Plane::shared().await;
    let admin = Plane::get().admin();
    let namespace = namespace(&admin, "standing").await;
    let made = admin.post(&format!("{namespace}/deployments"), &deployment("runs", "x")).await;
    made.ok();
    let path = format!("{namespace}/deployments/runs");
    until(&admin, &path, |it| it["status"]["availableReplicas"] == 2).await;

    let image = format!("registry.invalid/{MISSING_IMAGE}");
    admin.post(&format!("{namespace}/deployments"), &deployment("lacks", &image)).await.ok();
    let mut nowhere = deployment("nowhere", "x");
    nowhere["spec"]["template"]["spec"]["nodeSelector"] = json!({"no-such-label": "at-all"});
    admin.post(&format!("{namespace}/deployments"), &nowhere).await.ok();
    let pods = "/api/v1/namespaces/standing/pods";
    until(&admin, &format!("{pods}?labelSelector=app=lacks"), |it| {
        it["items"][0]["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]
            == "ImagePullBackOff"
    })
    .await;
    until(&admin, &format!("{pods}?labelSelector=app=nowhere"), |it| {
        it["items"][0]["status"]["conditions"][0]["reason"] == "Unschedulable"
    })
    .await;

    admin.delete("/api/v1/namespaces/standing").await.ok();
    until_gone(&admin, "/api/v1/namespaces/standing").await;
}

#[tokio::test]
#[ignore = "needs a control plane; run by .ci/conformance"]
async fn requests_are_counted_and_rights_are_asked() {
    let plane = Plane::get();
    let user = "standing-watched";
    let client = plane.client(&plane.watched(user));
    let audit = Audit { log: plane.audit_log.clone(), user: user.into(), client: client.clone() };
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": user}});
    let path = format!("/api/v1/namespaces/default/configmaps/{user}");
    client.apply(&path, "boma", &map).await.ok();
    client.apply(&format!("{path}?dryRun=All"), "boma", &map).await;
    client.get(&path).await.ok();
    client.delete(&path).await.ok();
    let wrote = |verb: &str, code| Request {
        verb: verb.into(),
        object: format!("configmaps/default/{user}"),
        code,
        dry_run: false,
    };
    assert_eq!(audit.writes().await, [wrote("patch", 201), wrote("delete", 200)]);

    let nobody = plane.client(&plane.nobody());
    assert_eq!(nobody.get(&path).await.code, 403);
}

async fn namespace(admin: &Client, name: &str) -> String {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    admin.post("/api/v1/namespaces", &namespace).await.ok();
    format!("/apis/apps/v1/namespaces/{name}")
}

fn deployment(name: &str, image: &str) -> Json {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "only", "image": image}]},
            },
        },
    })
}

async fn until(admin: &Client, path: &str, holds: impl Fn(&Json) -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let read = admin.get(path).await.ok();
        if holds(&read) {
            return;
        }
        assert!(Instant::now() < end, "{path} stays {read}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn until_gone(admin: &Client, path: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    while let Some(read) = admin.find(path).await {
        assert!(Instant::now() < end, "{path} stays {read}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
