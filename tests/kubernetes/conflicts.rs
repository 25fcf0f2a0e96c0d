//! Fields that other managers hold.

use boma::plan::Operation;
use boma::provider::Retry;
use serde_json::json;

use super::manifests::{config_map, deployment};
use super::rig::{Backend, Rig};

on_each_backend! {
    a_field_of_another_manager_is_taken_only_where_the_plan_showed_it,
    equal_values_of_two_managers_are_no_conflict,
    a_manager_of_a_whole_part_is_told,
    what_stands_already_is_taken_over_without_a_restart,
}

const IMAGE: &str = "spec.template.spec.containers.main.image";

async fn a_field_of_another_manager_is_taken_only_where_the_plan_showed_it(backend: Backend) {
    let rig = Rig::on(backend, "conflict").await;
    let web = rig.ready(&rig.make(&deployment("web")).await).await;
    edit(&rig, &web.path(), "registry.example/web:2", 3).await;

    let web = rig.seen(&web).await;
    assert_eq!(web.differences(), ["spec.replicas", IMAGE]);
    let error = rig.act(&web, Operation::Update, &["spec.replicas"]).await.unwrap_err();
    assert_eq!(error.retry, Retry::Never);
    assert!(error.message.contains("kubectl-edit"), "{error:?}");
    assert!(error.message.contains("image"), "{error:?}");
    let live = rig.api.get(&web.path()).await.ok();
    assert_eq!(live["spec"]["replicas"], 3, "nothing of a refused write is done");

    let web = rig.update(&web, &["spec.replicas", IMAGE]).await;
    assert_eq!(web.differences(), [""; 0]);
    rig.stop().await;
}

/// As `kubectl edit` writes: a patch by its own manager.
async fn edit(rig: &Rig, path: &str, image: &str, replicas: u64) {
    let container = json!({"name": "main", "image": image});
    let change = json!({"spec": {"replicas": replicas,
        "template": {"spec": {"containers": [container]}}}});
    rig.api.strategic(&format!("{path}?fieldManager=kubectl-edit"), &change).await.ok();
}

async fn equal_values_of_two_managers_are_no_conflict(backend: Backend) {
    let rig = Rig::on(backend, "equal").await;
    let map = config_map("map", json!({"a": "1"}));
    let made = rig.make(&map).await;
    rig.api.apply(&made.path(), "other", &map).await.ok();
    let made = rig.update(&made, &[]).await;

    // Both hold it: what boma leaves out stays.
    let mut less = made.clone();
    less.edit(|desired| desired["data"] = json!({}));
    let less = rig.update(&less, &["data.a"]).await;
    let tree = less.object.as_ref().unwrap().attributes.tree();
    assert_eq!(tree["data"], json!({"a": "1"}), "{tree}");
    // Newer servers count the empty map itself as boma's; what is in it is the other's either way.
    let managers = &tree["managers"];
    let of_data = managers["data"].as_str().or(managers["data.a"].as_str());
    assert_eq!(of_data, Some("other"), "{tree}");
    rig.stop().await;
}

async fn a_manager_of_a_whole_part_is_told(backend: Backend) {
    let rig = Rig::on(backend, "managers").await;
    let web = rig.make(&deployment("web")).await;
    edit(&rig, &web.path(), "registry.example/web:1", 4).await;
    let tree = rig.seen(&web).await.object.unwrap().attributes.tree();
    assert_eq!(tree["managers"]["spec.replicas"], "kubectl-edit", "{tree}");
    assert!(tree["owned"]["spec"]["replicas"].is_null(), "{tree}");
    // A map that is owned as a whole says no more than that.
    assert!(tree["owned"]["spec"]["selector"].is_object(), "{tree}");
    rig.stop().await;
}

/// As helm leaves it: somebody else made the object, with the same values.
async fn what_stands_already_is_taken_over_without_a_restart(backend: Backend) {
    let rig = Rig::on(backend, "adopted").await;
    let manifest = deployment("web");
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", rig.namespace);
    rig.api.post(&format!("{path}?fieldManager=helm"), &manifest).await.ok();
    let web = rig.ready(&rig.subject(&manifest)).await;
    assert_eq!(web.object.as_ref().unwrap().mark, None);
    assert_eq!(web.differences(), [""; 0]);

    let before = rig.api.get(&web.path()).await.ok();
    let web = rig.update(&web, &[]).await;
    assert_eq!(web.object.as_ref().unwrap().mark, Some(web.mark.clone()));
    let after = rig.api.get(&web.path()).await.ok();
    // The generation counts annotations too, so that boma's mark is seen in it.
    assert_eq!(after["spec"], before["spec"]);
    let sets = format!("/apis/apps/v1/namespaces/{}/replicasets", rig.namespace);
    assert_eq!(rig.ready(&web).await.differences(), [""; 0]);
    assert_eq!(rig.api.items(&sets).await.len(), 1);
    rig.stop().await;
}
