//! What is applied, and what the server says to it.

use std::sync::Arc;

use serde_json::json;

use super::object;
use crate::plan::Operation;
use crate::provider::Wanted;
use crate::provider::kubernetes::Trial;
use crate::provider::kubernetes::testing::{Deed, Fake, Heard, Reply, ok, status, tree, wanted};
use crate::resource::Reading;

const APPLY: &str = "PATCH /apis/apps/v1/namespaces/default/deployments/a";

const QUERY: &str = "?&fieldManager=boma&fieldValidation=Strict";

fn conflict(field: &str, manager: &str) -> Reply {
    let cause = json!({"reason": "FieldManagerConflict", "field": field,
        "message": format!("conflict with \"{manager}\" using apps/v1")});
    status(409, "Conflict", "Apply failed with 1 conflict", json!([cause]))
}

async fn update(fake: &Arc<Fake>, fields: &[&str]) -> (Result<Reading, String>, Heard) {
    let heard = Heard::default();
    let deed = Deed {
        wanted: wanted("Deployment", "a"),
        operation: Operation::Update,
        attributes: json!({"spec": {"replicas": 2}}),
        fields,
        object: Some(("1", json!({}))),
        generated: &[],
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
    assert_eq!(fake.lines()[1], format!("{APPLY}{}", QUERY.replace("?&", "?&force=true&")));

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
        generated: &[],
    };
    deed.carry_out(&fake.provider(), &Heard::default()).await.unwrap();
    let types: Vec<String> = fake.seen().into_iter().map(|seen| seen.content_type).collect();
    assert_eq!(types, ["application/merge-patch+json", "application/apply-patch+yaml"]);
    let strategy = json!({"type": "Recreate", "rollingUpdate": null});
    assert_eq!(fake.seen()[0].body["spec"]["strategy"], strategy);
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
    assert!(fake.lines().iter().all(|line| line.contains("?&dryRun=All&")), "{:?}", fake.lines());
}
