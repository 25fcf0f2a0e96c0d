//! What stays when it should go, and what must not be written.

use boma::plan::Operation;
use boma::provider::Retry;
use boma::resource::Reading;
use serde_json::{Value as Json, json};

use super::manifests::{config_map, deployment};
use super::rig::{Backend, Rig, present};

on_each_backend! {
    a_finalizer_keeps_an_object_and_is_named,
    a_stuck_namespace_says_what_it_waits_for,
    another_object_in_the_same_place_is_not_deleted,
    an_immutable_field_is_refused_in_the_servers_words,
    where_no_namespace_is_nothing_can_be_made,
    ;
    who_may_not_read_proves_no_absence,
}

const FINALIZER: &str = "boma.dev/test";

async fn a_finalizer_keeps_an_object_and_is_named(backend: Backend) {
    let rig = Rig::on(backend, "finalizer").await;
    let map = rig.make(&config_map("map", json!({}))).await;
    finalize(&rig, &map.path(), &[FINALIZER]).await;
    let left = present(rig.act(&map, Operation::Delete, &[]).await.unwrap());
    let tree = left.attributes.tree();
    assert_eq!(tree["ready"], false, "{tree}");
    assert!(tree["waiting"].as_str().unwrap().contains(FINALIZER), "{tree}");
    assert_eq!(present(rig.read(&map).await).attributes.tree()["ready"], false);
    finalize(&rig, &map.path(), &[]).await;
    rig.gone(&map).await;
    rig.stop().await;
}

async fn a_stuck_namespace_says_what_it_waits_for(backend: Backend) {
    let rig = Rig::on(backend, "stuck-home").await;
    let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stuck"}});
    let namespace = rig.ready(&rig.make(&manifest).await).await;
    let inside = super::subject::Subject::of(&config_map("map", json!({})), "stuck");
    let object = present(rig.act(&inside, Operation::Create, &[]).await.unwrap());
    let inside = inside.known(object);
    finalize(&rig, &inside.path(), &[FINALIZER]).await;

    rig.act(&namespace, Operation::Delete, &[]).await.unwrap();
    let told = |tree: &Json| {
        assert_eq!(tree["ready"], false, "{tree}");
        tree["waiting"].as_str().is_some_and(|text| text.contains(FINALIZER))
    };
    rig.wait(&namespace, told).await;
    let mut more = config_map("more", json!({}));
    more["metadata"]["namespace"] = json!("stuck");
    let error = rig.act(&rig.subject(&more), Operation::Create, &[]).await.unwrap_err();
    assert_eq!(error.retry, Retry::NextApply, "{error:?}");
    assert!(error.message.contains("being terminated"), "{error:?}");

    finalize(&rig, &inside.path(), &[]).await;
    rig.gone(&namespace).await;
    rig.stop().await;
}

async fn finalize(rig: &Rig, path: &str, finalizers: &[&str]) {
    rig.api.merge(path, &json!({"metadata": {"finalizers": finalizers}})).await.ok();
}

async fn another_object_in_the_same_place_is_not_deleted(backend: Backend) {
    let rig = Rig::on(backend, "uid").await;
    let manifest = config_map("map", json!({"a": "1"}));
    let map = rig.make(&manifest).await;
    rig.api.delete(&map.path()).await.ok();
    let path = format!("/api/v1/namespaces/{}/configmaps", rig.namespace);
    rig.api.post(&path, &manifest).await.ok();

    let error = rig.act(&map, Operation::Delete, &[]).await.unwrap_err();
    assert_eq!(error.retry, Retry::Never, "{error:?}");
    let error = rig.act(&map, Operation::Update, &[]).await.unwrap_err();
    assert_eq!(error.retry, Retry::Never, "{error:?}");
    let left = rig.api.get(&map.path()).await.ok();
    assert_ne!(left["metadata"]["uid"], json!(map.object.as_ref().unwrap().id));
    assert!(left["metadata"]["annotations"].is_null(), "{left}");
    rig.stop().await;
}

async fn an_immutable_field_is_refused_in_the_servers_words(backend: Backend) {
    let rig = Rig::on(backend, "immutable").await;
    let mut web = rig.make(&deployment("web")).await;
    web.edit(|desired| {
        desired["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
        desired["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    });
    let error = rig.act(&web, Operation::Update, &["spec.selector"]).await.unwrap_err();
    assert_eq!(error.retry, Retry::Never, "{error:?}");
    assert!(error.message.contains("field is immutable"), "{error:?}");
    rig.stop().await;
}

async fn where_no_namespace_is_nothing_can_be_made(backend: Backend) {
    let rig = Rig::on(backend, "nowhere-home").await;
    let mut map = config_map("map", json!({}));
    map["metadata"]["namespace"] = json!("nowhere");
    let map = rig.subject(&map);
    assert_eq!(rig.read(&map).await, Reading::Absent);
    let error = rig.act(&map, Operation::Create, &[]).await.unwrap_err();
    assert!(error.message.contains("\"nowhere\" not found"), "{error:?}");
    rig.stop().await;
}

async fn who_may_not_read_proves_no_absence(backend: Backend) {
    let rig = Rig::on(backend, "rights").await;
    let map = rig.subject(&config_map("map", json!({})));
    let nobody = rig.nobody();
    match map.read(&nobody).await {
        Reading::Unread(reason) => assert!(reason.contains("forbidden"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let error = map.act(&nobody, Operation::Create, &[]).await.unwrap_err();
    assert!(error.message.contains("forbidden"), "{error:?}");
    rig.stop().await;
}
