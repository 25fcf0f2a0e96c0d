//! Why something does not become ready.

use serde_json::{Value as Json, json};

use super::kubelet::MISSING_IMAGE;
use super::manifests::deployment;
use super::rig::{Backend, Rig};

on_each_backend! {
    the_guides_selector_keeps_the_storage_controller_pending,
    an_image_that_is_not_there_is_named,
    a_quota_that_forbids_pods_is_named,
    a_new_version_that_cannot_start_is_not_ready,
}

/// The manifests of that time select nodes by a label with no value; k3s gives it the value `true`.
async fn the_guides_selector_keeps_the_storage_controller_pending(backend: Backend) {
    let rig = Rig::on(backend, "selector").await;
    let mut manifest = deployment("vsphere-csi-controller");
    let selector = json!({"node-role.kubernetes.io/control-plane": ""});
    manifest["spec"]["template"]["spec"]["nodeSelector"] = selector;
    let mut csi = rig.make(&manifest).await;
    waits_for(&rig, &csi, &["nodes are available", "didn't match Pod's node affinity"]).await;

    csi.edit(|desired| {
        let selector = json!({"node-role.kubernetes.io/control-plane": "true"});
        desired["spec"]["template"]["spec"]["nodeSelector"] = selector;
    });
    let field = "spec.template.spec.nodeSelector.node-role.kubernetes.io/control-plane";
    rig.ready(&rig.update(&csi, &[field]).await).await;
    rig.stop().await;
}

async fn an_image_that_is_not_there_is_named(backend: Backend) {
    let rig = Rig::on(backend, "image").await;
    let web = rig.make(&lacking("web")).await;
    waits_for(&rig, &web, &["ImagePullBackOff", MISSING_IMAGE]).await;
    rig.stop().await;
}

async fn a_quota_that_forbids_pods_is_named(backend: Backend) {
    let rig = Rig::on(backend, "quota").await;
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}}});
    let quota = rig.make(&quota).await;
    rig.until(&quota.path(), |quota| quota["status"]["hard"]["pods"] == "0").await;
    let web = rig.make(&deployment("web")).await;
    waits_for(&rig, &web, &["exceeded quota"]).await;
    rig.stop().await;
}

async fn a_new_version_that_cannot_start_is_not_ready(backend: Backend) {
    let rig = Rig::on(backend, "rollout").await;
    let mut web = rig.ready(&rig.make(&deployment("web")).await).await;
    web.desired = rig.subject(&lacking("web")).desired;
    let web = rig.update(&web, &["spec.template.spec.containers.main.image"]).await;
    waits_for(&rig, &web, &["ImagePullBackOff"]).await;
    rig.stop().await;
}

fn lacking(name: &str) -> Json {
    let mut manifest = deployment(name);
    // The lab knows this registry to be gone.
    let image = format!("k8s.gcr.io/{MISSING_IMAGE}:1");
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    manifest
}

/// Reads until the reason holds all of these words, while it is not ready.
async fn waits_for(rig: &Rig, subject: &super::subject::Subject, words: &[&str]) {
    let told = |tree: &Json| {
        assert_eq!(tree["ready"], false, "{tree}");
        let waiting = tree["waiting"].as_str().unwrap_or_default();
        words.iter().all(|word| waiting.contains(word))
    };
    rig.wait(subject, told).await;
}
