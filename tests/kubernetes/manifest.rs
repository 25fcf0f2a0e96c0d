//! Manifests as tests use them: read from files, and where the API has their objects.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

/// Kinds whose objects are in no namespace, of those that tests use.
const CLUSTER_WIDE: &[&str] = &[
    "ClusterRole",
    "ClusterRoleBinding",
    "CSIDriver",
    "CustomResourceDefinition",
    "IngressClass",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "VolumeSnapshotClass",
];

/// The folder of other projects' manifests.
pub fn upstream() -> PathBuf {
    let folder = std::env::var_os("BOMA_UPSTREAM");
    folder.expect("BOMA_UPSTREAM is the folder of other projects' manifests").into()
}

/// All manifests directly in a folder, by name, each with its objects.
pub fn manifests(folder: &Path) -> Vec<(String, Vec<Json>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    // As kubectl reads it: a mode of 0644 is octal.
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let objects: Vec<Json> =
            serde_saphyr::from_multiple_with_options(&text, options.clone()).unwrap();
        (name, objects.into_iter().filter(|object| !object.is_null()).collect())
    };
    files.into_iter().map(read).collect()
}

/// The natural key of a manifest's object, in the shape of [`boma::resource::Locator`].
pub fn place(manifest: &Json, namespace: &str) -> Json {
    let kind = manifest["kind"].as_str().unwrap();
    let mut place = json!({
        "api": manifest["apiVersion"],
        "kind": kind,
        "plural": plural(kind),
        "name": manifest["metadata"]["name"],
    });
    if !CLUSTER_WIDE.contains(&kind) {
        let own = &manifest["metadata"]["namespace"];
        place["namespace"] = json!(own.as_str().unwrap_or(namespace));
    }
    place
}

/// Where the API has the object.
pub fn path(place: &Json) -> String {
    let text = |name: &str| place[name].as_str().unwrap();
    let api = text("api");
    let root = if api.contains('/') { "/apis" } else { "/api" };
    let namespace = match place["namespace"].as_str() {
        Some(namespace) => format!("/namespaces/{namespace}"),
        None => String::new(),
    };
    format!("{root}/{api}{namespace}/{}/{}", text("plural"), text("name"))
}

fn plural(kind: &str) -> String {
    let word = kind.to_lowercase();
    match word.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if word.ends_with('s') => format!("{word}es"),
        None => format!("{word}s"),
    }
}
