//! Manifests of others, used in place of boma's own rendering. Edited by key path, never by line.

use serde_json::{Map, Value as Json, json};

use super::images;
use crate::spec::Spec;

/// The template of a workload's pods.
pub const POD: &[&str] = &["spec", "template", "spec"];

const ROLES: [&str; 2] =
    ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/// Whether a manifest is the object of a kind and a name.
pub fn is(manifest: &Json, kind: &str, name: &str) -> bool {
    manifest["kind"] == kind && manifest["metadata"]["name"] == name
}

/// Calls `edit` on everything at a path of keys; `*` is each item of a list. What is not there is
/// left alone.
pub fn at(tree: &mut Json, path: &[&str], edit: &mut dyn FnMut(&mut Json)) {
    let Some((first, rest)) = path.split_first() else { return edit(tree) };
    match tree {
        Json::Array(items) if *first == "*" => {
            items.iter_mut().for_each(|item| at(item, rest, edit));
        }
        Json::Object(map) => {
            if let Some(value) = map.get_mut(*first) {
                at(value, rest, edit);
            }
        }
        _ => {}
    }
}

/// Sends every image of a workload through the spec's replacements.
pub fn replace_images(spec: &Spec, manifest: &mut Json) {
    for containers in ["initContainers", "containers"] {
        let path = [POD, &[containers, "*", "image"]].concat();
        at(manifest, &path, &mut |image| {
            if let Json::String(name) = image {
                *name = images::reference(spec, name);
            }
        });
    }
}

/// Sets the number of a Deployment's pods.
pub fn set_replicas(manifest: &mut Json, replicas: u32) {
    at(manifest, &["spec"], &mut |spec| {
        if let Json::Object(spec) = spec {
            spec.insert("replicas".to_owned(), replicas.into());
        }
    });
}

/// Puts in the place of a ConfigMap's or Secret's content what the spec has.
pub fn set_data(manifest: &mut Json, data: Json) {
    if let Json::Object(manifest) = manifest {
        for other in ["binary_data", "binaryData"] {
            manifest.remove(other);
        }
        manifest.insert("data".to_owned(), data);
    }
}

/// Leaves out what the API fills in itself: an empty group of a binding's subject is none, and a
/// user's then becomes that of RBAC.
pub fn drop_empty_groups(manifest: &mut Json) {
    at(manifest, &["subjects", "*"], &mut |subject| {
        if let Json::Object(subject) = subject {
            subject.retain(|key, value| key != "apiGroup" || value != "");
        }
    });
}

/// Finds servers by the key of their label where a workload asks for its value: kubeadm's is empty,
/// k3s' is `true` (vsphere-csi-driver issue 2284).
pub fn select_servers_by_key(manifest: &mut Json) {
    at(manifest, POD, &mut |pod| {
        let Some(pod) = pod.as_object_mut() else { return };
        if forget_roles(pod) {
            let affinity = pod.entry("affinity").or_insert_with(|| json!({}));
            if let Json::Object(affinity) = affinity {
                affinity.entry("nodeAffinity").or_insert_with(on_servers);
            }
        }
    });
}

/// Whether a selector named a role.
fn forget_roles(pod: &mut Map<String, Json>) -> bool {
    let Some(Json::Object(selector)) = pod.get_mut("nodeSelector") else { return false };
    let before = selector.len();
    selector.retain(|key, _| !ROLES.contains(&key.as_str()));
    let (found, empty) = (selector.len() < before, selector.is_empty());
    if empty {
        pod.remove("nodeSelector");
    }
    found
}

/// A node affinity that only servers meet, whatever the value of their label.
pub fn on_servers() -> Json {
    let exists = |key: &str| json!({ "matchExpressions": [{ "key": key, "operator": "Exists" }] });
    json!({
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": ROLES.map(exists),
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    fn workload(pod: &Json) -> Json {
        json!({ "kind": "Deployment", "spec": { "replicas": 3, "template": { "spec": pod } } })
    }

    fn check(pod: &Json, edit: impl Fn(&mut Json), expected: &Json) {
        let mut manifest = workload(pod);
        edit(&mut manifest);
        assert_eq!(manifest["spec"]["template"]["spec"], *expected);
    }

    #[test]
    fn a_label_asked_for_by_value_is_asked_for_by_key() {
        let apart = json!({ "podAntiAffinity": { "x": 1 } });
        let pod = json!({
            "nodeSelector": { ROLES[0]: "", "kubernetes.io/os": "linux" },
            "affinity": apart,
        });
        let expected = json!({
            "nodeSelector": { "kubernetes.io/os": "linux" },
            "affinity": { "podAntiAffinity": { "x": 1 }, "nodeAffinity": on_servers() },
        });
        check(&pod, select_servers_by_key, &expected);
        let alone = json!({ "nodeSelector": { ROLES[0]: "true" } });
        let expected = json!({ "affinity": { "nodeAffinity": on_servers() } });
        check(&alone, select_servers_by_key, &expected);
        let other = json!({ "nodeSelector": { "kubernetes.io/os": "windows" } });
        check(&other, select_servers_by_key, &other);
    }

    #[test]
    fn images_of_all_containers_are_replaced() {
        let images =
            "[images]\nreplace = { \"r.io/a\" = \"m/a\", \"r.io/b\" = \"m/b:v9\" }\n[storage]";
        let spec = spec(&[("[storage]", images)]);
        let pod = json!({
            "initContainers": [{ "image": "r.io/a:v1" }],
            "containers": [{ "image": "r.io/b:v1" }, { "image": "r.io/c:v1" }, { "name": "none" }],
        });
        let expected = json!({
            "initContainers": [{ "image": "m/a:v1" }],
            "containers": [{ "image": "m/b:v9" }, { "image": "r.io/c:v1" }, { "name": "none" }],
        });
        check(&pod, |manifest| replace_images(&spec, manifest), &expected);
    }

    #[test]
    fn groups_that_say_nothing_are_left_to_the_api() {
        let mut binding = json!({ "subjects": [{ "apiGroup": "", "kind": "User", "name": "a" },
            { "apiGroup": "x", "kind": "Group", "name": "b" }] });
        drop_empty_groups(&mut binding);
        let expected = json!({ "subjects": [{ "kind": "User", "name": "a" },
            { "apiGroup": "x", "kind": "Group", "name": "b" }] });
        assert_eq!(binding, expected);
    }

    #[test]
    fn content_and_replicas_are_the_specs() {
        let mut secret =
            json!({ "kind": "Secret", "binary_data": { "10.0.0.1.username": "/w==" } });
        set_data(&mut secret, json!({ "a": "b" }));
        assert_eq!(secret, json!({ "kind": "Secret", "data": { "a": "b" } }));
        let mut manifest = workload(&json!({}));
        set_replicas(&mut manifest, 1);
        assert_eq!(manifest["spec"]["replicas"], 1);
        let mut other = json!({ "kind": "ServiceAccount" });
        set_replicas(&mut other, 1);
        assert_eq!(other, json!({ "kind": "ServiceAccount" }));
    }
}
