//! What the server finds wrong with an object by itself.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::check::missing;
use super::pod_check;
use super::refusal::Problem;
use super::resource::Resource;
use super::selector::matches;
use super::syntax::{self, Naming};
use super::template::{items, place};

/// All problems of an object with its defaults.
pub(super) fn problems(resource: &Resource, object: &Json) -> Vec<Problem> {
    let mut problems = metadata(resource, object);
    if resource.custom {
        missing(object, &resource.shape, "", &mut problems);
        return problems;
    }
    // Whoever writes a status knows what it does.
    let fields = resource.shape.fields().map(|kind| &kind.fields).into_iter().flatten();
    for (name, field) in fields.filter(|(name, _)| *name != "status") {
        match object.get(name) {
            Some(value) => missing(value, &field.shape, name, &mut problems),
            None if field.required => problems.push(Problem::required(name)),
            None => {}
        }
    }
    if let Some((pointer, path)) = place(&resource.group, &resource.kind)
        && let Some(spec) = object.pointer(pointer)
    {
        let always = resource.group == "apps";
        pod_check::problems(spec, path, always, &mut problems);
    }
    let found = match (resource.group.as_str(), resource.kind.as_str()) {
        ("apps", _) => workload(resource, object),
        ("", "Service") => service(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "PersistentVolume") => volume(object),
        ("", "Secret") => secret(object),
        ("", "ConfigMap") => keys(object, &["data", "binaryData"]),
        ("", "Node") => taints(object),
        ("", "ResourceQuota") => quantities("spec.hard", &object["spec"]["hard"]),
        ("", "LimitRange") => limit_range(object),
        ("networking.k8s.io", "Ingress") => ingress(object),
        ("storage.k8s.io", "StorageClass") => storage_class(object),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => binding(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => Vec::new(),
    };
    problems.extend(found);
    let mut seen = BTreeSet::new();
    problems.retain(|problem| seen.insert(format!("{problem:?}")));
    problems
}

fn metadata(resource: &Resource, object: &Json) -> Vec<Problem> {
    let meta = &object["metadata"];
    let naming = match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Namespace") => Naming::Label,
        ("", "Service") => Naming::Dns1035,
        ("rbac.authorization.k8s.io", _) => Naming::Segment,
        _ => Naming::Subdomain,
    };
    let name = meta["name"].as_str().unwrap_or_default();
    let mut problems: Vec<Problem> =
        syntax::name("metadata.name", name, naming).into_iter().collect();
    problems.extend(syntax::labels("metadata.labels", &meta["labels"]));
    let annotations = meta["annotations"].as_object().into_iter().flatten();
    problems.extend(annotations.filter_map(|(key, _)| syntax::key("metadata.annotations", key)));
    for (index, finalizer) in items(&meta["finalizers"]).enumerate() {
        let text = finalizer.as_str().unwrap_or_default();
        problems.extend(syntax::key(&format!("metadata.finalizers[{index}]"), text));
    }
    problems
}

fn workload(resource: &Resource, object: &Json) -> Vec<Problem> {
    let spec = &object["spec"];
    let mut problems = Vec::new();
    if resource.kind == "ControllerRevision" {
        return problems;
    }
    let selector = &spec["selector"];
    let labels = spec["template"]["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
    let empty = |key: &str| items(&selector[key]).next().is_none();
    let none = selector["matchLabels"].as_object().is_none_or(|map| map.is_empty());
    if selector.is_object() && none && empty("matchExpressions") {
        let why = format!("empty selector is invalid for {}", resource.kind.to_lowercase());
        problems.push(Problem::invalid("spec.selector", selector, &why));
    } else if selector.is_object() && !matches(selector, &labels) {
        let why = "`selector` does not match template `labels`";
        problems.push(Problem::invalid("spec.template.metadata.labels", &labels, why));
    }
    problems.extend(syntax::labels("spec.template.labels", &labels));
    if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        let why = "must be greater than or equal to 0";
        problems.push(Problem::invalid("spec.replicas", &spec["replicas"], why));
    }
    match resource.kind.as_str() {
        "Deployment" => problems.extend(strategy(spec, "strategy", "Recreate")),
        "DaemonSet" | "StatefulSet" => {
            problems.extend(strategy(spec, "updateStrategy", "OnDelete"))
        }
        _ => {}
    }
    problems
}

fn strategy(spec: &Json, field: &str, other: &str) -> Option<Problem> {
    let strategy = &spec[field];
    let path = format!("spec.{field}");
    match strategy["type"].as_str() {
        Some("RollingUpdate") => None,
        Some(kind) if kind == other => strategy.get("rollingUpdate").map(|_| {
            let why = format!("may not be specified when strategy `type` is '{other}'");
            Problem::forbidden(format!("{path}.rollingUpdate"), &why)
        }),
        _ => {
            let known = [other, "RollingUpdate"];
            Some(Problem::unsupported(format!("{path}.type"), &strategy["type"], &known))
        }
    }
}

fn service(object: &Json) -> Vec<Problem> {
    let spec = &object["spec"];
    let mut problems = Vec::new();
    let kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if !kinds.iter().any(|kind| spec["type"] == *kind) {
        problems.push(Problem::unsupported("spec.type", &spec["type"], &kinds));
    }
    let count = items(&spec["ports"]).count();
    if count == 0 && spec["clusterIP"] != "None" && spec["type"] != "ExternalName" {
        problems.push(Problem::required("spec.ports"));
    }
    let mut names = BTreeSet::new();
    for (index, port) in items(&spec["ports"]).enumerate() {
        let path = format!("spec.ports[{index}]");
        let name = port["name"].as_str().unwrap_or_default();
        if name.is_empty() && count > 1 {
            problems.push(Problem::required(format!("{path}.name")));
        } else if !name.is_empty() && !names.insert(name.to_owned()) {
            problems.push(Problem::duplicate(format!("{path}.name"), &port["name"]));
        }
        problems.extend(pod_check::port(&format!("{path}.port"), &port["port"]));
    }
    problems.extend(syntax::labels("spec.selector", &spec["selector"]));
    problems
}

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

fn access_modes(spec: &Json) -> Vec<Problem> {
    let modes: Vec<&Json> = items(&spec["accessModes"]).collect();
    if modes.is_empty() {
        return vec![Problem::required("spec.accessModes")];
    }
    let wrong = modes.into_iter().filter(|mode| !MODES.iter().any(|known| *mode == known));
    wrong.map(|mode| Problem::unsupported("spec.accessModes", mode, &MODES)).collect()
}

fn claim(object: &Json) -> Vec<Problem> {
    let mut problems = access_modes(&object["spec"]);
    let storage = &object["spec"]["resources"]["requests"]["storage"];
    let field = "spec.resources[storage]";
    match storage {
        Json::Null => problems.push(Problem::required(field)),
        value => problems.extend(syntax::is_quantity(field, value)),
    }
    problems
}

fn volume(object: &Json) -> Vec<Problem> {
    let mut problems = access_modes(&object["spec"]);
    if object["spec"]["capacity"]["storage"].is_null() {
        problems.push(Problem::required("spec.capacity"));
    }
    let known = ["Delete", "Recycle", "Retain"];
    let policy = &object["spec"]["persistentVolumeReclaimPolicy"];
    if !known.iter().any(|one| policy == one) {
        problems.push(Problem::unsupported("spec.persistentVolumeReclaimPolicy", policy, &known));
    }
    problems
}

fn secret(object: &Json) -> Vec<Problem> {
    let mut problems = keys(object, &["data"]);
    let wanted: &[&str] = match object["type"].as_str() {
        Some("kubernetes.io/tls") => &["tls.crt", "tls.key"],
        Some("kubernetes.io/dockerconfigjson") => &[".dockerconfigjson"],
        Some("kubernetes.io/service-account-token") => {
            let name = &object["metadata"]["annotations"]["kubernetes.io/service-account.name"];
            if name.is_null() {
                let field = "metadata.annotations[kubernetes.io/service-account.name]";
                problems.push(Problem::required(field));
            }
            &[]
        }
        _ => &[],
    };
    for key in wanted {
        if object["data"].get(key).is_none() {
            problems.push(Problem::required(format!("data[{key}]")));
        }
    }
    problems
}

fn keys(object: &Json, fields: &[&str]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for field in fields {
        for (key, value) in object[field].as_object().into_iter().flatten() {
            let good = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            if key.is_empty() || key.len() > 253 || !key.chars().all(good) || key == ".." {
                let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                problems.push(Problem::invalid(format!("{field}[{key}]"), &json!(key), why));
            }
            let encoded = *field == "binaryData" || object["kind"] == "Secret";
            if encoded && value.as_str().is_some_and(|text| !syntax::is_base64(text)) {
                let why = "illegal base64 data";
                problems.push(Problem::invalid(format!("{field}[{key}]"), &json!("<bytes>"), why));
            }
        }
    }
    problems
}

fn taints(object: &Json) -> Vec<Problem> {
    let mut problems = Vec::new();
    let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    let mut seen = BTreeSet::new();
    for (index, taint) in items(&object["spec"]["taints"]).enumerate() {
        let path = format!("metadata.taints[{index}]");
        let key = taint["key"].as_str().unwrap_or_default();
        problems.extend(syntax::key(&format!("{path}.key"), key));
        if !known.iter().any(|one| taint["effect"] == *one) {
            problems.push(Problem::unsupported(format!("{path}.effect"), &taint["effect"], &known));
        }
        if !seen.insert((key, taint["effect"].as_str())) {
            problems.push(Problem::duplicate(path, taint));
        }
    }
    problems
}

fn quantities(path: &str, map: &Json) -> Vec<Problem> {
    let pairs = map.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| syntax::is_quantity(&format!("{path}[{name}]"), value))
        .collect()
}

fn limit_range(object: &Json) -> Vec<Problem> {
    let limits = items(&object["spec"]["limits"]).enumerate();
    let fields = ["max", "min", "default", "defaultRequest"];
    limits
        .flat_map(|(index, limit)| {
            fields.map(|field| quantities(&format!("spec.limits[{index}].{field}"), &limit[field]))
        })
        .flatten()
        .collect()
}

fn ingress(object: &Json) -> Vec<Problem> {
    let mut problems = Vec::new();
    let known = ["Exact", "ImplementationSpecific", "Prefix"];
    for (index, rule) in items(&object["spec"]["rules"]).enumerate() {
        for (number, path) in items(&rule["http"]["paths"]).enumerate() {
            let at = format!("spec.rules[{index}].http.paths[{number}]");
            let text = path["path"].as_str().unwrap_or_default();
            let kind = &path["pathType"];
            if !kind.is_null() && !known.iter().any(|one| kind == one) {
                problems.push(Problem::unsupported(format!("{at}.pathType"), kind, &known));
            } else if kind != "ImplementationSpecific" && !text.starts_with('/') {
                let why = "must be an absolute path";
                problems.push(Problem::invalid(format!("{at}.path"), &path["path"], why));
            }
        }
    }
    problems
}

fn storage_class(object: &Json) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut one_of = |field: &str, known: &[&str]| {
        if !known.iter().any(|one| object[field] == *one) {
            problems.push(Problem::unsupported(field, &object[field], known));
        }
    };
    one_of("reclaimPolicy", &["Delete", "Retain"]);
    one_of("volumeBindingMode", &["Immediate", "WaitForFirstConsumer"]);
    problems
}

fn binding(object: &Json) -> Vec<Problem> {
    let mut problems = Vec::new();
    let known = ["ClusterRole", "Role"];
    if !known.iter().any(|kind| object["roleRef"]["kind"] == *kind) {
        problems.push(Problem::unsupported("roleRef.kind", &object["roleRef"]["kind"], &known));
    }
    // In a RoleBinding the account's namespace is the binding's where none is named.
    let anywhere = object["kind"] == "ClusterRoleBinding";
    for (index, subject) in items(&object["subjects"]).filter(|_| anywhere).enumerate() {
        let path = format!("subjects[{index}]");
        if subject["kind"] == "ServiceAccount" && subject["namespace"].is_null() {
            problems.push(Problem::required(format!("{path}.namespace")));
        }
    }
    problems
}

fn definition(object: &Json) -> Vec<Problem> {
    let spec = &object["spec"];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let wanted = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    let mut problems = Vec::new();
    if object["metadata"]["name"] != wanted.as_str() {
        let why = format!("must be spec.names.plural+\".\"+spec.group: \"{wanted}\"");
        problems.push(Problem::invalid("metadata.name", &object["metadata"]["name"], &why));
    }
    let stored = items(&spec["versions"]).filter(|version| version["storage"] == true).count();
    if stored != 1 {
        let why = "must have exactly one version marked as storage version";
        problems.push(Problem::invalid("spec.versions", &spec["versions"], why));
    }
    for (index, version) in items(&spec["versions"]).enumerate() {
        if version["schema"]["openAPIV3Schema"].is_null() {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
            problems.push(Problem::required(field));
        }
    }
    problems
}
