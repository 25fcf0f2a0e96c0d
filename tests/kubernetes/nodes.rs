//! Nodes and volumes, which boma does not make.

use boma::plan::Operation;
use serde_json::{Value as Json, json};

use super::kubelet::UNINITIALIZED;
use super::rig::{Backend, Rig, present};

on_each_backend! {
    a_node_gets_labels_and_taints_and_keeps_those_of_others,
    a_node_waits_for_the_cloud_provider,
    of_a_volume_only_its_reclaim_policy_is_written,
}

async fn a_node_gets_labels_and_taints_and_keeps_those_of_others(backend: Backend) {
    let rig = Rig::on(backend, "node-edit").await;
    let path = rig.node("node-edit").await;
    let theirs = json!({"key": "example.org/theirs", "effect": "PreferNoSchedule"});
    let node = rig.api.get(&path).await.ok();
    let mut taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
    taints.push(theirs.clone());
    taints.push(json!({"key": "by-hand", "effect": "PreferNoSchedule"}));
    rig.api
        .merge(
            &path,
            &json!({"spec": {"taints": taints},
        "metadata": {"labels": {"theirs": "x"}}}),
        )
        .await
        .ok();

    let manifest = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "node-edit", "labels": {"zone": "a", "role": "db"}},
        "taints": [{"key": "ours", "value": "true", "effect": "NoSchedule"}]});
    let node = rig.seen(&rig.subject(&manifest)).await;
    let taint = ["taints.by-hand", "taints.ours.effect", "taints.ours.key", "taints.ours.value"];
    assert_eq!(node.differences()[..2], ["labels.role", "labels.zone"]);
    assert_eq!(node.differences()[2..], taint);
    let mut node = rig.update(&node, &["labels.role", "labels.zone", "taints.ours"]).await;
    // It goes where the plan shows it.
    assert_eq!(rig.seen(&node).await.differences(), ["taints.by-hand"]);
    node = rig.update(&node, &["taints.by-hand"]).await;
    assert_eq!(rig.seen(&node).await.differences(), [""; 0]);
    let writes = rig.writes().await.len();
    node = rig.update(&node, &[]).await;
    assert!(rig.writes().await.len() <= writes + 1, "{:?}", rig.writes().await);

    node.edit(|desired| {
        desired["labels"] = json!({"zone": "b"});
        desired["taints"] = json!([]);
    });
    let node = rig.update(&node, &["labels.role", "labels.zone", "taints.ours"]).await;
    let live = rig.api.get(&path).await.ok();
    assert_eq!(live["metadata"]["labels"]["zone"], "b");
    assert_eq!(live["metadata"]["labels"]["theirs"], "x");
    assert!(live["metadata"]["labels"]["role"].is_null(), "{live}");
    let has = |live: &Json, key: &str| {
        live["spec"]["taints"].as_array().unwrap().iter().any(|taint| taint["key"] == key)
    };
    assert!(has(&live, "example.org/theirs") && !has(&live, "ours"), "{live}");

    rig.act(&node, Operation::Delete, &[]).await.unwrap();
    let live = rig.api.get(&path).await.ok();
    assert!(has(&live, "example.org/theirs"), "{live}");
    assert_eq!(live["metadata"]["labels"]["theirs"], "x");
    assert!(live["metadata"]["labels"]["zone"].is_null(), "{live}");
    assert!(live["metadata"]["annotations"]["boma.dev/address"].is_null(), "{live}");
    rig.api.delete(&path).await;
    rig.stop().await;
}

async fn a_node_waits_for_the_cloud_provider(backend: Backend) {
    let rig = Rig::on(backend, "node-cloud").await;
    let path = rig.node("node-cloud").await;
    let manifest = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-cloud"}});
    let node = rig.ready(&rig.subject(&manifest)).await;
    let before = rig.api.get(&path).await.ok()["spec"]["taints"].clone();
    let mut taints = before.as_array().cloned().unwrap_or_default();
    taints.push(json!({"key": UNINITIALIZED, "value": "true", "effect": "NoSchedule"}));
    rig.api.merge(&path, &json!({"spec": {"taints": taints}})).await.ok();
    let tree = present(rig.read(&node).await).attributes.tree();
    // Another test may have a cloud provider in the cluster, which takes the taint off at once.
    if tree["ready"] == false {
        assert!(tree["waiting"].as_str().unwrap().contains("cloud provider"), "{tree}");
    }
    rig.api.merge(&path, &json!({"spec": {"taints": before}})).await.ok();
    rig.ready(&node).await;
    rig.api.delete(&path).await;
    rig.stop().await;
}

async fn of_a_volume_only_its_reclaim_policy_is_written(backend: Backend) {
    let rig = Rig::on(backend, "volume").await;
    let mut volume = json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": "volume-kept"},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "none",
            "csi": {"driver": "csi.vsphere.vmware.com", "volumeHandle": "x"}}});
    rig.api.post("/api/v1/persistentvolumes", &volume).await.ok();
    volume["spec"] = json!({"persistentVolumeReclaimPolicy": "Retain"});
    let kept = rig.seen(&rig.subject(&volume)).await;
    let field = "spec.persistentVolumeReclaimPolicy";
    assert_eq!(kept.differences(), [field]);
    let kept = rig.update(&kept, &[field]).await;
    assert_eq!(kept.differences(), [""; 0]);
    let refused = rig.act(&kept, Operation::Delete, &[]).await.unwrap_err();
    assert!(refused.message.contains("volume-kept holds data"), "{refused:?}");
    let live = rig.api.get(&kept.path()).await.ok();
    assert_eq!(live["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    assert!(live["metadata"]["deletionTimestamp"].is_null());
    rig.api.delete(&kept.path()).await;
    rig.stop().await;
}
