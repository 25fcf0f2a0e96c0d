//! Objects of the API in the shape that the planner meets.

use k8s_openapi::ByteString;
use serde_json::{Map, Value as Json};

use super::place::Place;
use crate::resource::{Address, Mark};

/// The annotation with the lineage of the state that an object belongs to.
pub const LINEAGE: &str = "boma.dev/lineage";
/// The annotation with the address it has in that state.
pub const ADDRESS: &str = "boma.dev/address";
/// The annotation of a Node with the keys of the taints that boma put on it, joined by commas.
/// Who owns a taint is not to be seen in managedFields: the list is owned as a whole.
pub const TAINTS: &str = "boma.dev/taints";
/// What `kubectl apply` keeps for itself: a copy of the whole manifest, secrets included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The type of a Secret that helm keeps a release in.
const RELEASE: &str = "helm.sh/release.v1";

/// Keys of a manifest that are no attributes, or are lifted out of `metadata`.
const NOT_LIFTED: &[&str] = &["apiVersion", "kind", "metadata", "status"];

/// A manifest, or a part of one, as attributes: without what says what it is, with labels and
/// annotations at the top, a Secret's data decoded, of a Node only its labels, annotations and
/// taints.
pub fn attributes(place: &Place, manifest: &Json) -> Map<String, Json> {
    let mut tree = Map::new();
    for key in ["labels", "annotations"] {
        if let Some(pairs) = manifest["metadata"][key].as_object() {
            let foreign = pairs.iter().filter(|(key, _)| !is_own(key));
            let pairs: Map<_, _> =
                foreign.map(|(key, value)| (key.clone(), value.clone())).collect();
            if !pairs.is_empty() {
                tree.insert(key.to_owned(), Json::Object(pairs));
            }
        }
    }
    if place.is_node() {
        if let Some(taints) = manifest["spec"]["taints"].as_array() {
            tree.insert("taints".into(), taints.iter().map(taint).collect());
        }
        return tree;
    }
    let rest = manifest.as_object().into_iter().flatten();
    let rest = rest.filter(|(key, _)| !NOT_LIFTED.contains(&key.as_str()));
    tree.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
    if place.is_secret() {
        decode(&mut tree);
    }
    tree
}

/// boma's sign in an object's annotations.
pub fn mark(manifest: &Json) -> Option<Mark> {
    let annotation = |key: &str| manifest["metadata"]["annotations"][key].as_str();
    let (lineage, address) = (annotation(LINEAGE)?, annotation(ADDRESS)?);
    Some(Mark { lineage: lineage.to_owned(), address: Address::from(address) })
}

/// Whether an annotation is bookkeeping, boma's or kubectl's.
pub fn is_own(annotation: &str) -> bool {
    [LINEAGE, ADDRESS, TAINTS, LAST_APPLIED].contains(&annotation)
}

/// Text or bytes as the API has them in a Secret.
pub fn encoded(text: &str) -> Json {
    serde_json::to_value(ByteString(text.as_bytes().to_vec())).unwrap_or_default()
}

/// A taint without the time at which it was put.
fn taint(taint: &Json) -> Json {
    let pairs = taint.as_object().into_iter().flatten();
    let kept = pairs.filter(|(key, _)| *key != "timeAdded");
    Json::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Makes text of a Secret's data; what is no text goes to `binary_data` as it is. What helm keeps
/// of a release is large, and nobody asks for more than that it is there.
fn decode(tree: &mut Map<String, Json>) {
    let Some(Json::Object(data)) = tree.remove("data") else { return };
    if tree.get("type").is_some_and(|kind| kind == RELEASE) {
        return;
    }
    let (mut texts, mut binary) = (Map::new(), Map::new());
    for (key, value) in data {
        let bytes: Option<ByteString> = serde_json::from_value(value.clone()).ok();
        match bytes.and_then(|bytes| String::from_utf8(bytes.0).ok()) {
            Some(text) => texts.insert(key, text.into()),
            None => binary.insert(key, value),
        };
    }
    tree.insert("data".into(), Json::Object(texts));
    if !binary.is_empty() {
        tree.insert("binary_data".into(), Json::Object(binary));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::kubernetes::testing::place;

    fn check(kind: &str, manifest: Json, expected: Json) {
        assert_eq!(Json::Object(attributes(&place(kind, "x"), &manifest)), expected);
    }

    #[test]
    fn labels_and_annotations_are_lifted_and_bookkeeping_is_left_out() {
        check(
            "Deployment",
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {
                    "name": "x", "labels": {"app": "x"},
                    "annotations": {LINEAGE: "l", ADDRESS: "a", LAST_APPLIED: "{}", "team": "t"},
                },
                "spec": {"replicas": 1}, "status": {"replicas": 1},
            }),
            json!({"labels": {"app": "x"}, "annotations": {"team": "t"}, "spec": {"replicas": 1}}),
        );
        check("ConfigMap", json!({"metadata": {"annotations": {LINEAGE: "l"}}}), json!({}));
    }

    #[test]
    fn a_secrets_data_is_text() {
        check(
            "Secret",
            json!({"type": "Opaque", "data": {"password": "aHVudGVyMg==", "key": "/w=="}}),
            json!({"type": "Opaque", "data": {"password": "hunter2"}, "binary_data": {"key": "/w=="}}),
        );
        assert_eq!(encoded("hunter2"), "aHVudGVyMg==");
        let release = "helm.sh/release.v1";
        check(
            "Secret",
            json!({"type": release, "data": {"release": "SDQ="}}),
            json!({"type": release}),
        );
    }

    #[test]
    fn of_a_node_only_what_can_be_boma_s_is_kept() {
        check(
            "Node",
            json!({
                "metadata": {"labels": {"a": "b"}},
                "spec": {"podCIDR": "10.42.0.0/24", "taints": [
                    {"key": "k", "effect": "NoSchedule", "timeAdded": "2026-11-22T00:00:00Z"}]},
            }),
            json!({"labels": {"a": "b"}, "taints": [{"key": "k", "effect": "NoSchedule"}]}),
        );
    }
}
