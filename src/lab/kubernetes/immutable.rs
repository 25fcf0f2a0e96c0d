//! What an update may not change.

use serde_json::{Value as Json, json};

use super::refusal::Problem;
use super::resource::Resource;
use super::shape::Shape;
use super::syntax::quantity;

const IMMUTABLE: &str = "field is immutable";

/// Problems of making one object into another; both with their defaults.
pub(super) fn problems(resource: &Resource, old: &Json, new: &Json) -> Vec<Problem> {
    let differs = |pointer: &str| old.pointer(pointer) != new.pointer(pointer);
    let null = Json::Null;
    let fixed = |pointer: &str| {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        let value = new.pointer(pointer).unwrap_or(&null);
        differs(pointer).then(|| Problem::invalid(field, value, IMMUTABLE))
    };
    let forbidden = |pointer: &str, why: &str| {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        differs(pointer).then(|| Problem::forbidden(field, why))
    };
    let found: Vec<Option<Problem>> = match (resource.group.as_str(), resource.kind.as_str()) {
        ("apps", "Deployment" | "DaemonSet" | "ReplicaSet") => vec![fixed("/spec/selector")],
        ("apps", "StatefulSet") => vec![stateful_set(old, new)],
        ("batch", "Job") => {
            let fields = ["selector", "template", "completions", "completionMode"];
            fields.map(|field| fixed(&format!("/spec/{field}"))).to_vec()
        }
        ("", "PersistentVolumeClaim") => vec![claim(old, new)],
        ("", "PersistentVolume") => vec![volume(old, new)],
        ("", "Service") => vec![service(old, new)],
        ("", "Secret") => {
            let mut found = vec![fixed("/type")];
            found.extend(sealed(old, new, &["data"]));
            found
        }
        ("", "ConfigMap") => sealed(old, new, &["data", "binaryData"]),
        ("", "Pod") => vec![pod(old, new)],
        ("storage.k8s.io", "StorageClass") => vec![
            forbidden("/parameters", "updates to parameters are forbidden."),
            forbidden("/provisioner", "updates to provisioner are forbidden."),
            forbidden("/reclaimPolicy", "updates to reclaimPolicy are forbidden."),
            fixed("/volumeBindingMode"),
        ],
        ("storage.k8s.io", "CSIDriver") => {
            vec![fixed("/spec/attachRequired"), fixed("/spec/volumeLifecycleModes")]
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            let refused = || Problem::invalid("roleRef", &new["roleRef"], "cannot change roleRef");
            vec![differs("/roleRef").then(refused)]
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            vec![forbidden("/value", "may not be changed in an update.")]
        }
        ("node.k8s.io", "RuntimeClass") => vec![fixed("/handler")],
        ("networking.k8s.io", "IngressClass") => vec![fixed("/spec/controller")],
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            vec![fixed("/spec/group"), fixed("/spec/names/kind"), fixed("/spec/scope")]
        }
        ("discovery.k8s.io", "EndpointSlice") => vec![fixed("/addressType")],
        _ if resource.custom => defined(&resource.shape, "", old, new),
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// What a definition's rules keep: a value that is there before and after.
fn defined(shape: &Shape, path: &str, old: &Json, new: &Json) -> Vec<Option<Problem>> {
    let fields = shape.fields().into_iter().flat_map(|kind| &kind.fields);
    let mut found = Vec::new();
    for (name, field) in fields {
        let (Some(old), Some(new)) = (old.get(name), new.get(name)) else { continue };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Some(why) = field.fixed.as_deref().filter(|_| old != new) {
            found.push(Some(Problem::invalid(path.as_str(), new, why)));
        }
        found.extend(defined(&field.shape, &path, old, new));
    }
    found
}

/// A copy without some fields.
fn without(object: &Json, fields: &[&str]) -> Json {
    let mut spec = object["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        fields.iter().for_each(|field| {
            spec.remove(*field);
        });
    }
    spec
}

fn stateful_set(old: &Json, new: &Json) -> Option<Problem> {
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    (without(old, &free) != without(new, &free)).then(|| Problem::forbidden("spec", why))
}

fn claim(old: &Json, new: &Json) -> Option<Problem> {
    let storage = |object: &Json| quantity(&object["spec"]["resources"]["requests"]["storage"]);
    let mut free = vec!["resources", "volumeAttributesClassName"];
    if old["spec"]["volumeName"].is_null() {
        free.push("volumeName");
    }
    if without(old, &free) != without(new, &free) {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        return Some(Problem::forbidden("spec", why));
    }
    let (before, after) = (storage(old), storage(new));
    if before != after && old["status"]["phase"] != "Bound" {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        return Some(Problem::forbidden("spec", why));
    }
    (after < before).then(|| {
        let field = "spec.resources.requests.storage";
        Problem::forbidden(field, "field can not be less than status.capacity")
    })
}

fn volume(old: &Json, new: &Json) -> Option<Problem> {
    let free = [
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "nodeAffinity",
        "volumeMode",
        "volumeAttributesClassName",
    ];
    let why = "spec.persistentvolumesource is immutable after creation";
    let source = without(old, &free) != without(new, &free);
    source.then(|| Problem::forbidden("spec.persistentvolumesource", why))
}

fn service(old: &Json, new: &Json) -> Option<Problem> {
    let address = |object: &Json| object["spec"]["clusterIP"].clone();
    let (before, after) = (address(old), address(new));
    let fixed = before.is_string() && before != "" && new["spec"]["type"] != "ExternalName";
    (fixed && before != after)
        .then(|| Problem::invalid("spec.clusterIPs[0]", &json!([after]), "may not change once set"))
}

fn sealed(old: &Json, new: &Json, fields: &[&str]) -> Vec<Option<Problem>> {
    if old["immutable"] != true {
        return Vec::new();
    }
    let why = "field is immutable when `immutable` is set";
    let all = fields.iter().chain(["immutable"].iter());
    all.map(|field| (old[*field] != new[*field]).then(|| Problem::forbidden(*field, why))).collect()
}

fn pod(old: &Json, new: &Json) -> Option<Problem> {
    let plain = |object: &Json| {
        let free = ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"];
        let mut spec = without(object, &free);
        for list in super::template::CONTAINERS {
            for container in spec[list].as_array_mut().into_iter().flatten() {
                container["image"] = Json::Null;
            }
        }
        spec
    };
    let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    (plain(old) != plain(new)).then(|| Problem::forbidden("spec", why))
}
