//! What is deleted, and what only loses what boma put on it.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::plan::Operation;
use crate::provider::Retry;
use crate::provider::kubernetes::testing::{Deed, Fake, Heard, ok, status, tree, wanted};
use crate::resource::Reading;

async fn delete(fake: &Arc<Fake>, kind: &str) -> Result<Reading, String> {
    act(fake, kind, Operation::Delete, json!({})).await
}

async fn act(
    fake: &Arc<Fake>,
    kind: &str,
    operation: Operation,
    live: Json,
) -> Result<Reading, String> {
    let deed = Deed {
        wanted: wanted(kind, "a"),
        operation,
        attributes: json!({}),
        fields: &[],
        object: Some(("1", live)),
        generated: &[],
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
async fn what_holds_data_is_deleted_only_where_it_was_given_up() {
    let refused = "plan again; data is deleted only by `boma destroy SPEC --abandon-data PROJECT`";
    for kind in ["PersistentVolume", "PersistentVolumeClaim"] {
        let fake = Fake::new();
        assert_eq!(delete(&fake, kind).await, Err(refused.into()), "{kind}");
        assert!(fake.lines().is_empty());
    }
    let claims = "GET /api/v1/namespaces/a/persistentvolumeclaims";
    let gone = "DELETE /api/v1/namespaces/a";
    let fake = Fake::new();
    fake.on(claims, [ok(json!({"items": [{"metadata": {"name": "couchdb-claim0"}}]}))]);
    assert_eq!(delete(&fake, "Namespace").await, Err(refused.into()));
    fake.on(gone, [ok(json!({"kind": "Status"}))]);
    let done = act(&fake, "Namespace", Operation::Abandon, json!({})).await;
    assert_eq!(done, Ok(Reading::Absent));
    fake.on(claims, [ok(json!({"items": []}))]);
    assert_eq!(delete(&fake, "Namespace").await, Ok(Reading::Absent));
}

#[tokio::test]
async fn numbered_pods_that_would_take_their_claims_with_them_stay() {
    let delete = async |policy: &str| {
        let fake = Fake::new();
        let path = "DELETE /apis/apps/v1/namespaces/default/statefulsets/a";
        fake.on(path, [ok(json!({"kind": "Status"}))]);
        let live = json!({"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}],
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": policy}}});
        let outcome = act(&fake, "StatefulSet", Operation::Delete, live).await;
        (outcome.is_ok(), fake.lines().len())
    };
    assert_eq!(delete("Retain").await, (true, 1));
    assert_eq!(delete("Delete").await, (false, 0), "nothing is asked for");
}

#[tokio::test]
async fn a_secret_with_the_databases_password_stays() {
    let fake = Fake::new();
    fake.on("DELETE /api/v1/namespaces/default/secrets/a", [ok(json!({"kind": "Status"}))]);
    let of = |key: &str| json!({"data": {key: {"$sealed": "1"}}});
    let refused = act(&fake, "Secret", Operation::Delete, of("COUCHDB_PASSWORD")).await;
    assert!(refused.is_err() && fake.lines().is_empty());
    let done = act(&fake, "Secret", Operation::Delete, of("tls.crt")).await;
    assert_eq!(done, Ok(Reading::Absent));
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
        generated: &[],
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
        generated: &[],
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
