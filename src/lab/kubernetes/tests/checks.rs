//! What the server refuses.

use serde_json::{Value as Json, json};

use super::rig::{APPLY, DEPLOYMENTS, MERGE, Rig, deployment};

/// An object that is refused, and a part of what the server says.
fn check(path: &str, object: Json, code: u16, said: &str) {
    let mut rig = Rig::new();
    let (status, answer) = rig.post(&format!("{path}?fieldValidation=Strict"), object);
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!(status, code, "{answer}");
    assert!(message.contains(said), "{message}");
}

fn with(change: impl FnOnce(&mut Json)) -> Json {
    let mut object = deployment("x");
    change(&mut object);
    object
}

#[test]
fn unknown_and_repeated_fields_are_refused_by_strict_validation() {
    check(
        DEPLOYMENTS,
        with(|one| one["spec"]["template"]["spec"]["containers"][0]["foo"] = json!(1)),
        400,
        "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.template.spec.containers[0].foo\"",
    );
    let mut rig = Rig::new();
    let mut wrong = deployment("x");
    wrong["spec"]["foo"] = json!(1);
    let (status, answer) = rig.apply(&format!("{DEPLOYMENTS}/x"), "boma", wrong.clone());
    assert_eq!(status, 500);
    assert_eq!(
        answer["message"],
        "failed to create typed patch object (default/x; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema"
    );
    let (status, made) = rig.post(DEPLOYMENTS, wrong);
    assert_eq!((status, made["spec"].get("foo")), (201, None));
    let path = "/api/v1/namespaces/default/configmaps/y?fieldManager=a&fieldValidation=Strict";
    let text = r#"{"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "a": "2"}}"#;
    let answer = rig.send("PATCH", path, APPLY, text);
    assert_eq!(answer.status, 400);
    let answer = rig.send("PATCH", path, MERGE, "{");
    assert_eq!(answer.status, 404);
}

#[test]
fn a_deployment_must_be_whole() {
    check(
        DEPLOYMENTS,
        with(|one| one["spec"]["template"]["metadata"]["labels"]["app"] = json!("y")),
        422,
        "Deployment.apps \"x\" is invalid: spec.template.metadata.labels: Invalid value: {\"app\":\"y\"}: `selector` does not match template `labels`",
    );
    check(
        DEPLOYMENTS,
        with(|one| one["spec"]["selector"] = Json::Null),
        422,
        "spec.selector: Required value",
    );
    check(
        DEPLOYMENTS,
        with(|one| {
            one["spec"]["strategy"] = json!({"type": "Recreate", "rollingUpdate": {"maxSurge": 1}});
        }),
        422,
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    );
    check(
        DEPLOYMENTS,
        with(|one| {
            one["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
                json!([{"name": "v", "mountPath": "/v"}]);
        }),
        422,
        "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
    );
    check(
        DEPLOYMENTS,
        with(|one| one["metadata"]["labels"] = json!({"a b": "c"})),
        422,
        "metadata.labels: Invalid value: \"a b\"",
    );
    check(DEPLOYMENTS, with(|one| one["metadata"]["name"] = json!("X")), 422, "metadata.name");
    check(
        DEPLOYMENTS,
        with(|one| one["spec"]["replicas"] = json!("1")),
        400,
        "cannot unmarshal string into Go struct field .spec.replicas",
    );
}

#[test]
fn a_namespace_must_be_there() {
    check(
        "/api/v1/namespaces/other/configmaps",
        json!({"metadata": {"name": "x"}}),
        404,
        "namespaces \"other\" not found",
    );
}

#[test]
fn what_is_immutable_stays() {
    let changes: &[(&str, Json, Json, &str)] = &[
        (
            DEPLOYMENTS,
            deployment("x"),
            json!({"spec": {"selector": {"matchLabels": {"b": "c"}},
                "template": {"metadata": {"labels": {"b": "c"}}}}}),
            "spec.selector: Invalid value",
        ),
        (
            "/api/v1/namespaces/default/secrets",
            json!({"metadata": {"name": "x"}}),
            json!({"type": "other"}),
            "type: Invalid value: \"other\": field is immutable",
        ),
        (
            "/apis/storage.k8s.io/v1/storageclasses",
            json!({"metadata": {"name": "x"}, "provisioner": "p", "parameters": {"a": "b"}}),
            json!({"parameters": {"a": "c"}}),
            "parameters: Forbidden: updates to parameters are forbidden.",
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            json!({"metadata": {"name": "x"}, "roleRef": {"kind": "ClusterRole", "name": "a"}}),
            json!({"roleRef": {"name": "b"}}),
            "cannot change roleRef",
        ),
        (
            "/api/v1/namespaces/default/persistentvolumeclaims",
            json!({"metadata": {"name": "x"}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}}),
            json!({"spec": {"accessModes": ["ReadOnlyMany"]}}),
            "spec: Forbidden: spec is immutable after creation",
        ),
    ];
    for (path, object, change, said) in changes {
        let mut rig = Rig::new();
        let (status, made) = rig.post(path, object.clone());
        assert_eq!(status, 201, "{made}");
        let (status, refused) = rig.patch(&format!("{path}/x"), MERGE, change.clone());
        let message = refused["message"].as_str().unwrap_or_default();
        assert!(status == 422 && message.contains(said), "{status} {message}");
    }
}

#[test]
fn a_quota_and_limits_count() {
    let mut rig = Rig::new();
    let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "1"}}});
    rig.post("/api/v1/namespaces/default/resourcequotas", quota);
    let path = "/api/v1/namespaces/default/configmaps";
    assert_eq!(rig.post(path, json!({"metadata": {"name": "a"}})).0, 201);
    let (status, refused) = rig.post(path, json!({"metadata": {"name": "b"}}));
    assert_eq!(status, 403);
    assert_eq!(
        refused["message"],
        "configmaps \"b\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1"
    );
    let range = json!({"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container",
        "default": {"cpu": "1"}, "max": {"memory": "1Gi"}}]}});
    rig.post("/api/v1/namespaces/default/limitranges", range);
    let pods = "/api/v1/namespaces/default/pods";
    let pod = |memory: &str| {
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i",
            "resources": {"limits": {"memory": memory}}}]}})
    };
    let (status, refused) = rig.post(pods, pod("2Gi"));
    assert_eq!(status, 403, "{refused}");
    let (status, made) = rig.post(pods, pod("1Gi"));
    assert_eq!(status, 201, "{made}");
    let resources = &made["spec"]["containers"][0]["resources"];
    assert_eq!(resources["requests"], json!({"cpu": "1", "memory": "1Gi"}));
}

#[test]
fn a_priority_class_must_be_there() {
    check(
        "/api/v1/namespaces/default/pods",
        json!({"metadata": {"name": "p"}, "spec": {"priorityClassName": "high",
            "containers": [{"name": "c", "image": "i"}]}}),
        403,
        "pods \"p\" is forbidden: no PriorityClass with name high was found",
    );
}

#[test]
fn texts_of_a_secret_become_data() {
    let mut rig = Rig::new();
    let secret = json!({"metadata": {"name": "s"}, "stringData": {"a": "text"}});
    let (status, made) = rig.post("/api/v1/namespaces/default/secrets", secret);
    assert_eq!((status, &made["data"]), (201, &json!({"a": "dGV4dA=="})));
    assert_eq!((&made["type"], made.get("stringData")), (&json!("Opaque"), None));
}
