//! Lists, watches, discovery, and resources that definitions add.

use serde_json::{Value as Json, json};

use super::rig::Rig;
use crate::lab::kubernetes::{Key, StoreEffect};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn names(list: &Json) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[test]
fn lists_come_by_pages() {
    let mut rig = Rig::new();
    for name in ["a", "b", "c", "d", "e"] {
        rig.post(MAPS, json!({"metadata": {"name": name}}));
    }
    let (_, first) = rig.get("/api/v1/configmaps?limit=2");
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    assert!(first["items"][0].get("kind").is_none());
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, rest) = rig.get(&format!("/api/v1/configmaps?limit=5&continue={token}"));
    assert_eq!(names(&rest), ["c", "d", "e"]);
    assert!(rest["metadata"].get("continue").is_none());
    assert_eq!(rest["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(rig.get("/api/v1/configmaps?limit=5&continue=x").0, 400);
    let (_, one) = rig.get(&format!("{MAPS}?fieldSelector=metadata.name%3Dc"));
    assert_eq!(names(&one), ["c"]);
}

#[test]
fn a_watch_tells_what_happens_after_its_revision() {
    let mut rig = Rig::new();
    rig.post(MAPS, json!({"metadata": {"name": "a"}}));
    let (_, list) = rig.get(MAPS);
    let since = list["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    rig.post(MAPS, json!({"metadata": {"name": "b"}}));
    rig.delete(&format!("{MAPS}/a"), json!({}));
    let path = format!("{MAPS}?watch=true&resourceVersion={since}");
    let mut watch = rig.send("GET", &path, "", "").watch.unwrap();
    let told = |events: Vec<Json>| -> Vec<String> {
        let line = |event: &Json| {
            let name = event["object"]["metadata"]["name"].as_str().unwrap();
            format!("{} {name}", event["type"].as_str().unwrap())
        };
        events.iter().map(line).collect()
    };
    assert_eq!(told(watch.events(rig.cluster(), rig.now_ms)), ["DELETED a", "ADDED b"]);
    assert!(watch.events(rig.cluster(), rig.now_ms).is_empty());
    rig.patch(&format!("{MAPS}/b"), super::rig::MERGE, json!({"data": {"x": "y"}}));
    assert_eq!(told(watch.events(rig.cluster(), rig.now_ms)), ["MODIFIED b"]);
    rig.delete(&format!("{MAPS}/b"), json!({}));
    assert_eq!(told(watch.events(rig.cluster(), rig.now_ms)), ["DELETED b"]);
}

/// A real server forgets old revisions after five minutes; the lab, after so many changes.
#[test]
fn lists_and_watches_of_old_revisions_have_to_begin_again() {
    let mut rig = Rig::new();
    for name in ["a", "b", "c"] {
        rig.post(MAPS, json!({"metadata": {"name": name}}));
    }
    let (_, first) = rig.get(&format!("{MAPS}?limit=1"));
    let meta = &first["metadata"];
    let token = format!("{MAPS}?limit=1&continue={}", meta["continue"].as_str().unwrap());
    let version = meta["resourceVersion"].as_str().unwrap();
    let watch = format!("{MAPS}?watch=true&resourceVersion={version}");
    assert_eq!(rig.get(&token).0, 200);
    let (id, since) = (rig.id.clone(), rig.cluster().revision);
    let store = &mut rig.clusters.all.get_mut(&id).unwrap().store;
    for number in 1..=2_000 {
        let key = Key::new("", "configmaps", "default", &format!("x{number}"));
        store.apply(&StoreEffect::put(key.clone(), json!({})), since + 2 * number);
        store.apply(&StoreEffect::Gone(key), since + 2 * number + 1);
    }
    let (status, refused) = rig.get(&token);
    assert_eq!((status, &refused["reason"]), (410, &json!("Expired")));
    let said = "The provided continue parameter is too old to display a consistent list result.";
    assert!(refused["message"].as_str().unwrap().starts_with(said), "{refused}");
    assert_eq!(rig.get(&watch).0, 410);
    let (status, again) = rig.get(MAPS);
    assert_eq!((status, names(&again)), (200, vec!["a", "b", "c"]));
}

fn definition() -> Json {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "classes.snapshot.example"},
        "spec": {
            "group": "snapshot.example", "scope": "Cluster",
            "names": {"plural": "classes", "kind": "Class"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                "openAPIV3Schema": {"type": "object", "required": ["driver"], "properties": {
                    "driver": {"type": "string", "x-kubernetes-validations": [
                        {"rule": "self == oldSelf", "message": "driver is immutable"}]},
                    "policy": {"type": "string", "enum": ["Delete", "Retain"], "default": "Delete"},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}],
        },
    })
}

#[test]
fn a_definition_adds_a_resource_with_its_schema() {
    let mut rig = Rig::new();
    let root = "/apis/snapshot.example/v1/classes";
    assert_eq!(rig.get(root).0, 404);
    let (status, made) =
        rig.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition());
    assert_eq!((status, &made["spec"]["names"]["listKind"]), (201, &json!("ClassList")));
    let object = json!({"apiVersion": "snapshot.example/v1", "kind": "Class",
        "metadata": {"name": "x"}, "driver": "d", "free": {"any": [1]}});
    let (status, made) = rig.apply(&format!("{root}/x"), "boma", object.clone());
    assert_eq!((status, &made["policy"]), (201, &json!("Delete")), "{made}");
    assert_eq!(made["free"], json!({"any": [1]}));
    let mut wrong = object;
    wrong["driver"] = json!("other");
    let (status, refused) = rig.apply(&format!("{root}/x"), "boma", wrong.clone());
    let said = refused["message"].as_str().unwrap();
    assert!(status == 422 && said.contains("driver is immutable"), "{said}");
    wrong["driver"] = json!("d");
    wrong["policy"] = json!("Other");
    assert_eq!(rig.apply(&format!("{root}/x"), "boma", wrong.clone()).0, 422);
    wrong["other"] = json!(1);
    assert_eq!(rig.apply(&format!("{root}/x"), "boma", wrong).0, 500);
    let (_, list) = rig.get(root);
    assert_eq!((&list["kind"], &list["items"][0]["kind"]), (&json!("ClassList"), &json!("Class")));
    let (_, found) = rig.get("/apis/snapshot.example/v1");
    assert_eq!(found["resources"][0]["name"], "classes");
}

#[test]
fn discovery_tells_groups_and_resources() {
    let mut rig = Rig::new();
    let (_, version) = rig.get("/version");
    assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("35")));
    let (_, groups) = rig.get("/apis");
    let apps = groups["groups"].as_array().unwrap().iter().find(|one| one["name"] == "apps");
    assert_eq!(apps.unwrap()["preferredVersion"]["groupVersion"], "apps/v1");
    let (_, core) = rig.get("/api/v1");
    let nodes = core["resources"].as_array().unwrap().iter().find(|one| one["name"] == "nodes");
    assert_eq!(nodes.unwrap()["namespaced"], false);
    let (status, document) = rig.get("/openapi/v3/apis/apps/v1");
    assert_eq!((status, &document["openapi"]), (200, &json!("3.0.0")));
    assert_eq!(rig.get("/openapi/v2").0, 404);
    assert_eq!(rig.get("/apis/nothing/v1").0, 404);
}

#[test]
fn a_large_cluster_is_listed_fast() {
    let mut rig = Rig::new();
    let mut object = super::rig::deployment("x");
    for number in 0..1500 {
        let key = Key::new("apps", "deployments", "default", &format!("d{number}"));
        object["metadata"]["name"] = json!(key.name);
        let effect = StoreEffect::put(key, object.clone());
        let id = rig.id.clone();
        rig.clusters.all.get_mut(&id).unwrap().store.apply(&effect, 1_000);
    }
    let begun = std::time::Instant::now();
    let (_, list) = rig.get("/apis/apps/v1/deployments?limit=500");
    assert_eq!(names(&list).len(), 500);
    assert!(begun.elapsed().as_millis() < 1_000);
}
