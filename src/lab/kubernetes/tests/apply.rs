//! Server-side apply, and other writes beside it.

use serde_json::{Value as Json, json};

use super::rig::{DEPLOYMENTS, MERGE, Rig, deployment};

fn path() -> String {
    format!("{DEPLOYMENTS}/x")
}

#[test]
fn an_apply_makes_the_object_with_defaults_that_nobody_owns() {
    let mut rig = Rig::new();
    let (status, made) = rig.apply(&path(), "boma", deployment("x"));
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
    let container = &made["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    assert_eq!(made["metadata"]["generation"], 1);
    let managed = made["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(managed.len(), 1);
    assert_eq!(managed[0]["manager"], "boma");
    assert_eq!(managed[0]["operation"], "Apply");
    let spec = &managed[0]["fieldsV1"]["f:spec"];
    assert!(spec.get("f:selector").is_some() && spec.get("f:strategy").is_none(), "{spec}");
    assert!(managed[0]["fieldsV1"].get("f:metadata").is_none());
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let mut rig = Rig::new();
    let (_, made) = rig.apply(&path(), "boma", deployment("x"));
    rig.now_ms += 60_000;
    let revision = rig.cluster().revision;
    let (status, again) = rig.apply(&path(), "boma", deployment("x"));
    assert_eq!((status, &again), (200, &made));
    assert_eq!(rig.cluster().revision, revision);
}

#[test]
fn a_reordered_list_is_a_new_generation() {
    let mut rig = Rig::new();
    rig.apply(&path(), "boma", deployment("x"));
    let mut other = deployment("x");
    let env = &mut other["spec"]["template"]["spec"]["containers"][0]["env"];
    *env = json!([{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]);
    let (status, changed) = rig.apply(&path(), "boma", other);
    assert_eq!(status, 200);
    assert_eq!(changed["metadata"]["generation"], 2);
    assert_eq!(changed["spec"]["template"]["spec"]["containers"][0]["env"][0]["name"], "B");
}

#[test]
fn a_field_of_another_manager_is_a_conflict_until_it_is_forced() {
    let mut rig = Rig::new();
    let mut wanted = deployment("x");
    wanted["spec"]["replicas"] = json!(2);
    rig.apply(&path(), "boma", wanted.clone());
    let edit = format!("{}?fieldManager=kubectl-edit", path());
    let (status, edited) = rig.patch(&edit, MERGE, json!({"spec": {"replicas": 5}}));
    assert_eq!((status, &edited["spec"]["replicas"]), (200, &json!(5)));
    assert_eq!(edited["metadata"]["generation"], 2);
    let (status, refused) = rig.apply(&path(), "boma", wanted.clone());
    assert_eq!(status, 409);
    assert_eq!(
        refused["message"],
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas"
    );
    assert_eq!(
        refused["details"]["causes"],
        json!([{"reason": "FieldManagerConflict", "field": ".spec.replicas",
            "message": "conflict with \"kubectl-edit\" using apps/v1"}])
    );
    let forced = format!("{}?fieldManager=boma&force=true", path());
    let (status, forced) = rig.patch(&forced, super::rig::APPLY, wanted);
    assert_eq!((status, &forced["spec"]["replicas"]), (200, &json!(2)));
    let managers = forced["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(managers.len(), 1, "{managers:?}");
}

#[test]
fn a_field_that_is_no_longer_applied_goes_back_to_its_default() {
    let mut rig = Rig::new();
    let mut wanted = deployment("x");
    wanted["spec"]["replicas"] = json!(3);
    wanted["spec"]["template"]["spec"]["nodeSelector"] = json!({"a": "b"});
    rig.apply(&path(), "boma", wanted);
    let (status, less) = rig.apply(&path(), "boma", deployment("x"));
    assert_eq!(status, 200);
    assert_eq!(less["spec"]["replicas"], 1);
    assert!(less["spec"]["template"]["spec"].get("nodeSelector").is_none());
}

#[test]
fn a_dry_run_answers_and_changes_nothing() {
    let mut rig = Rig::new();
    let revision = rig.cluster().revision;
    let dry = format!("{}?fieldManager=boma&dryRun=All", path());
    let (status, made) = rig.patch(&dry, super::rig::APPLY, deployment("x"));
    assert_eq!((status, &made["metadata"]["name"]), (201, &json!("x")));
    assert_eq!(rig.cluster().revision, revision);
    assert_eq!(rig.get(&path()).0, 404);
}

#[test]
fn the_status_is_written_by_its_own_path_only() {
    let mut rig = Rig::new();
    rig.apply(&path(), "boma", deployment("x"));
    let (_, same) = rig.patch(&path(), MERGE, json!({"status": {"replicas": 9}}));
    assert_eq!(same["status"], json!({}));
    let status = format!("{}/status", path());
    let body = json!({"status": {"replicas": 1}, "spec": {"replicas": 9}});
    let (code, changed) = rig.patch(&status, MERGE, body);
    assert_eq!((code, &changed["status"]["replicas"]), (200, &json!(1)));
    assert_eq!(
        (&changed["spec"]["replicas"], &changed["metadata"]["generation"]),
        (&json!(1), &json!(1))
    );
    let managers = changed["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|one| one["subresource"] == "status"), "{managers:?}");
    // The owner of the status does not stand in the way of the spec.
    assert_eq!(rig.apply(&path(), "boma", deployment("x")).0, 200);
}

#[test]
fn an_update_needs_the_version_that_was_read() {
    let mut rig = Rig::new();
    let (_, made) = rig.apply(&path(), "boma", deployment("x"));
    let mut first = made.clone();
    first["spec"]["replicas"] = json!(2);
    let (status, _) = rig.put(&path(), &first);
    assert_eq!(status, 200);
    let (status, refused) = rig.put(&path(), &first);
    assert_eq!((status, &refused["reason"]), (409, &json!("Conflict")));
    let text = "Operation cannot be fulfilled on deployments.apps \"x\": the object has been modified; please apply your changes to the latest version and try again";
    assert_eq!(refused["message"], text);
}

#[test]
fn books_can_be_edited() {
    let mut rig = Rig::new();
    rig.apply(&path(), "helm", deployment("x"));
    let (_, both) = rig.apply(&path(), "boma", deployment("x"));
    let names = |object: &Json| -> Vec<String> {
        let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let manager = |entry: &Json| entry["manager"].as_str().unwrap_or_default().to_owned();
        entries.iter().map(manager).collect()
    };
    assert_eq!(names(&both), ["boma", "helm"]);
    let remove = json!([{"op": "remove", "path": "/metadata/managedFields/1"}]);
    let (status, one) = rig.patch(&path(), "application/json-patch+json", remove);
    assert_eq!((status, names(&one)), (200, vec!["boma".to_owned()]));
    assert_eq!(one["metadata"]["generation"], both["metadata"]["generation"]);
    assert_ne!(one["metadata"]["resourceVersion"], both["metadata"]["resourceVersion"]);
    // Who knows nothing of the books does not lose them.
    let (_, kept) = rig.patch(&path(), MERGE, json!({"metadata": {"managedFields": null}}));
    assert_eq!(names(&kept), ["boma"]);
    let (_, none) = rig.patch(&path(), MERGE, json!({"metadata": {"managedFields": [{}]}}));
    assert_eq!(names(&none), [""; 0]);
}

#[test]
fn replicas_have_a_path_of_their_own() {
    let mut rig = Rig::new();
    rig.apply(&path(), "boma", deployment("x"));
    let (status, scale) =
        rig.patch(&format!("{}/scale", path()), MERGE, json!({"spec": {"replicas": 4}}));
    assert_eq!((status, &scale["spec"]["replicas"]), (200, &json!(4)));
    let (_, live) = rig.get(&path());
    assert_eq!(
        (&live["spec"]["replicas"], &live["metadata"]["generation"]),
        (&json!(4), &json!(2))
    );
}
