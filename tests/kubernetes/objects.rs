//! The life of ordinary objects.

use boma::plan::Operation;
use boma::resource::Reading;
use serde_json::json;

use super::manifests::{config_map, deployment};
use super::rig::{Backend, Rig, present};

on_each_backend! {
    an_object_lives_from_apply_to_removal,
    a_deployment_becomes_ready_and_is_written_once,
    a_secret_is_read_as_the_text_that_was_written,
    what_others_added_stays_and_what_boma_leaves_out_goes,
    another_order_of_a_list_restarts_nothing,
    a_claim_of_a_class_without_a_driver_waits,
    a_list_is_read_to_its_end_in_pages,
}

async fn an_object_lives_from_apply_to_removal(backend: Backend) {
    let rig = Rig::on(backend, "life").await;
    let map = rig.subject(&config_map("map", json!({"a": "1"})));
    assert_eq!(rig.read(&map).await, Reading::Absent);

    let mut map = rig.make(&config_map("map", json!({"a": "1"}))).await;
    let object = map.object.as_ref().unwrap();
    assert_eq!(object.mark, Some(map.mark.clone()));
    assert_eq!(object.attributes.tree()["data"], json!({"a": "1"}));
    assert_eq!(object.attributes.tree()["owned"]["data"], json!({"a": "1"}));
    assert_eq!(rig.seen(&map).await.object, map.object);

    map.edit(|desired| desired["data"] = json!({"a": "2", "b": "1"}));
    assert_eq!(map.differences(), ["data.a", "data.b"]);
    let map = rig.update(&map, &["data.a", "data.b"]).await;
    assert_eq!(map.differences(), [""; 0]);
    let before = rig.api.get(&map.path()).await.ok();
    let map = rig.update(&map, &[]).await;
    assert_eq!(rig.api.get(&map.path()).await.ok(), before, "writing again changed something");

    assert_eq!(rig.act(&map, Operation::Delete, &[]).await.unwrap(), Reading::Absent);
    assert_eq!(rig.read(&map).await, Reading::Absent);
    assert_eq!(rig.act(&map, Operation::Delete, &[]).await.unwrap(), Reading::Absent);
    rig.stop().await;
}

async fn a_deployment_becomes_ready_and_is_written_once(backend: Backend) {
    let rig = Rig::on(backend, "ready").await;
    let web = rig.make(&deployment("web")).await;
    let tree = web.object.as_ref().unwrap().attributes.tree();
    assert_eq!(tree["ready"], false, "{tree}");
    let web = rig.ready(&web).await;
    assert_eq!(web.differences(), [""; 0]);
    assert!(web.object.as_ref().unwrap().attributes.tree()["waiting"].is_null());
    assert_eq!(rig.writes().await.len(), 1, "{:?}", rig.writes().await);
    rig.act(&web, Operation::Delete, &[]).await.unwrap();
    rig.gone(&web).await;
    rig.stop().await;
}

async fn a_secret_is_read_as_the_text_that_was_written(backend: Backend) {
    let rig = Rig::on(backend, "secrets").await;
    let text = "[Global]\ncluster-id = \"a\\\"b\"\nümlaut and 🌍\n";
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "conf"}, "stringData": {"csi.conf": text, "empty": ""}});
    let secret = rig.make(&secret).await;
    assert_eq!(secret.object.as_ref().unwrap().attributes.tree()["data"]["csi.conf"], text);
    assert_eq!(rig.seen(&secret).await.differences(), [""; 0]);

    let bytes = json!({"data": {"raw": "//79"}});
    rig.api.merge(&secret.path(), &bytes).await.ok();
    let tree = rig.seen(&secret).await.object.unwrap().attributes.tree();
    assert_eq!(tree["binary_data"], json!({"raw": "//79"}), "{tree}");
    rig.stop().await;
}

async fn what_others_added_stays_and_what_boma_leaves_out_goes(backend: Backend) {
    let rig = Rig::on(backend, "shared").await;
    let mut manifest = config_map("map", json!({"a": "1", "b": "1"}));
    manifest["metadata"]["labels"] = json!({"ours": "x", "left": "x"});
    let mut map = rig.make(&manifest).await;
    let theirs = json!({"data": {"c": "1"}, "metadata": {"labels": {"theirs": "x"}}});
    rig.api.merge(&map.path(), &theirs).await.ok();

    map.edit(|desired| {
        desired["data"] = json!({"a": "1"});
        desired["labels"] = json!({"ours": "x"});
    });
    let map = rig.update(&map, &["data.b", "labels.left"]).await;
    let tree = map.object.as_ref().unwrap().attributes.tree();
    assert_eq!(tree["data"], json!({"a": "1", "c": "1"}), "{tree}");
    assert_eq!(tree["labels"], json!({"ours": "x", "theirs": "x"}), "{tree}");
    rig.stop().await;
}

/// That a list in another order restarts pods was seen on 1.36 and not on 1.20, so that the engine
/// sends live order: what it sends must be taken as what is there.
async fn another_order_of_a_list_restarts_nothing(backend: Backend) {
    let rig = Rig::on(backend, "order").await;
    let mut manifest = deployment("web");
    let env = |names: &[&str]| {
        names.iter().map(|name| json!({"name": name, "value": "x"})).collect::<Vec<_>>()
    };
    let list = "/spec/template/spec/containers/0";
    manifest.pointer_mut(list).unwrap()["env"] = env(&["A", "B", "C"]).into();
    let mut web = rig.ready(&rig.make(&manifest).await).await;
    let before = rig.api.get(&web.path()).await.ok();

    web.edit(|desired| {
        desired.pointer_mut(list).unwrap()["env"] = env(&["C", "A", "B"]).into();
    });
    assert_eq!(web.differences(), [""; 0], "order alone is no difference");
    let live = web.object.as_ref().unwrap().attributes.tree().pointer(list).unwrap()["env"].clone();
    web.edit(|desired| desired.pointer_mut(list).unwrap()["env"] = live);
    let web = rig.update(&web, &[]).await;
    let after = rig.api.get(&web.path()).await.ok();
    assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
    let sets = format!("/apis/apps/v1/namespaces/{}/replicasets", rig.namespace);
    assert_eq!(rig.api.items(&sets).await.len(), 1);
    rig.stop().await;
}

async fn a_claim_of_a_class_without_a_driver_waits(backend: Backend) {
    let rig = Rig::on(backend, "claims").await;
    let class = |name: &str, mode: &str| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": name}, "provisioner": "csi.vsphere.vmware.com",
            "volumeBindingMode": mode})
    };
    let claim = |name: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": name,
                "resources": {"requests": {"storage": "1Gi"}}}})
    };
    let later = rig.make(&class("claims-later", "WaitForFirstConsumer")).await;
    let now = rig.make(&class("claims-now", "Immediate")).await;
    assert_eq!(rig.seen(&later).await.differences(), [""; 0]);

    rig.ready(&rig.make(&claim("claims-later")).await).await;
    let waits = rig.make(&claim("claims-now")).await;
    let told = |tree: &serde_json::Value| {
        tree["waiting"].as_str().is_some_and(|text| text.contains("csi.vsphere.vmware.com"))
    };
    rig.wait(&waits, told).await;

    let mut other = now.clone();
    other.edit(|desired| desired["provisioner"] = json!("another"));
    let error = rig.act(&other, Operation::Update, &["provisioner"]).await.unwrap_err();
    assert!(error.message.contains("provisioner: Forbidden"), "{error:?}");
    for class in [later, now] {
        rig.act(&class, Operation::Delete, &[]).await.unwrap();
    }
    rig.stop().await;
}

async fn a_list_is_read_to_its_end_in_pages(backend: Backend) {
    let rig = Rig::on(backend, "pages").await;
    let maps: Vec<_> = (0..1200).map(|at| config_map(&format!("map-{at}"), json!({}))).collect();
    let path = "/api/v1/namespaces/pages/configmaps";
    for map in &maps {
        rig.api.post(path, map).await.ok();
    }
    let wanted: Vec<_> = maps.iter().map(|map| rig.subject(map).wanted()).collect();
    let before = rig.provider.requests();
    let readings = boma::provider::Provider::read(&rig.provider, &wanted).await;
    assert_eq!(readings.len(), 1200);
    readings.into_iter().for_each(|(_, reading)| drop(present(reading)));
    let lists = rig.requests().await.iter().filter(|request| request.verb == "list").count();
    assert!((2..=4).contains(&lists), "{lists} requests for 1200 objects in pages");
    assert!(rig.provider.requests() - before <= 5);
    rig.stop().await;
}
