//! Attributes as the manifest that is sent.

use serde_json::{Map, Value as Json, json};

use super::place::Place;
use super::shape::{ADDRESS, LINEAGE, encoded};
use crate::resource::Mark;

/// Attributes that only readings have.
const READ_ONLY: &[&str] = &[
    "uid",
    "ready",
    "waiting",
    "owned",
    "managers",
    "managed_by",
    "scaled_by",
    "generation",
    "attached",
    "labels",
    "annotations",
];

/// What says which object is meant, and nothing else. With `uid`, that one and no successor.
pub fn head(place: &Place, uid: Option<&str>) -> Json {
    let mut metadata = Map::from_iter([("name".to_owned(), Json::from(place.name.as_str()))]);
    let more = [("namespace", place.namespace.as_deref()), ("uid", uid)];
    let more = more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
    metadata.extend(more);
    json!({"apiVersion": place.api, "kind": place.kind, "metadata": metadata})
}

/// The whole manifest.
pub fn manifest(place: &Place, attributes: &Json, mark: Option<&Mark>, uid: Option<&str>) -> Json {
    let mut manifest = head(place, uid);
    let mut annotations = attributes["annotations"].as_object().cloned().unwrap_or_default();
    if let Some(mark) = mark {
        annotations.insert(LINEAGE.into(), mark.lineage.as_str().into());
        annotations.insert(ADDRESS.into(), mark.address.as_str().into());
    }
    if !annotations.is_empty() {
        manifest["metadata"]["annotations"] = Json::Object(annotations);
    }
    if attributes["labels"].is_object() {
        manifest["metadata"]["labels"] = attributes["labels"].clone();
    }
    let rest = attributes.as_object().into_iter().flatten();
    for (key, value) in rest.filter(|(key, _)| !READ_ONLY.contains(&key.as_str())) {
        manifest[key] = value.clone();
    }
    if place.is_secret() {
        encode(&mut manifest);
    }
    manifest
}

/// Puts a Secret's texts and bytes together, in base64.
fn encode(manifest: &mut Json) {
    let Some(object) = manifest.as_object_mut() else { return };
    let mut data = Map::new();
    if let Some(Json::Object(binary)) = object.remove("binary_data") {
        data.extend(binary);
    }
    if let Some(Json::Object(texts)) = object.remove("data") {
        let text = |value: &Json| value.as_str().map_or_else(|| value.clone(), encoded);
        data.extend(texts.iter().map(|(key, value)| (key.clone(), text(value))));
    }
    object.insert("data".into(), Json::Object(data));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::kubernetes::testing::place;
    use crate::resource::Address;

    #[test]
    fn a_manifest_says_what_it_is_and_whose() {
        let attributes = json!({
            "type": "Opaque", "labels": {"app": "x"}, "annotations": {"team": "t"},
            "data": {"password": "hunter2"}, "binary_data": {"key": "/w=="}, "ready": true,
        });
        let mark = Mark { lineage: "l".into(), address: Address::from("cluster/x/Secret/x") };
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "name": "x", "namespace": "default", "uid": "1", "labels": {"app": "x"},
                "annotations": {"team": "t", LINEAGE: "l", ADDRESS: "cluster/x/Secret/x"},
            },
            "data": {"password": "aHVudGVyMg==", "key": "/w=="},
        });
        assert_eq!(manifest(&place("Secret", "x"), &attributes, Some(&mark), Some("1")), expected);
    }
}
