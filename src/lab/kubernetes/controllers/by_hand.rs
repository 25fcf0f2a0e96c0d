//! Changes that somebody makes with `kubectl edit` and `kubectl delete`.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::cht;
use super::json::{annotation, is_going, list, map, text};
use crate::lab::Drifted;
use crate::lab::k3s::{Cluster, ids};
use crate::lab::kubernetes::{Key, Request};
use crate::lab::vsphere::draw_bytes;

/// Who the field manager of an edit is.
const EDITOR: &str = "kubectl-edit";
/// What boma writes fields as, and the mark on what is its own.
const OWNER: &str = "boma";
const MARK: &str = "boma.dev/address";
/// What may be deleted without anything else going with it, or losing data.
const EXPENDABLE: [&str; 17] = [
    "CSIDriver",
    "Service",
    "ConfigMap",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "DaemonSet",
    "Deployment",
    "StorageClass",
    "VolumeSnapshotClass",
    "PriorityClass",
    "Ingress",
    "NetworkPolicy",
    "LimitRange",
    "ResourceQuota",
];
/// Variables that make a program another one: a CouchDB that was once called otherwise keeps the
/// name in its list of nodes for ever, and their number is the layout of its data.
const VITAL: [&str; 10] = [
    "X_CSI_MODE",
    "CSI_ENDPOINT",
    "ADDRESS",
    "VSPHERE_CSI_CONFIG",
    "CSI_NAMESPACE",
    "NODE_NAME",
    "SVC_NAME",
    "NODE_COUNT",
    "COUCHDB_SYNC_ADMINS_NODE",
    "CLUSTER_PEER_IPS",
];
/// What CouchDB's volumes were made with. Nobody edits it in a project that is to go on.
const CREDENTIALS: &str = "COUCHDB_PASSWORD";
/// The key of a taint that somebody puts on a node.
const EXTRA: &str = "by-hand";
/// What begins the names of boma's own notes, which nobody edits.
const OWN_NOTES: &str = "boma.dev/";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// One change that can be made by hand.
#[derive(Clone)]
pub(in crate::lab) struct Edit {
    pub key: Key,
    pub request: Request,
    pub told: Drifted,
}

/// One change of each object that carries boma's mark, in an order that follows from the seed.
/// What boma does not own, and what is being deleted, is left alone.
pub(in crate::lab) fn edits(cluster: &Cluster, seed: u64, now_ms: u64) -> Vec<Edit> {
    let stored =
        cluster.store.iter().filter(|(key, _)| key.plural != "nodes" || !key.group.is_empty());
    let stored = stored.map(|(key, object)| (key.clone(), Arc::clone(object)));
    let nodes = cluster.nodes.values().map(|node| {
        let key = Key::new("", "nodes", "", &node.name);
        let object = super::super::view::object(cluster, &key, now_ms);
        (key, object.unwrap_or_default())
    });
    let marked = stored
        .chain(nodes)
        .filter(|(_, object)| !annotation(object, MARK).is_empty() && !is_going(object));
    let upgrading = cht::upgrading(cluster);
    let mut drawn: Vec<([u8; 32], Edit)> = Vec::new();
    for (key, object) in marked {
        let identity = key.to_string();
        let mut possible = possible(&key, &object);
        // Images that the upgrade-service sets are nobody else's to find fault with.
        let not_its = |edit: &Edit| !edit.told.property.ends_with(".image");
        let own = key.name == cht::UPGRADE_SERVICE || !upgrading.contains(&key.namespace);
        possible.retain(|edit| own || not_its(edit));
        let choice = draw_bytes(seed, "kubernetes edit", &identity);
        let place = usize::from(choice[0]) % possible.len().max(1);
        if let Some(edit) = possible.into_iter().nth(place) {
            drawn.push((draw_bytes(seed, "kubernetes drift", &identity), edit));
        }
    }
    drawn.sort_by_key(|(order, _)| *order);
    drawn.into_iter().map(|(_, edit)| edit).collect()
}

fn possible(key: &Key, object: &Json) -> Vec<Edit> {
    let mut all = Vec::new();
    match text(object, "/kind") {
        "Deployment" | "DaemonSet" => all.extend(workload(key, object)),
        "ConfigMap" => all.extend(data(key, object, false)),
        "Secret" if object["data"].get(CREDENTIALS).is_none() => {
            all.extend(data(key, object, true));
        }
        "Role" => all.extend(role(key, object)),
        "Ingress" => all.extend(host(key, object)),
        "StorageClass" => all.extend(default_class(key, object)),
        "HelmChartConfig" => all.extend(chart_values(key, object)),
        "Node" => return node(key, object),
        _ => {}
    }
    all.extend(labels(key, object));
    all.extend(annotations(key, object));
    if EXPENDABLE.contains(&text(object, "/kind")) {
        all.push(deletion(key, object));
    }
    all
}

/// Image, number of pods, and one variable.
fn workload(key: &Key, object: &Json) -> Vec<Edit> {
    let mut all = Vec::new();
    let replicas = object.pointer("/spec/replicas").and_then(Json::as_i64);
    if let Some(replicas) = replicas.filter(|_| owns(object, &["f:spec", "f:replicas"])) {
        let after = json!(if replicas > 1 { replicas - 1 } else { replicas + 1 });
        all.push(replace(key, object, "/spec/replicas", "spec.replicas", after));
    }
    let base = "/spec/template/spec/containers";
    for (place, container) in list(object, base).iter().enumerate() {
        let name = text(container, "/name");
        let item = format!("k:{}", json!({"name": name}));
        let above = ["f:spec", "f:template", "f:spec", "f:containers", item.as_str()];
        let path = format!("spec.template.spec.containers.{name}");
        let own = |more: &[&str]| owns(object, &[&above[..], more].concat());
        if own(&["f:image"]) {
            let image = text(container, "/image");
            let after = json!(format!("{}-by-hand", image.split('@').next().unwrap_or(image)));
            let pointer = format!("{base}/{place}/image");
            all.push(replace(key, object, &pointer, &format!("{path}.image"), after));
        }
        for (number, variable) in list(container, "/env").iter().enumerate() {
            let (variable_name, value) = (text(variable, "/name"), text(variable, "/value"));
            let item = format!("k:{}", json!({"name": variable_name}));
            if !value.is_empty()
                && !VITAL.contains(&variable_name)
                && own(&["f:env", &item, "f:value"])
            {
                let pointer = format!("{base}/{place}/env/{number}/value");
                let path = format!("{path}.env.{variable_name}.value");
                let after = json!(format!("{value}0"));
                all.push(replace(key, object, &pointer, &path, after));
            }
        }
    }
    all
}

/// One entry of a ConfigMap or Secret, so that what reads it still can.
fn data(key: &Key, object: &Json, secret: bool) -> Vec<Edit> {
    let entries = map(object, "/data").into_iter().flatten();
    let own = entries.filter(|(name, _)| owns(object, &["f:data", &format!("f:{name}")]));
    let edits = own.filter_map(|(name, value)| {
        let before = super::mounts::value(object, name)?;
        let after = match before.as_str() {
            "true" => "false".to_owned(),
            "false" => "true".to_owned(),
            text if text.ends_with('\n') => format!("{text}# by hand\n"),
            text => format!("{text}-by-hand"),
        };
        let stored = if secret { ids::base64(after.as_bytes()) } else { after };
        let pointer = format!("/data/{}", escaped(name));
        let mut edit = replace(key, object, &pointer, &format!("data.{name}"), json!(stored));
        if secret {
            (edit.told.before, edit.told.after) = (Json::Null, Json::Null);
        }
        (value.as_str() != Some("")).then_some(edit)
    });
    edits.collect()
}

/// A verb less in the first rule: the list is one value.
fn role(key: &Key, object: &Json) -> Option<Edit> {
    let mut rules = object.get("rules")?.clone();
    let verbs = rules.pointer_mut("/0/verbs")?.as_array_mut()?;
    let more = verbs.len() > 1 && owns(object, &["f:rules"]);
    verbs.pop();
    more.then(|| replace(key, object, "/rules", "rules", rules))
}

/// Another host in the first rule: the list is one value.
fn host(key: &Key, object: &Json) -> Option<Edit> {
    let mut rules = object.pointer("/spec/rules")?.clone();
    let host = rules.pointer_mut("/0/host").filter(|host| host.is_string())?;
    *host = json!(format!("by-hand.{}", host.as_str().unwrap_or_default()));
    let own = owns(object, &["f:spec", "f:rules"]);
    own.then(|| replace(key, object, "/spec/rules", "spec.rules", rules))
}

fn default_class(key: &Key, object: &Json) -> Option<Edit> {
    let before = annotation(object, DEFAULT_CLASS);
    let own = owns(object, &["f:metadata", "f:annotations", &format!("f:{DEFAULT_CLASS}")]);
    let after = if before == "true" { "false" } else { "true" };
    (own && !before.is_empty()).then(|| {
        let pointer = format!("/metadata/annotations/{}", escaped(DEFAULT_CLASS));
        let path = format!("metadata.annotations.{DEFAULT_CLASS}");
        replace(key, object, &pointer, &path, json!(after))
    })
}

fn labels(key: &Key, object: &Json) -> Vec<Edit> {
    let all = map(object, "/metadata/labels").into_iter().flatten();
    let own =
        all.filter(|(name, _)| owns(object, &["f:metadata", "f:labels", &format!("f:{name}")]));
    let edits = own.map(|(name, _)| {
        let pointer = format!("/metadata/labels/{}", escaped(name));
        replace(key, object, &pointer, &format!("metadata.labels.{name}"), json!("by-hand"))
    });
    edits.collect()
}

/// Such as the approval of a definition in a group of Kubernetes' own.
fn annotations(key: &Key, object: &Json) -> Vec<Edit> {
    let all = map(object, "/metadata/annotations").into_iter().flatten();
    let own = all.filter(|(name, _)| {
        let known = name.as_str() == DEFAULT_CLASS || name.starts_with(OWN_NOTES);
        !known && owns(object, &["f:metadata", "f:annotations", &format!("f:{name}")])
    });
    let edits = own.map(|(name, _)| {
        let pointer = format!("/metadata/annotations/{}", escaped(name));
        let path = format!("metadata.annotations.{name}");
        replace(key, object, &pointer, &path, json!("unapproved, by hand"))
    });
    edits.collect()
}

fn chart_values(key: &Key, object: &Json) -> Option<Edit> {
    let before = object.pointer("/spec/valuesContent").and_then(Json::as_str)?;
    let after = json!(format!("{before}# by hand\n"));
    let own = owns(object, &["f:spec", "f:valuesContent"]);
    own.then(|| replace(key, object, "/spec/valuesContent", "spec.valuesContent", after))
}

/// A label that is gone or has another value, a taint that is gone, or one more.
fn node(key: &Key, object: &Json) -> Vec<Edit> {
    let mut all = labels(key, object);
    all.push(tainted(key, object));
    let taints = list(object, "/spec/taints").iter().enumerate();
    for (place, taint) in taints {
        let name = text(taint, "/key");
        let own = name.starts_with("node.kubernetes.io/")
            || name.starts_with("node.cloudprovider.kubernetes.io/");
        if !own {
            let pointer = format!("/spec/taints/{place}");
            let patch = json!([
                {"op": "test", "path": pointer, "value": taint},
                {"op": "remove", "path": pointer},
            ]);
            let told = told(object, &format!("spec.taints.{name}"), taint.clone(), Json::Null);
            all.push(Edit { key: key.clone(), request: patched(key, object, &patch), told });
        }
    }
    all
}

fn tainted(key: &Key, object: &Json) -> Edit {
    let taint = json!({"key": EXTRA, "value": "true", "effect": "NoSchedule"});
    let patch = match list(object, "/spec/taints").is_empty() {
        true => json!([{"op": "add", "path": "/spec/taints", "value": [taint]}]),
        false => json!([{"op": "add", "path": "/spec/taints/-", "value": taint}]),
    };
    let told = told(object, &format!("spec.taints.{EXTRA}"), Json::Null, taint);
    Edit { key: key.clone(), request: patched(key, object, &patch), told }
}

fn deletion(key: &Key, object: &Json) -> Edit {
    let request = Request { method: "DELETE".to_owned(), ..asked(key, object) };
    Edit { key: key.clone(), request, told: told(object, "exists", json!(true), json!(false)) }
}

fn replace(key: &Key, object: &Json, pointer: &str, path: &str, after: Json) -> Edit {
    let before = object.pointer(pointer).cloned().unwrap_or_default();
    let patch = json!([{"op": "replace", "path": pointer, "value": after}]);
    Edit {
        key: key.clone(),
        request: patched(key, object, &patch),
        told: told(object, path, before, after),
    }
}

fn told(object: &Json, property: &str, before: Json, after: Json) -> Drifted {
    let namespace = text(object, "/metadata/namespace");
    let name = text(object, "/metadata/name");
    let place = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    Drifted {
        object_type: "Kubernetes".to_owned(),
        name: format!("{} {} {place}", text(object, "/apiVersion"), text(object, "/kind")),
        principal: None,
        property: property.to_owned(),
        before,
        after,
    }
}

fn patched(key: &Key, object: &Json, patch: &Json) -> Request {
    Request {
        method: "PATCH".to_owned(),
        content_type: "application/json-patch+json".to_owned(),
        body: patch.to_string().into_bytes(),
        ..asked(key, object)
    }
}

fn asked(key: &Key, object: &Json) -> Request {
    let api = text(object, "/apiVersion");
    let root = if api.contains('/') { "/apis" } else { "/api" };
    let space = match key.namespace.as_str() {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    Request {
        path: format!("{root}/{api}{space}/{}/{}", key.plural, key.name),
        query: format!("fieldManager={EDITOR}"),
        user_agent: "kubectl/v1.35.0".to_owned(),
        accept: "application/json".to_owned(),
        ..Request::default()
    }
}

/// A key as a JSON pointer has it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether boma's entry of the managed fields has a path.
fn owns(object: &Json, path: &[&str]) -> bool {
    let entries = list(object, "/metadata/managedFields").iter();
    let mut own = entries.filter(|entry| entry["manager"] == OWNER);
    own.any(|entry| {
        let end = path.iter().try_fold(&entry["fieldsV1"], |fields, step| fields.get(*step));
        end.is_some()
    })
}
