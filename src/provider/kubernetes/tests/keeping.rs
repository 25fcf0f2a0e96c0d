//! Credentials: what CouchDB's volumes were made with stays.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::object;
use crate::plan::Operation;
use crate::provider::kubernetes::testing::{
    Deed, Fake, Heard, Reply, ok, status, wanted_of_project,
};
use crate::provider::{ProviderError, Retry};

const PATH: &str = "/api/v1/namespaces/default/secrets/a";

async fn write(fake: &Arc<Fake>, object: Option<(&str, Json)>) -> Result<(), ProviderError> {
    write_shown(fake, object, &["data", "labels"]).await
}

/// A user that the spec gives and a password that was made up. The plan showed these fields.
async fn write_shown(
    fake: &Arc<Fake>,
    object: Option<(&str, Json)>,
    fields: &[&str],
) -> Result<(), ProviderError> {
    let deed = Deed {
        wanted: wanted_of_project("Secret", "a"),
        operation: if object.is_some() { Operation::Update } else { Operation::Create },
        attributes: json!({"type": "Opaque", "data": {"user": "medic", "password": "made up"}}),
        fields,
        object,
        generated: &["/data/password"],
    };
    // Nothing runs that could be upgrading.
    fake.on("GET /api/v1/namespaces/default/pods", [ok(json!({"items": []}))]);
    deed.carry_out(&fake.provider(), &Heard::default()).await.map(drop)
}

fn live(data: Json) -> Reply {
    ok(json!({"metadata": {"name": "a", "namespace": "default", "uid": "1",
        "resourceVersion": "7"}, "type": "Opaque", "data": data}))
}

fn claims(claims: Json) -> (&'static str, [Reply; 1]) {
    ("GET /api/v1/namespaces/default/persistentvolumeclaims", [ok(json!({"items": claims}))])
}

fn sent(fake: &Fake) -> Json {
    fake.seen().into_iter().find(|seen| seen.line.starts_with("PATCH")).unwrap().body
}

#[tokio::test]
async fn what_is_there_is_written_back_whatever_is_desired() {
    // In base64: "root" and "old"; bytes that are no text.
    for (data, password) in [
        (json!({"user": "cm9vdA==", "password": "b2xk", "more": "eA=="}), "b2xk"),
        (json!({"user": "cm9vdA==", "password": "/w=="}), "/w=="),
    ] {
        let fake = Fake::new();
        fake.on(&format!("GET {PATH}"), [live(data)]);
        fake.on(&format!("PATCH {PATH}"), [ok(object("a", "1"))]);
        for object in [Some(("1", json!({}))), None] {
            write(&fake, object).await.unwrap();
        }
        let sent = sent(&fake);
        assert_eq!(sent["data"], json!({"user": "cm9vdA==", "password": password}));
        assert_eq!(sent["metadata"]["resourceVersion"], "7");
    }
}

#[tokio::test]
async fn what_the_plan_puts_back_is_written_and_what_was_made_up_is_not() {
    let held = json!([{"reason": "FieldManagerConflict", "field": ".data.user",
        "message": "conflict with \"kubectl-edit\" using v1"}]);
    let held = status(409, "Conflict", "Apply failed with 1 conflict", held);
    let fake = Fake::new();
    fake.on(&format!("GET {PATH}"), [live(json!({"user": "cm9vdA==", "password": "b2xk"}))]);
    fake.on(&format!("PATCH {PATH}"), [held, ok(object("a", "1"))]);
    let shown = ["data.user", "data.password"];
    write_shown(&fake, Some(("1", json!({}))), &shown).await.unwrap();
    assert_eq!(sent(&fake)["data"], json!({"user": "bWVkaWM=", "password": "b2xk"}));
    let patches = fake.seen().into_iter().filter(|seen| seen.line.starts_with("PATCH"));
    assert_eq!(patches.filter(|seen| seen.line.contains("force=true")).count(), 1);
}

#[tokio::test]
async fn a_write_of_others_in_between_is_read_again() {
    let raced = status(409, "Conflict", "the object has been modified", json!([]));
    let held = json!([{"reason": "FieldManagerConflict", "field": ".data.password",
        "message": "conflict with \"helm\" using v1"}]);
    let held = status(409, "Conflict", "Apply failed with 1 conflict", held);
    let fake = Fake::new();
    fake.on(&format!("GET {PATH}"), [live(json!({"user": "eA==", "password": "eA=="}))]);
    fake.on(&format!("PATCH {PATH}"), [raced, held]);
    let error = write(&fake, Some(("1", json!({})))).await.unwrap_err();
    assert!(error.message.contains("data.password is held by helm"), "never forced: {error}");
    assert_eq!(fake.lines().len(), 5);
}

#[tokio::test]
async fn nothing_is_made_up_for_volumes_that_stand() {
    let create = async |found: Json| {
        let fake = Fake::new();
        fake.on(&format!("PATCH {PATH}"), [ok(object("a", "1"))]);
        let (path, replies) = claims(found);
        fake.on(path, replies);
        write(&fake, None).await.map(|()| sent(&fake)["data"]["password"].clone())
    };
    let claim = |volume: Json| json!([{"metadata": {"name": "c"}, "spec": {"volumeName": volume}}]);
    assert_eq!(create(json!([])).await, Ok("bWFkZSB1cA==".into()));
    assert_eq!(create(claim(Json::Null)).await, Ok("bWFkZSB1cA==".into()), "never had a volume");
    let error = create(claim("pvc-1".into())).await.unwrap_err();
    assert_eq!(error.retry, Retry::Never);
    assert!(error.message.contains("volumes stand that were made with it: c;"), "{error}");
    assert!(error.help.contains("boma secrets export"), "{}", error.help);
}

#[tokio::test]
async fn a_value_that_is_gone_is_not_made_up() {
    let fake = Fake::new();
    fake.on(&format!("GET {PATH}"), [live(json!({"user": "cm9vdA=="}))]);
    let error = write(&fake, Some(("1", json!({})))).await.unwrap_err();
    assert!(error.message.contains("the Secret a has no password"), "{error}");
    assert_eq!(fake.lines().len(), 2);
}
