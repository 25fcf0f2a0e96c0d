//! Defaults that the table cannot say, and what the server makes of fields for writing only.

use serde_json::{Map, Value as Json, json};

use super::check::fill;
use super::normal::normalise;
use super::resource::Resource;
use super::template::{CONTAINERS, place};
use crate::lab::k3s::ids;

/// Writes all defaults of a kind.
pub(super) fn defaults(resource: &Resource, object: &mut Json) {
    if resource.custom {
        return fill(object, &resource.shape);
    }
    normalise(object, &resource.shape);
    strategies(resource, object);
    before(resource, object);
    fill(object, &resource.shape);
    if let Some((pointer, _)) = place(&resource.group, &resource.kind)
        && let Some(spec) = object.pointer_mut(pointer).and_then(Json::as_object_mut)
    {
        pod(spec);
    }
    after(resource, object);
}

/// Puts a value where nothing stands.
fn put(object: &mut Json, pointer: &str, value: Json) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    if let Some(Json::Object(parent)) = object.pointer_mut(parent) {
        parent.entry(last).or_insert(value);
    }
}

/// A rolling strategy has parameters, whose own defaults the table knows.
fn strategies(resource: &Resource, object: &mut Json) {
    let field = match (resource.group.as_str(), resource.kind.as_str()) {
        ("apps", "Deployment") => "strategy",
        ("apps", "DaemonSet" | "StatefulSet") => "updateStrategy",
        _ => return,
    };
    put(object, &format!("/spec/{field}"), json!({}));
    put(object, &format!("/spec/{field}/type"), json!("RollingUpdate"));
    if object["spec"][field]["type"] == "RollingUpdate" {
        put(object, &format!("/spec/{field}/rollingUpdate"), json!({}));
    }
}

fn before(resource: &Resource, object: &mut Json) {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Secret") => secret(object),
        ("", "Service") => service(object),
        ("", "Namespace") => {
            put(object, "/spec", json!({}));
            let name = object["metadata"]["name"].clone();
            put(object, "/metadata/labels", json!({}));
            if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
                labels.insert("kubernetes.io/metadata.name".to_owned(), name);
            }
        }
        ("networking.k8s.io", "NetworkPolicy") => {
            let egress = object["spec"].get("egress").is_some();
            let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
            put(object, "/spec/policyTypes", types);
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            let group = "rbac.authorization.k8s.io";
            put(object, "/roleRef/apiGroup", json!(group));
            for subject in object["subjects"].as_array_mut().into_iter().flatten() {
                if subject["kind"] != "ServiceAccount" {
                    put(subject, "/apiGroup", json!(group));
                }
            }
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let kind = object["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
            put(object, "/spec/names/singular", json!(kind.to_lowercase()));
            put(object, "/spec/names/listKind", json!(format!("{kind}List")));
        }
        _ => {}
    }
}

/// `stringData` is written into `data` and forgotten.
fn secret(object: &mut Json) {
    let Some(map) = object.as_object_mut() else { return };
    let Some(Json::Object(texts)) = map.remove("stringData") else { return };
    let data = map.entry("data").or_insert_with(|| json!({}));
    let Some(data) = data.as_object_mut() else { return };
    for (key, text) in texts {
        let text = text.as_str().unwrap_or_default();
        data.insert(key, json!(ids::base64(text.as_bytes())));
    }
}

fn service(object: &mut Json) {
    for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
        let number = port["port"].clone();
        put(port, "/targetPort", number);
    }
    let kind = object["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
    if kind == "ExternalName" {
        return;
    }
    put(object, "/spec/internalTrafficPolicy", json!("Cluster"));
    put(object, "/spec/ipFamilies", json!(["IPv4"]));
    put(object, "/spec/ipFamilyPolicy", json!("SingleStack"));
    if kind != "ClusterIP" {
        put(object, "/spec/externalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        put(object, "/spec/allocateLoadBalancerNodePorts", json!(true));
    }
}

fn pod(spec: &mut Map<String, Json>) {
    if let Some(account) =
        spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")).cloned()
    {
        spec.insert("serviceAccount".to_owned(), account.clone());
        spec.insert("serviceAccountName".to_owned(), account);
    }
    let host_network = spec.get("hostNetwork") == Some(&Json::Bool(true));
    for list in CONTAINERS {
        for container in spec.get_mut(list).and_then(Json::as_array_mut).into_iter().flatten() {
            let image = container["image"].as_str().unwrap_or_default();
            let policy = if is_latest(image) { "Always" } else { "IfNotPresent" };
            put(container, "/imagePullPolicy", json!(policy));
            if host_network {
                for port in container["ports"].as_array_mut().into_iter().flatten() {
                    let number = port["containerPort"].clone();
                    put(port, "/hostPort", number);
                }
            }
        }
    }
    for volume in spec.get_mut("volumes").and_then(Json::as_array_mut).into_iter().flatten() {
        if let Some(volume) = volume.as_object_mut().filter(|volume| volume.len() == 1) {
            volume.insert("emptyDir".to_owned(), json!({}));
        }
    }
}

/// Whether an image has no tag, or `latest`, and no digest.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    !image.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn after(resource: &Resource, object: &mut Json) {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Pod") => {
            put(object, "/spec/enableServiceLinks", json!(true));
            requests(object);
        }
        ("batch", "Job") if object["spec"].get("template").is_some() => {
            let labels = object["spec"]["template"]["metadata"]["labels"].clone();
            if labels.is_object() && object["metadata"].get("labels").is_none() {
                object["metadata"]["labels"] = labels;
            }
        }
        ("apps", "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet") => {}
        _ => {}
    }
}

/// A container of a pod asks for what it is limited to, where it says nothing else.
fn requests(object: &mut Json) {
    for list in CONTAINERS {
        for container in object["spec"][list].as_array_mut().into_iter().flatten() {
            let Some(limits) = container["resources"]["limits"].as_object().cloned() else {
                continue;
            };
            put(container, "/resources/requests", json!({}));
            for (name, limit) in limits {
                put(container, &format!("/resources/requests/{name}"), limit);
            }
        }
    }
}
