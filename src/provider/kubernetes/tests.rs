//! The provider against an API server that answers as told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};

use super::testing::{Deed, Fake, Heard, Reply, ok, place, status, tree, wanted};
use super::{Kubernetes, Trial};
use crate::plan::Operation;
use crate::provider::{Provider, Retry, Wanted};
use crate::resource::{Address, Mark, Reading};

fn object(name: &str, uid: &str) -> Json {
    json!({"metadata": {"name": name, "namespace": "default", "uid": uid}})
}

async fn read(provider: &Kubernetes, wanted: &[Wanted]) -> Vec<Reading> {
    let readings = provider.read(wanted).await;
    let of = |one: &Wanted| readings.iter().find(|(address, _)| *address == one.address);
    wanted.iter().map(|one| of(one).unwrap().1.clone()).collect()
}

fn ids(readings: &[Reading]) -> Vec<String> {
    let id = |reading: &Reading| match reading {
        Reading::Present(object) => object.id.clone(),
        Reading::Absent => "absent".into(),
        Reading::Unread(reason) => format!("unread: {reason}"),
    };
    readings.iter().map(id).collect()
}

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
    let pages = ["?limit=500", "?limit=500&continue=a%2Fb"].map(|query| format!("{MAPS}{query}"));
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
    assert!(fake.lines()[1].ends_with("/pods?labelSelector=app%3Da&limit=500"));
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

#[tokio::test]
async fn each_passing_fault_is_forgiven_once() {
    let busy = || {
        let Reply::Json(code, body, _) = status(429, "TooManyRequests", "busy", json!([])) else {
            unreachable!()
        };
        Reply::Json(code, body, vec![("retry-after", "1".into())])
    };
    let failed = || status(500, "InternalError", "etcdserver: timed out", json!([]));
    let path = "GET /api/v1/namespaces/default/configmaps/a";
    let one = [wanted("ConfigMap", "a")];

    let fake = Fake::new();
    fake.on(path, [busy(), failed(), Reply::Drop, ok(object("a", "1"))]);
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
    assert_eq!((provider.requests(), fake.connections.load(Ordering::Relaxed)), (4, 2));

    for (fault, words) in [(busy(), "busy"), (failed(), "etcdserver"), (Reply::Drop, "broke")] {
        let fake = Fake::new();
        fake.on(path, [fault]);
        let provider = fake.provider();
        let id = ids(&read(&provider, &one).await).remove(0);
        assert!(id.starts_with("unread: ") && id.contains(words), "{id}");
        assert_eq!(provider.requests(), 2);
    }
}

#[tokio::test]
async fn a_server_that_starts_is_left_for_another() {
    let starting = status(503, "ServiceUnavailable", "apiserver not ready", json!([]));
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/default/configmaps/a", [starting, ok(object("a", "1"))]);
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &[wanted("ConfigMap", "a")]).await), ["1"]);
    let counts = [&fake.connections, &fake.moves].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(counts, [2, 1]);
}

#[tokio::test]
async fn one_connection_serves_one_call_after_the_other() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/default/configmaps/a", [ok(object("a", "1"))]);
    let provider = fake.provider();
    for _ in 0..3 {
        read(&provider, &[wanted("ConfigMap", "a")]).await;
    }
    assert_eq!((provider.requests(), fake.connections.load(Ordering::Relaxed)), (3, 1));
    assert_eq!(fake.kubeconfigs.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn refused_credentials_are_fetched_anew_once() {
    let path = "GET /api/v1/namespaces/default/configmaps/a";
    let one = [wanted("ConfigMap", "a")];
    let fake = Fake::new();
    fake.on(path, [ok(object("a", "1"))]);
    fake.refused.lock().unwrap().insert("token-1".into());
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
    // One that worked and then expires is fetched anew too.
    fake.refused.lock().unwrap().insert("token-2".into());
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
    assert_eq!(fake.kubeconfigs.load(Ordering::Relaxed), 3);

    let fake = Fake::new();
    fake.refused.lock().unwrap().extend(["token-1".into(), "token-2".into()]);
    let provider = fake.provider();
    let kinds = ["ConfigMap", "Secret", "Node", "Namespace"];
    let many = kinds.map(|kind| wanted(kind, "a"));
    for id in ids(&read(&provider, &many).await) {
        assert!(id.starts_with("unread: Unauthorized; the kubeconfig was read anew"), "{id}");
    }
    assert_eq!(fake.kubeconfigs.load(Ordering::Relaxed), 2);
    let error = provider.cluster_uid().await.unwrap_err();
    assert_eq!((error.retry, fake.kubeconfigs.load(Ordering::Relaxed)), (Retry::Never, 2));
}

#[tokio::test]
async fn a_cluster_that_is_away_has_one_reason() {
    let fake = Fake::new();
    *fake.away.lock().unwrap() = true;
    let provider = fake.provider();
    let readings =
        read(&provider, &["ConfigMap", "Secret", "Node"].map(|kind| wanted(kind, "a"))).await;
    for id in ids(&readings) {
        assert_eq!(
            id,
            "unread: connect to the Kubernetes API: no server answers; bring a server up"
        );
    }
    assert_eq!(provider.requests(), 0);
}

const APPLY: &str = "PATCH /apis/apps/v1/namespaces/default/deployments/a";
const QUERY: &str = "?fieldManager=boma&fieldValidation=Strict";

fn conflict(field: &str, manager: &str) -> Reply {
    let cause = json!({"reason": "FieldManagerConflict", "field": field,
        "message": format!("conflict with \"{manager}\" using apps/v1")});
    status(409, "Conflict", "Apply failed with 1 conflict", json!([cause]))
}

async fn update(fake: &std::sync::Arc<Fake>, fields: &[&str]) -> (Result<Reading, String>, Heard) {
    let heard = Heard::default();
    let deed = Deed {
        wanted: wanted("Deployment", "a"),
        operation: Operation::Update,
        attributes: json!({"spec": {"replicas": 2}}),
        fields,
        object: Some(("1", json!({}))),
    };
    let outcome = deed.carry_out(&fake.provider(), &heard).await;
    (outcome.map_err(|error| format!("{error} | {} | {:?}", error.help, error.retry)), heard)
}

#[tokio::test]
async fn everything_desired_is_applied_with_the_mark_and_the_uid() {
    let fake = Fake::new();
    let live = json!({"metadata": {"name": "a", "uid": "1"}, "spec": {"replicas": 2}});
    let warning = ("warning", "299 - \"old API\"".to_owned());
    fake.on(APPLY, [Reply::Json(200, live, vec![warning])]);
    let (outcome, heard) = update(&fake, &["spec.replicas"]).await;
    assert_eq!(tree(&outcome.unwrap())["spec"]["replicas"], 2);
    assert_eq!(*heard.0.lock().unwrap(), ["warning: old API"]);
    let seen = fake.seen().remove(0);
    assert_eq!(seen.line, format!("{APPLY}{QUERY}"));
    assert_eq!(seen.content_type, "application/apply-patch+yaml");
    let annotations = json!({"boma.dev/lineage": "lineage",
        "boma.dev/address": "cluster/test/Deployment/a"});
    let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2},
        "metadata": {"name": "a", "namespace": "default", "uid": "1", "annotations": annotations}});
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn a_conflict_is_overruled_only_where_the_plan_showed_it() {
    let fake = Fake::new();
    fake.on(APPLY, [conflict(".spec.replicas", "kubectl-edit"), ok(object("a", "1"))]);
    assert!(update(&fake, &["spec.replicas"]).await.0.is_ok());
    assert_eq!(fake.lines()[1], format!("{APPLY}{QUERY}&force=true"));

    let fake = Fake::new();
    fake.on(APPLY, [conflict(".spec.replicas", "kubectl-edit")]);
    let error = update(&fake, &["spec.paused"]).await.0.unwrap_err();
    assert!(error.contains("spec.replicas is held by kubectl-edit"), "{error}");
    assert_eq!(fake.lines().len(), 1);
}

#[tokio::test]
async fn a_refusal_has_every_cause() {
    let causes = json!([
        {"reason": "FieldValueInvalid", "field": "spec.a", "message": "Invalid value: 1"},
        {"reason": "FieldValueRequired", "field": "spec.b", "message": "Required value"}]);
    let fake = Fake::new();
    fake.on(APPLY, [status(422, "Invalid", "Deployment \"a\" is invalid", causes)]);
    let error = update(&fake, &[]).await.0.unwrap_err();
    let words = "Deployment \"a\" is invalid; spec.a: Invalid value: 1; spec.b: Required value";
    assert!(error.contains(words) && error.ends_with("Never"), "{error}");
    let fake = Fake::new();
    let error = update(&fake, &[]).await.0.unwrap_err();
    assert!(error.contains("does not serve deployments of apps/v1 yet"), "{error}");
    let other = "Precondition failed: UID in precondition: 1, UID in object meta: 2";
    let immutable = json!([{"reason": "FieldValueInvalid", "field": "metadata.uid",
        "message": "Invalid value: \"1\": field is immutable"}]);
    let others = [
        status(409, "Conflict", other, json!([])),
        status(422, "Invalid", "Deployment \"a\" is invalid", immutable),
    ];
    for other in others {
        let fake = Fake::new();
        fake.on(APPLY, [other]);
        let error = update(&fake, &[]).await.0.unwrap_err();
        assert!(error.contains("another object stands in its place") && error.ends_with("Never"));
        assert_eq!(fake.lines().len(), 1);
    }
    let schema = "failed to create typed patch object: .spec.x: field not declared in schema";
    let fake = Fake::new();
    fake.on(APPLY, [status(500, "InternalError", schema, json!([]))]);
    let error = update(&fake, &[]).await.0.unwrap_err();
    assert!(error.contains("correct what it names in the spec") && error.ends_with("Never"));
}

#[tokio::test]
async fn writes_meet_faults_with_the_same_patience() {
    let failed = status(503, "ServiceUnavailable", "starting", json!([]));
    let raced = status(409, "Conflict", "the object has been modified", json!([]));
    let fake = Fake::new();
    fake.on(APPLY, [failed, Reply::Drop, raced, ok(object("a", "1"))]);
    assert!(update(&fake, &[]).await.0.is_ok());
    assert_eq!(fake.lines().len(), 4);
}

#[tokio::test]
async fn the_strategy_becomes_recreate_before_the_rest_is_applied() {
    let fake = Fake::new();
    fake.on(APPLY, [ok(object("a", "1"))]);
    let deed = Deed {
        wanted: wanted("Deployment", "a"),
        operation: Operation::Update,
        attributes: json!({"spec": {"strategy": {"type": "Recreate"}}}),
        fields: &["spec.strategy.type"],
        object: Some(("1", json!({"spec": {"strategy": {"rollingUpdate": {}}}}))),
    };
    deed.carry_out(&fake.provider(), &Heard::default()).await.unwrap();
    let types: Vec<String> = fake.seen().into_iter().map(|seen| seen.content_type).collect();
    assert_eq!(types, ["application/merge-patch+json", "application/apply-patch+yaml"]);
    let strategy = json!({"type": "Recreate", "rollingUpdate": null});
    assert_eq!(fake.seen()[0].body["spec"]["strategy"], strategy);
}

async fn delete(fake: &std::sync::Arc<Fake>, kind: &str) -> Result<Reading, String> {
    let deed = Deed {
        wanted: wanted(kind, "a"),
        operation: Operation::Delete,
        attributes: json!({}),
        fields: &[],
        object: Some(("1", json!({}))),
    };
    deed.carry_out(&fake.provider(), &Heard::default()).await.map_err(|error| error.help)
}

#[tokio::test]
async fn only_the_object_that_is_meant_is_deleted() {
    let path = "DELETE /apis/apps/v1/namespaces/default/deployments/a";
    let fake = Fake::new();
    let going = json!({"metadata": {"name": "a", "uid": "1", "deletionTimestamp": "t",
        "finalizers": ["foregroundDeletion"]}});
    fake.on(path, [ok(going)]);
    let reading = delete(&fake, "Deployment").await.unwrap();
    assert_eq!(tree(&reading)["waiting"], "it is being deleted: finalizers foregroundDeletion");
    let body = fake.seen().remove(0).body;
    assert_eq!(
        (&body["preconditions"], &body["propagationPolicy"]),
        (&json!({"uid": "1"}), &json!("Foreground"))
    );

    for reply in [ok(json!({"kind": "Status"})), status(404, "NotFound", "gone", json!([]))] {
        let fake = Fake::new();
        fake.on(path, [reply]);
        assert_eq!(delete(&fake, "Deployment").await, Ok(Reading::Absent));
    }
    let fake = Fake::new();
    fake.on(
        path,
        [status(409, "Conflict", "the UID in the precondition (1) does not match", json!([]))],
    );
    assert_eq!(
        delete(&fake, "Deployment").await,
        Err("another object stands in its place: plan again".into())
    );
}

#[tokio::test]
async fn a_volume_outlives_its_resource() {
    let fake = Fake::new();
    assert_eq!(delete(&fake, "PersistentVolume").await, Ok(Reading::Absent));
    assert!(fake.lines().is_empty());
}

fn node(version: &str, taints: Json) -> Json {
    json!({"metadata": {"name": "a", "uid": "1", "resourceVersion": version,
            "annotations": {"boma.dev/taints": "boma"}},
        "spec": {"taints": taints}})
}

#[tokio::test]
async fn taints_are_changed_between_two_writes_of_others() {
    let other = json!({"key": "kubelet", "effect": "NoExecute"});
    let own = json!({"key": "boma", "effect": "NoSchedule"});
    let fake = Fake::new();
    fake.on("GET /api/v1/nodes/a", [ok(node("1", json!([]))), ok(node("3", json!([other])))]);
    fake.on(
        "PATCH /api/v1/nodes/a",
        [
            ok(node("2", json!([]))),
            status(409, "Conflict", "the object has been modified", json!([])),
            ok(node("4", json!([other, own]))),
        ],
    );
    let deed = Deed {
        wanted: wanted("Node", "a"),
        operation: Operation::Create,
        attributes: json!({"labels": {"zone": "a"}, "taints": [own]}),
        fields: &[],
        object: None,
    };
    let reading = deed.carry_out(&fake.provider(), &Heard::default()).await.unwrap();
    assert_eq!(tree(&reading)["owned"]["taints"], json!([own]));
    let seen = fake.seen();
    assert_eq!(seen[1].body["metadata"]["annotations"]["boma.dev/taints"], "boma");
    assert_eq!((&seen[1].body["spec"], &seen[1].body["taints"]), (&Json::Null, &Json::Null));
    assert_eq!(seen[2].body["metadata"]["resourceVersion"], "2");
    assert_eq!(seen[4].body["metadata"]["resourceVersion"], "3");
    assert_eq!(seen[4].body["spec"]["taints"], json!([other, own]));
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn a_node_is_never_made_and_never_deleted() {
    let fake = Fake::new();
    let deed = Deed {
        wanted: wanted("Node", "a"),
        operation: Operation::Create,
        attributes: json!({"labels": {"zone": "a"}}),
        fields: &[],
        object: None,
    };
    let error = deed.carry_out(&fake.provider(), &Heard::default()).await.unwrap_err();
    assert_eq!((error.message.as_str(), error.retry), ("the cluster has no node a", Retry::Later));

    let fake = Fake::new();
    let other = json!({"key": "kubelet", "effect": "NoExecute"});
    let own = json!({"key": "boma", "effect": "NoSchedule"});
    fake.on("GET /api/v1/nodes/a", [ok(node("1", json!([own, other])))]);
    fake.on("PATCH /api/v1/nodes/a", [ok(node("2", json!([other])))]);
    assert_eq!(delete(&fake, "Node").await, Ok(Reading::Absent));
    let seen = fake.seen();
    assert_eq!(seen[1].body["spec"]["taints"], json!([other]));
    assert_eq!(
        seen[2].body,
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a", "uid": "1"}})
    );
}

#[tokio::test]
async fn the_server_says_beforehand_what_it_will_refuse() {
    let fake = Fake::new();
    fake.on(APPLY, [status(422, "Invalid", "bad", json!([]))]);
    let path = "PATCH /api/v1/namespaces/default/configmaps/a";
    fake.on(path, [status(404, "NotFound", "namespaces \"default\" not found", json!([]))]);
    let trial = |kind: &str| {
        let Wanted { address, locator, .. } = wanted(kind, "a");
        let (attributes, fields) = (json!({}), Vec::new());
        Trial { address, place: locator.place, attributes, mark: locator.mark, fields }
    };
    let trials = ["Deployment", "ConfigMap", "Node"].map(trial);
    let verdicts = fake.provider().server_dry_run(trials.to_vec()).await;
    let told: Vec<(String, Option<String>)> = verdicts
        .into_iter()
        .map(|(address, verdict)| {
            (address.to_string(), verdict.err().map(|objection| objection.message))
        })
        .collect();
    let expected = [("ConfigMap", None), ("Deployment", Some("bad")), ("Node", None)];
    let expected = expected
        .map(|(kind, message)| (format!("cluster/test/{kind}/a"), message.map(str::to_owned)));
    assert_eq!(told, expected);
    assert!(fake.lines().iter().all(|line| line.ends_with("&dryRun=All")), "{:?}", fake.lines());
}

#[tokio::test]
async fn the_cluster_is_known_by_its_first_namespace() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/kube-system", [ok(object("kube-system", "uid-1"))]);
    assert_eq!(fake.provider().cluster_uid().await, Ok("uid-1".to_owned()));
    assert_eq!(place("Namespace", "kube-system").path(), "/api/v1/namespaces/kube-system");
}
