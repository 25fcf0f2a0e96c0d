//! Objects of somebody else's manifest, in the one form that all objects here have.

use k8s_openapi::ByteString;
use serde_json::{Map, Value as Json};

use super::served::{Definitions, Served};
use crate::resource::{Address, SecretSource, TextPart, Value};

/// Annotations that are bookkeeping of the cluster that an object was copied from.
const BOOKKEEPING: [&str; 4] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "boma.dev/lineage",
    "boma.dev/address",
    "boma.dev/taints",
];

/// The namespace of what names none.
const DEFAULT: &str = "default";

/// The items of a list of any kind, lists in it included, or the object itself.
pub fn unpacked(mut document: Json) -> Vec<Json> {
    let is_list = document["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    match document.get_mut("items") {
        Some(Json::Array(items)) if is_list => {
            std::mem::take(items).into_iter().flat_map(unpacked).collect()
        }
        _ => vec![document],
    }
}

/// An object without what says nothing, a Secret's content as `data` and `binary_data`.
///
/// # Errors
/// What it lacks, or has and boma would not set.
pub fn normal(mut object: Json) -> Result<Json, String> {
    if !object.is_object() {
        return Err("is no object".to_owned());
    }
    drop_nulls(&mut object);
    let text = |value: &Json, name: &str| match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("has no {name}")),
    };
    text(&object["apiVersion"], "apiVersion")?;
    let (kind, metadata) = (text(&object["kind"], "kind")?, &object["metadata"]);
    let name = text(&metadata["name"], "metadata.name")?;
    for field in ["finalizers", "ownerReferences"] {
        if metadata[field].as_array().is_some_and(|items| !items.is_empty()) {
            return Err(format!(
                "is the {kind} {name} with metadata.{field}, which boma never sets"
            ));
        }
    }
    let annotations = object.pointer_mut("/metadata/annotations");
    if let Some(annotations) = annotations.and_then(Json::as_object_mut) {
        annotations.retain(|key, _| !BOOKKEEPING.contains(&key.as_str()));
    }
    let core = object["apiVersion"] == "v1";
    match (kind.as_str(), object.as_object_mut()) {
        // Whose rules are the API's own to fill in.
        ("ClusterRole", Some(role)) if role.contains_key("aggregationRule") => {
            role.remove("rules");
        }
        ("Secret", Some(secret)) if core => {
            open(secret).map_err(|what| format!("is the Secret {name}, whose {what}"))?;
        }
        ("ConfigMap", Some(map)) if core => {
            for bytes in
                map.get_mut("binaryData").and_then(Json::as_object_mut).into_iter().flatten()
            {
                *bytes.1 = joined(bytes.1);
            }
        }
        _ => {}
    }
    Ok(object)
}

/// What an object is, for people. No two of one manifest have the same.
pub fn named(object: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// The address of an object of a part: `cluster/csi/Role/x`; outside the part's own namespace
/// `cluster/csi/kube-system/Role/x`.
pub fn address(part: &str, home: &str, object: &Json) -> Address {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) if namespace != home => {
            Address::from(format!("{part}/{namespace}/{kind}/{name}"))
        }
        _ => Address::from(format!("{part}/{kind}/{name}")),
    }
}

/// Kinds that the objects of a manifest define.
pub fn definitions<'a>(objects: impl Iterator<Item = &'a Json>) -> Definitions<()> {
    let definitions = objects.filter(|object| object["kind"] == "CustomResourceDefinition");
    Definitions::of(definitions.map(|object| (object["spec"].clone(), ())))
}

/// Says of an object where it is: in the default namespace if it names none, and in none where its
/// kind has none.
pub fn settle(definitions: &Definitions<()>, object: &mut Json) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (api, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let namespaced = match definitions.get(&api, &kind) {
        Some((served, ())) => served.namespaced,
        None => Served::by_convention(&api, &kind).namespaced,
    };
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    if !namespaced {
        metadata.remove("namespace");
    } else if metadata.get("namespace").and_then(Json::as_str).is_none_or(str::is_empty) {
        metadata.insert("namespace".to_owned(), DEFAULT.into());
    }
}

/// The API takes a key without a value for one that is not there.
fn drop_nulls(tree: &mut Json) {
    match tree {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Puts a Secret's two forms of content together, as secrets: `stringData` wins, as in the API. A
/// Secret without a type is given the one that the API would give it.
fn open(secret: &mut Map<String, Json>) -> Result<(), String> {
    secret.entry("type").or_insert_with(|| "Opaque".into());
    let (mut texts, mut binary) = (Map::new(), Map::new());
    for (key, value) in taken(secret, "data") {
        let encoded = joined(&value);
        let bytes: ByteString = serde_json::from_value(encoded.clone())
            .map_err(|_| format!("data.{key} is not base64"))?;
        match String::from_utf8(bytes.0) {
            Ok(text) => texts.insert(key, sealed(text)),
            Err(_) => binary.insert(key, encoded.as_str().map_or(Json::Null, sealed)),
        };
    }
    for (key, value) in taken(secret, "stringData") {
        binary.remove(&key);
        let text = value.as_str().map(sealed);
        texts.insert(key, text.unwrap_or(value));
    }
    for (part, content) in [("data", texts), ("binary_data", binary)] {
        if !content.is_empty() {
            secret.insert(part.to_owned(), Json::Object(content));
        }
    }
    Ok(())
}

fn taken(object: &mut Map<String, Json>, key: &str) -> Map<String, Json> {
    match object.remove(key) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

/// A text that is compared by its digest and never shown.
fn sealed(text: impl Into<String>) -> Json {
    Value::Secret(SecretSource::Text(vec![TextPart::Plain(text.into())])).encode()
}

/// Base64 without its line breaks.
fn joined(text: &Json) -> Json {
    match text.as_str() {
        Some(text) => text.split_ascii_whitespace().collect::<String>().into(),
        None => text.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(mut object: Json, expected: Json) {
        object["metadata"] = json!({"name": "a"});
        let mut found = normal(object).unwrap();
        for key in ["apiVersion", "kind", "metadata"] {
            found.as_object_mut().unwrap().remove(key);
        }
        assert_eq!(found, expected);
    }

    fn refuse(object: Json, what: &str) {
        assert_eq!(normal(object).unwrap_err(), what);
    }

    #[test]
    fn a_secrets_content_is_one_and_sealed() {
        let secret = |rest: Json| {
            let mut secret = json!({"apiVersion": "v1", "kind": "Secret"});
            secret.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            secret
        };
        let plain =
            json!({"data": {"a": "eA==", "b": "eg==\n", "c": "/w=="}, "stringData": {"b": "y"}});
        let expected = json!({"type": "Opaque", "data": {"a": sealed("x"), "b": sealed("y")},
            "binary_data": {"c": sealed("/w==")}});
        check(secret(plain), expected);
        check(secret(json!({"type": "x", "data": null})), json!({"type": "x"}));
        let broken = json!({"metadata": {"name": "a"}, "data": {"b": "?"}});
        refuse(secret(broken), "is the Secret a, whose data.b is not base64");
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": null, "b": "x"},
            "binaryData": {"c": "/w\n==\n"}, "items": [{"d": null}]});
        check(map, json!({"data": {"b": "x"}, "binaryData": {"c": "/w=="}, "items": [{}]}));
        let role = json!({"apiVersion": "r/v1", "kind": "ClusterRole", "aggregationRule": {"a": 1},
            "rules": []});
        check(role, json!({"aggregationRule": {"a": 1}}));
        let held = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "finalizers": ["x/y"]}});
        refuse(held, "is the ConfigMap a with metadata.finalizers, which boma never sets");
    }

    #[test]
    fn bookkeeping_of_another_cluster_is_left_out() {
        let annotations = json!({"a": "b", "boma.dev/lineage": "x"});
        let copied = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "annotations": annotations}});
        assert_eq!(normal(copied).unwrap()["metadata"]["annotations"], json!({"a": "b"}));
    }

    #[test]
    fn lists_of_any_kind_are_their_items() {
        let item = json!({"kind": "ConfigMap"});
        let inner = json!({"kind": "ConfigMapList", "items": [item]});
        assert_eq!(unpacked(json!({"kind": "List", "items": [inner, item]})), [item.clone(), item]);
    }

    #[test]
    fn every_object_has_its_own_address() {
        let definition = json!({"kind": "CustomResourceDefinition", "spec": {"group": "x.y",
            "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"}}});
        let definitions = definitions([&definition].into_iter());
        let check = |api: &str, kind: &str, namespace: Json, expected: &str| {
            let metadata = json!({"name": "a", "namespace": namespace});
            let mut object = json!({"apiVersion": api, "kind": kind, "metadata": metadata});
            settle(&definitions, &mut object);
            assert_eq!(address("cluster/csi", "home", &object).as_str(), expected);
        };
        check("v1", "ConfigMap", json!("home"), "cluster/csi/ConfigMap/a");
        check("v1", "ConfigMap", json!("other"), "cluster/csi/other/ConfigMap/a");
        check("v1", "ConfigMap", json!(""), "cluster/csi/default/ConfigMap/a");
        check("v1", "Namespace", json!("home"), "cluster/csi/Namespace/a");
        check("x.y/v1", "Thing", Json::Null, "cluster/csi/Thing/a");
        check("x.z/v1", "Thing", Json::Null, "cluster/csi/default/Thing/a");
    }
}
