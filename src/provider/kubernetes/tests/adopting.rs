//! What helm made and boma keeps from now on.

use serde_json::{Value as Json, json};

use super::read;
use crate::plan::Operation;
use crate::provider::kubernetes::testing::{
    Deed, Fake, Heard, Reply, Seen, ok, status, tree, wanted,
};
use crate::provider::{ProviderError, Retry};

const PATH: &str = "/api/v1/namespaces/default/configmaps/a";

/// An object of these managers.
fn live(version: &str, managers: &[&str], labels: Json) -> Reply {
    let entry = |manager: &&str| json!({"manager": manager, "operation": "Apply"});
    let entries: Vec<Json> = managers.iter().map(entry).collect();
    ok(json!({"metadata": {"name": "a", "namespace": "default", "uid": "1", "labels": labels,
        "resourceVersion": version, "managedFields": entries}}))
}

fn helms() -> Json {
    json!({"app.kubernetes.io/managed-by": "Helm"})
}

/// Writes an object; gives the patches that followed the write.
async fn update(read: Vec<Reply>, written: Vec<Reply>) -> Result<Vec<Seen>, ProviderError> {
    let fake = Fake::new();
    fake.on(&format!("GET {PATH}"), read);
    fake.on(&format!("PATCH {PATH}"), written);
    let deed = Deed {
        wanted: wanted("ConfigMap", "a"),
        operation: Operation::Update,
        attributes: json!({}),
        fields: &[],
        object: Some(("1", json!({"owned": {}}))),
        generated: &[],
    };
    deed.carry_out(&fake.provider(), &Heard::default()).await?;
    let json = |seen: &Seen| seen.content_type == "application/json-patch+json";
    Ok(fake.seen().into_iter().filter(json).collect())
}

#[tokio::test]
async fn helms_entry_goes_with_the_write() {
    let written = vec![live("5", &["helm", "boma"], helms()), live("6", &["boma"], helms())];
    let patches = update(vec![], written).await.unwrap();
    let expected = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": "5"},
        {"op": "remove", "path": "/metadata/managedFields/0"}]);
    assert_eq!(patches.iter().map(|seen| seen.body.clone()).collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn entries_of_others_stay() {
    let by_hand = live("5", &["helm", "boma"], json!({}));
    assert_eq!(update(vec![], vec![by_hand]).await.unwrap().len(), 0);
    let another = live("5", &["kubectl", "boma"], helms());
    assert_eq!(update(vec![], vec![another]).await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_object_that_was_written_in_between_is_read_again() {
    let tested = || status(422, "", "testing value failed", json!([]));
    let written =
        vec![live("5", &["helm", "boma"], helms()), tested(), live("8", &["boma"], helms())];
    let read = vec![live("7", &["boma", "helm"], helms())];
    let patches = update(read, written).await.unwrap();
    assert_eq!(patches[1].body[0]["value"], "7");
    assert_eq!(patches[1].body[1]["path"], "/metadata/managedFields/1");

    let written = vec![live("5", &["helm", "boma"], helms()), tested()];
    let read = vec![live("7", &["boma", "helm"], helms())];
    let error = update(read, written).await.unwrap_err();
    assert!(error.message.contains("written all the time"), "{error}");
    assert_eq!(error.retry, Retry::NextApply, "it was tried often enough");
}

#[tokio::test]
async fn who_holds_an_object_is_read() {
    let held = async |managers: &[&str], labels: Json| {
        let fake = Fake::new();
        fake.on(&format!("GET {PATH}"), [live("5", managers, labels)]);
        let readings = read(&fake.provider(), &[wanted("ConfigMap", "a")]).await;
        tree(&readings[0])["managed_by"].clone()
    };
    assert_eq!(held(&["helm", "boma"], helms()).await, "helm");
    assert_eq!(held(&["boma"], helms()).await, Json::Null);
    assert_eq!(held(&["helm"], json!({})).await, Json::Null);
}
