//! What is read, by how many requests.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::{ids, object, read};
use crate::provider::kubernetes::client::PARALLEL;
use crate::provider::kubernetes::testing::{Fake, Reply, ok, status, tree, wanted};
use crate::provider::{Provider, Wanted};
use crate::resource::{Address, Attributes, Mark, Reading};

const MAPS: &str = "GET /api/v1/configmaps";

fn two_maps() -> [Wanted; 2] {
    [wanted("ConfigMap", "a"), wanted("ConfigMap", "b")]
}

#[tokio::test]
async fn a_kind_is_read_page_by_page_in_all_namespaces() {
    let fake = Fake::new();
    let first =
        json!({"metadata": {"continue": "a/b"}, "items": [object("a", "1"), object("x", "9")]});
    let last = json!({"metadata": {"continue": ""}, "items": [object("b", "2")]});
    fake.on(MAPS, [ok(first), ok(last)]);
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &two_maps()).await), ["1", "2"]);
    let pages = ["?&limit=500", "?&limit=500&continue=a%2Fb"].map(|query| format!("{MAPS}{query}"));
    assert_eq!(fake.lines(), pages);
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_list_that_grew_too_old_is_read_again_once() {
    let gone = || status(410, "Expired", "The provided continue parameter is too old", json!([]));
    let first = || ok(json!({"metadata": {"continue": "c"}, "items": [object("a", "1")]}));
    let last = ok(json!({"metadata": {}, "items": [object("b", "2")]}));
    let fake = Fake::new();
    fake.on(MAPS, [first(), gone(), first(), last]);
    assert_eq!(ids(&read(&fake.provider(), &two_maps()).await), ["1", "2"]);
    let fake = Fake::new();
    fake.on(MAPS, [first(), gone(), first(), gone()]);
    let readings = read(&fake.provider(), &two_maps()).await;
    assert!(ids(&readings).iter().all(|id| id.starts_with("unread: The provided continue")));
    assert_eq!(fake.lines().len(), 4);
}

#[tokio::test]
async fn only_a_whole_list_proves_that_something_is_not_there() {
    let fake = Fake::new();
    fake.on(MAPS, [ok(json!({"metadata": {}, "items": [object("b", "2")]}))]);
    assert_eq!(ids(&read(&fake.provider(), &two_maps()).await), ["absent", "2"]);
    let fake = Fake::new();
    assert_eq!(ids(&read(&fake.provider(), &two_maps()).await), ["absent", "absent"]);
    let fake = Fake::new();
    fake.on(
        MAPS,
        [ok(json!({"metadata": {"continue": "c"}, "items": [object("b", "2")]})), Reply::Drop],
    );
    let readings = read(&fake.provider(), &two_maps()).await;
    assert!(
        ids(&readings).iter().all(|id| id.starts_with("unread: the connection")),
        "{readings:?}"
    );
}

#[tokio::test]
async fn one_object_of_a_kind_is_read_by_its_name() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/default/configmaps/a", [ok(object("a", "1"))]);
    fake.on("GET /api/v1/nodes/n", [status(404, "NotFound", "nodes \"n\" not found", json!([]))]);
    let asked = [wanted("ConfigMap", "a"), wanted("Node", "n")];
    assert_eq!(ids(&read(&fake.provider(), &asked).await), ["1", "absent"]);
}

#[tokio::test]
async fn a_reading_has_the_mark_the_fields_and_their_owners() {
    let fake = Fake::new();
    let live = json!({
        "metadata": {
            "name": "a", "namespace": "default", "uid": "1", "generation": 3,
            "labels": {"app": "a"},
            "annotations": {"boma.dev/lineage": "l", "boma.dev/address": "cluster/test/Secret/a"},
            "managedFields": [
                {"manager": "boma", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:annotations": {"f:boma.dev/lineage": {}, "f:boma.dev/address": {}}},
                    "f:data": {"f:password": {}}}},
                {"manager": "kubectl", "operation": "Update", "fieldsV1": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}}}},
            ],
        },
        "type": "Opaque", "data": {"password": "aHVudGVyMg==", "other": "eA=="},
    });
    fake.on("GET /api/v1/namespaces/default/secrets/a", [ok(live)]);
    let readings = read(&fake.provider(), &[wanted("Secret", "a")]).await;
    let expected = json!({
        "uid": "1", "generation": 3, "ready": true, "labels": {"app": "a"}, "type": "Opaque",
        "data": {"password": "hunter2", "other": "x"}, "owned": {"data": {"password": "hunter2"}},
        "managers": {"labels": "kubectl"},
    });
    assert_eq!(tree(&readings[0]), expected);
    let mark = Mark { lineage: "l".into(), address: Address::from("cluster/test/Secret/a") };
    assert_eq!(readings[0].object().unwrap().mark, Some(mark));
}

#[tokio::test]
async fn why_a_workload_is_not_ready_is_asked_for_one_object_only() {
    let live = |name: &str| {
        json!({"metadata": {"name": name, "namespace": "default", "uid": "1", "generation": 1},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}},
            "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}})
    };
    let fake = Fake::new();
    fake.on("GET /apis/apps/v1/namespaces/default/deployments/a", [ok(live("a"))]);
    fake.on("GET /apis/apps/v1/deployments", [ok(json!({"items": [live("a"), live("b")]}))]);
    let pod = json!({"metadata": {"name": "a-1"}, "status": {"containerStatuses": [
        {"name": "x", "state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}]}});
    fake.on("GET /api/v1/namespaces/default/pods", [ok(json!({"items": [pod]}))]);
    fake.on("GET /api/v1/namespaces/default/events", [status(500, "", "no", json!([]))]);
    let provider = fake.provider();
    let readings = read(&provider, &[wanted("Deployment", "a")]).await;
    let told = "0 of 1 pods are available; pod a-1: ErrImagePull: no such image";
    assert_eq!(tree(&readings[0])["waiting"], told);
    assert!(fake.lines()[1].ends_with("/pods?&labelSelector=app%3Da&limit=500"));
    let before = provider.requests();
    let both = [wanted("Deployment", "a"), wanted("Deployment", "b")];
    let readings = read(&provider, &both).await;
    assert_eq!(tree(&readings[1])["waiting"], "0 of 1 pods are available");
    assert_eq!(provider.requests() - before, 1);
}

#[tokio::test]
async fn a_claim_that_waits_for_a_pod_is_ready() {
    let claim = |name: &str, class: &str, phase: &str| {
        json!({"metadata": {"name": name, "namespace": "default", "uid": name},
            "spec": {"storageClassName": class}, "status": {"phase": phase}})
    };
    let fake = Fake::new();
    let claims =
        [claim("a", "late", "Pending"), claim("b", "soon", "Pending"), claim("c", "soon", "Bound")];
    fake.on("GET /api/v1/persistentvolumeclaims", [ok(json!({"items": claims}))]);
    let classes = json!([
        {"metadata": {"name": "late"}, "volumeBindingMode": "WaitForFirstConsumer"},
        {"metadata": {"name": "soon"}, "volumeBindingMode": "Immediate"}]);
    fake.on("GET /apis/storage.k8s.io/v1/storageclasses", [ok(json!({"items": classes}))]);
    let asked = ["a", "b", "c"].map(|name| wanted("PersistentVolumeClaim", name));
    let provider = fake.provider();
    let readings = read(&provider, &asked).await;
    let ready: Vec<Json> = readings.iter().map(|reading| tree(reading)["ready"].clone()).collect();
    assert_eq!(ready, [true, false, true]);
    assert_eq!(provider.requests(), 2);
}

/// Where a whole country is destroyed, all its claims are looked at again and again.
#[tokio::test]
async fn claims_that_are_waited_for_together_share_what_hangs_where() {
    let attachments = |nodes: &[(&str, &str)]| {
        let one = |(volume, node): &(&str, &str)| {
            let name = format!("csi-{volume}-{node}");
            json!({"metadata": {"name": name}, "spec": {"nodeName": node,
                "source": {"persistentVolumeName": volume}}})
        };
        ok(json!({"metadata": {}, "items": nodes.iter().map(one).collect::<Vec<_>>()}))
    };
    let list = "GET /apis/storage.k8s.io/v1/volumeattachments";
    let fake = Fake::new();
    for number in 0..40 {
        let claim = json!({"metadata": {"name": format!("c{number}"), "namespace": "default"},
            "spec": {"volumeName": format!("v{number}")}, "status": {"phase": "Bound"}});
        let path = format!("GET /api/v1/namespaces/default/persistentvolumeclaims/c{number}");
        fake.on(&path, [ok(claim)]);
    }
    fake.on(list, [attachments(&[("v0", "b"), ("v0", "a"), ("v7", "a")])]);
    let provider = fake.provider();
    let asked = |number: usize| [wanted("PersistentVolumeClaim", &format!("c{number}"))];
    let attached =
        async |number: usize| tree(&read(&provider, &asked(number)).await[0])["attached"].clone();
    let told = futures_util::future::join_all((0..40).map(&attached)).await;
    let hanging: Vec<usize> = (0..40).filter(|&number| told[number] != json!([])).collect();
    assert_eq!((hanging, &told[0], &told[7]), (vec![0, 7], &json!(["a", "b"]), &json!(["a"])));
    let lists = || fake.lines().iter().filter(|line| line.starts_with(list)).count();
    assert!(lists() <= 2, "{} lists", lists());

    // What was read before somebody asked is no answer to him.
    let before = lists();
    fake.on(list, [attachments(&[("v0", "c")])]);
    assert_eq!(attached(0).await, json!(["c"]));
    fake.on(list, [status(403, "Forbidden", "no", json!([]))]);
    assert!(ids(&read(&provider, &asked(0)).await)[0].starts_with("unread: no"));
    assert_eq!(lists() - before, 2);
}

#[tokio::test]
async fn the_cluster_is_known_by_its_first_namespace() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/kube-system", [ok(object("kube-system", "uid-1"))]);
    assert_eq!(fake.provider().cluster_uid().await, Ok("uid-1".to_owned()));
}

/// Which cluster it is and what is of each kind are as many requests side by side as there may be:
/// a server that answers only once all have come answers.
#[tokio::test]
async fn nothing_of_a_reading_waits_for_anything_else() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/kube-system", [ok(object("kube-system", "uid-1"))]);
    let kinds = ["ConfigMap", "Secret", "Node", "Deployment", "DaemonSet", "StorageClass", "Other"];
    *fake.together.lock().unwrap() = Some(Arc::new(Barrier::new(PARALLEL)));
    assert_eq!(kinds.len() + 1, PARALLEL);
    let provider = fake.provider();
    let (one, two) = (kinds.map(|kind| wanted(kind, "a")), kinds.map(|kind| wanted(kind, "b")));
    let wanted: Vec<Wanted> = one.into_iter().chain(two).collect();
    let both = async { tokio::join!(provider.cluster_uid(), provider.read(&wanted)) };
    let (uid, readings) = timeout(Duration::from_secs(20), both).await.expect("all at once");
    assert_eq!((uid.as_deref(), readings.len()), (Ok("uid-1"), 14));
    assert_eq!(fake.lines().len(), PARALLEL);
}

#[tokio::test]
async fn a_place_may_stand_for_all_of_a_kind() {
    let check = |namespace: Option<&'static str>, expected: &'static [&'static str]| async move {
        let fake = Fake::new();
        let elsewhere = json!({"metadata": {"name": "c", "namespace": "other", "uid": "3"}});
        let list =
            json!({"metadata": {}, "items": [object("a", "1"), object("b", "2"), elsewhere]});
        fake.on(MAPS, [ok(list)]);
        let mut all = wanted("ConfigMap", "*");
        let mut place = all.locator.place.tree();
        place["namespace"] = namespace.into();
        all.locator.place = Attributes::new(&place);
        all.address = Address::from("maps");
        let readings = fake.provider().read(&[all]).await;
        let found = readings.iter().filter(|(_, reading)| reading.object().is_some());
        let found: Vec<&str> = found.map(|(address, _)| address.as_str()).collect();
        assert_eq!(found, expected);
        assert!(readings.contains(&(Address::from("maps"), Reading::Absent)));
        assert_eq!(fake.lines().len(), 1);
    };
    check(None, &["maps/a", "maps/b", "maps/c"]).await;
    check(Some("default"), &["maps/a", "maps/b"]).await;
    let fake = Fake::new();
    fake.on(MAPS, [status(403, "Forbidden", "no", json!([]))]);
    let readings = fake.provider().read(&[wanted("ConfigMap", "*")]).await;
    assert!(matches!(readings[..], [(_, Reading::Unread(_))]), "{readings:?}");
}
