//! How objects end.

use serde_json::json;

use super::rig::{MERGE, Rig};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(rig: &mut Rig, name: &str, finalizers: &[&str]) -> String {
    let object = json!({"metadata": {"name": name, "finalizers": finalizers}});
    let (status, made) = rig.post(MAPS, object);
    assert_eq!(status, 201, "{made}");
    made["metadata"]["uid"].as_str().unwrap().to_owned()
}

#[test]
fn an_object_that_nothing_holds_goes_at_once() {
    let mut rig = Rig::new();
    let uid = map(&mut rig, "a", &[]);
    let (status, gone) = rig.delete(&format!("{MAPS}/a"), json!({}));
    assert_eq!((status, &gone["status"]), (200, &json!("Success")));
    assert_eq!(gone["details"], json!({"name": "a", "kind": "configmaps", "uid": uid}));
    assert_eq!(rig.delete(&format!("{MAPS}/a"), json!({})).0, 404);
}

#[test]
fn an_object_with_finalizers_goes_with_the_last_one() {
    let mut rig = Rig::new();
    map(&mut rig, "a", &["x/y"]);
    let (status, held) = rig.delete(&format!("{MAPS}/a"), json!({}));
    assert!(status == 200 && held["metadata"]["deletionTimestamp"].is_string());
    let more = json!({"metadata": {"finalizers": ["x/y", "x/z"]}});
    assert_eq!(rig.patch(&format!("{MAPS}/a"), MERGE, more).0, 422);
    let none = json!({"metadata": {"finalizers": null}});
    assert_eq!(rig.patch(&format!("{MAPS}/a"), MERGE, none).0, 200);
    assert_eq!(rig.get(&format!("{MAPS}/a")).0, 404);
}

#[test]
fn only_the_object_that_was_meant_is_deleted() {
    let mut rig = Rig::new();
    map(&mut rig, "a", &[]);
    let (status, refused) =
        rig.delete(&format!("{MAPS}/a"), json!({"preconditions": {"uid": "other"}}));
    assert_eq!((status, &refused["reason"]), (409, &json!("Conflict")));
    let (status, _) = rig.delete(&format!("{MAPS}/a"), json!({"dryRun": ["All"]}));
    assert_eq!((status, rig.get(&format!("{MAPS}/a")).0), (200, 200));
}

#[test]
fn a_policy_is_a_finalizer_until_dependents_are_seen_to() {
    let mut rig = Rig::new();
    map(&mut rig, "a", &[]);
    let (_, held) = rig.delete(&format!("{MAPS}/a"), json!({"propagationPolicy": "Foreground"}));
    assert_eq!(held["metadata"]["finalizers"], json!(["foregroundDeletion"]));
}

#[test]
fn a_namespace_waits_for_its_content_and_takes_nothing_new() {
    let mut rig = Rig::new();
    let (status, held) = rig.delete("/api/v1/namespaces/default", json!({}));
    assert_eq!((status, &held["status"]["phase"]), (200, &json!("Terminating")));
    let (status, refused) = rig.post(MAPS, json!({"metadata": {"name": "a"}}));
    assert_eq!(status, 403);
    assert_eq!(
        refused["message"],
        "configmaps \"a\" is forbidden: unable to create new content in namespace default because it is being terminated"
    );
}

#[test]
fn a_collection_goes_by_labels() {
    let mut rig = Rig::new();
    map(&mut rig, "a", &[]);
    let labelled = json!({"metadata": {"name": "b", "labels": {"x": "y"}}});
    rig.post(MAPS, labelled);
    assert_eq!(rig.delete(&format!("{MAPS}?labelSelector=x%3Dy"), json!({})).0, 200);
    let (_, left) = rig.get(MAPS);
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

#[test]
fn an_eviction_asks_the_disruption_budget() {
    let mut rig = Rig::new();
    let pod = json!({"metadata": {"name": "p", "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}});
    rig.post("/api/v1/namespaces/default/pods", pod);
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let budget = json!({"metadata": {"name": "b"},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"a": "b"}}}});
    assert_eq!(rig.post(budgets, budget).0, 201);
    let eviction = "/api/v1/namespaces/default/pods/p/eviction";
    let body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}});
    assert_eq!(rig.post(eviction, body.clone()).0, 429);
    rig.delete(&format!("{budgets}/b"), json!({}));
    assert_eq!(rig.post(eviction, body).0, 201);
    assert_eq!(rig.get("/api/v1/namespaces/default/pods/p").0, 404);
}
