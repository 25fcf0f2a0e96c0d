//! Projects that upgrade themselves, or did so since a plan was made.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{object, pods};
use crate::plan::Operation;
use crate::provider::ProviderError;
use crate::provider::kubernetes::Kubernetes;
use crate::provider::kubernetes::testing::{
    Deed, Fake, Heard, Reply, ok, ran, status, wanted_of_project,
};

const PATH: &str = "/apis/apps/v1/namespaces/default/deployments";
const EXEC: &str = "GET /api/v1/namespaces/default/pods/cht-couchdb-1-x/exec";

fn project(running: &[&str], replies: impl IntoIterator<Item = Reply>) -> Arc<Fake> {
    let fake = Fake::new();
    for name in ["api", "sentinel"] {
        fake.on(&format!("PATCH {PATH}/{name}"), [ok(object(name, "1"))]);
    }
    fake.on("GET /api/v1/namespaces/default/pods", [ok(pods(running))]);
    fake.on(EXEC, replies);
    fake
}

async fn update(
    provider: &Kubernetes,
    name: &str,
    before: Json,
    after: Json,
    heard: &Heard,
) -> Result<(), ProviderError> {
    let deed = Deed {
        wanted: wanted_of_project("Deployment", name),
        operation: Operation::Update,
        attributes: after,
        fields: &[],
        object: Some(("1", before)),
        generated: &[],
    };
    deed.carry_out(provider, heard).await.map(drop)
}

/// Writes two Deployments. Gives what each said, and how often a command was run.
async fn write_both(fake: &Arc<Fake>) -> (Vec<Option<String>>, usize, Vec<String>) {
    let (provider, heard) = (fake.provider(), Heard::default());
    let mut told = Vec::new();
    for name in ["api", "sentinel"] {
        let outcome = update(&provider, name, json!({}), json!({}), &heard).await;
        told.push(outcome.err().map(|error| error.message));
    }
    let asked = fake.lines().iter().filter(|line| line.starts_with(EXEC)).count();
    (told, asked, heard.0.into_inner().unwrap())
}

#[tokio::test]
async fn nothing_is_written_while_an_upgrade_runs() {
    let doc = json!({"upgradeDoc": {"state": "indexing", "to": {"build": "4.22.0"}}});
    let fake = project(&["cht-api", "cht-couchdb-1"], [ran(&doc.to_string(), 0)]);
    let (told, asked, _) = write_both(&fake).await;
    let refused = "an upgrade runs in default: to 4.22.0, indexing".to_owned();
    assert_eq!(told, [Some(refused.clone()), Some(refused)]);
    assert_eq!(asked, 1, "a project is asked once");
    assert!(fake.lines().iter().all(|line| !line.starts_with("PATCH")));
    let exec = fake.lines().into_iter().find(|line| line.starts_with(EXEC)).unwrap();
    let url = "http%3A%2F%2Fapi%3A5988%2Fapi%2Fv2%2Fupgrade";
    assert!(exec.ends_with(url), "{exec}");
}

#[tokio::test]
async fn a_project_without_an_upgrade_is_written() {
    let answers = [
        ran("{}", 0),
        ran(r#"{"upgradeDoc":null,"indexers":[]}"#, 0),
        ran(r#"{"code":404,"error":"not_found"}"#, 0),
        ran("", 7),
        ran("<html>bad gateway</html>", 0),
    ];
    for answer in answers {
        let (told, asked, heard) = write_both(&project(&["cht-couchdb-1"], [answer])).await;
        assert_eq!((told, asked, heard), (vec![None, None], 1, Vec::new()));
    }
    let (told, asked, _) = write_both(&project(&["cht-api", "cht-couchdb-nouveau"], [])).await;
    assert_eq!((told, asked), (vec![None, None], 0), "nobody is there to ask");
    let denied = ran(r#"{"code":401,"error":"unauthorized"}"#, 0);
    let (told, _, heard) = write_both(&project(&["cht-couchdb-1"], [denied])).await;
    assert_eq!(told, [None, None]);
    assert!(heard[0].starts_with("warning: the API of default refuses"), "{heard:?}");
}

#[tokio::test]
async fn a_couchdb_that_is_ready_but_out_of_reach_stops_the_write() {
    let refused = || status(500, "InternalError", "error dialing backend", json!([]));
    let fake = project(&["cht-couchdb-1"], [refused(), refused(), refused(), ran("{}", 0)]);
    let (told, asked, _) = write_both(&fake).await;
    let words = "whether an upgrade runs in default cannot be told";
    assert!(told[0].as_ref().is_some_and(|told| told.starts_with(words)), "{told:?}");
    assert_eq!((&told[1], asked), (&None, 4), "what is not known is asked again");
}

fn image(tag: &str) -> Json {
    let containers = json!([{"name": "cht-api", "image": format!("cht-api:{tag}")}]);
    json!({"spec": {"template": {"spec": {"containers": containers}}}})
}

fn live(tag: &str, version: &str) -> Reply {
    let mut live = image(tag);
    live["metadata"] = json!({"name": "api", "uid": "1", "resourceVersion": version});
    ok(live)
}

#[tokio::test]
async fn an_image_is_written_only_over_the_one_that_was_seen() {
    let raced = || status(409, "Conflict", "the object has been modified", json!([]));
    let write = async |seen: Vec<Reply>, written: Vec<Reply>| {
        let fake = project(&[], []);
        fake.on(&format!("GET {PATH}/api"), seen);
        fake.on(&format!("PATCH {PATH}/api"), written);
        let provider = fake.provider();
        let outcome = update(&provider, "api", image("1"), image("2"), &Heard::default()).await;
        let patches = fake.seen().into_iter().filter(|seen| seen.line.starts_with("PATCH"));
        let version = |patch: crate::provider::kubernetes::testing::Seen| {
            patch.body["metadata"]["resourceVersion"].clone()
        };
        (outcome.map_err(|error| error.message), patches.map(version).collect::<Vec<_>>())
    };
    let moved = "the image of cht-api is cht-api:3 by now; the plan was made for cht-api:1";

    let done = write(vec![live("1", "5")], vec![ok(object("api", "1"))]).await;
    assert_eq!(done, (Ok(()), vec![json!("5")]));
    let moved_before = write(vec![live("3", "5")], vec![]).await;
    assert_eq!(moved_before, (Err(moved.to_owned()), vec![]));
    let seen = vec![live("1", "5"), live("1", "6")];
    let done = write(seen, vec![raced(), ok(object("api", "1"))]).await;
    assert_eq!(done, (Ok(()), vec![json!("5"), json!("6")]));
    let moved_between = write(vec![live("1", "5"), live("3", "6")], vec![raced()]).await;
    assert_eq!(moved_between, (Err(moved.to_owned()), vec![json!("5")]));
}
