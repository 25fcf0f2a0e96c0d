//! Every file of projects that Medic's charts make: how it comes into a cluster, and the spec's
//! keys for what it holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::client::Client;
use super::manifest::{manifests, path, place, upstream};
use super::upstream_projects::{LONE_OF_4, LONE_OF_5, cluster_of_4, cluster_of_5};

/// The namespace that the files were rendered for.
pub const SPACE: &str = "cht-county-01";

/// Who put the objects there, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Helm 3 creates objects.
    Helm3,
    /// Helm 4 applies them.
    Helm4,
    /// As an API server kept them, books and all.
    Kept,
    /// Somebody ran `kubectl apply`.
    Kubectl,
    /// Somebody ran `kubectl apply --server-side`.
    KubectlOnServer,
}

impl Way {
    pub fn is_helms(self) -> bool {
        matches!(self, Self::Helm3 | Self::Helm4 | Self::Kept)
    }
}

/// A file of the folder.
pub struct Chart {
    /// Its path in the folder, without the ending.
    pub file: &'static str,
    /// What the project's table says.
    pub keys: String,
    /// How it may have been installed.
    pub ways: &'static [Way],
    /// Names that begin like this are of objects that are none of a project's, and stay.
    pub strays: &'static [&'static str],
    /// The file with the project, where this one holds what is installed beside it.
    pub beside: Option<&'static str>,
}

const HELM: &[Way] = &[Way::Helm3, Way::Helm4];
const HAND: &[Way] = &[Way::Kubectl, Way::KubectlOnServer];
const KEPT: &[Way] = &[Way::Kept];
/// A Service that leads to nothing: it is for another entry than Traefik.
const NGINX: &[&str] = &["ingress-nginx"];

/// Each file once.
pub fn charts() -> Vec<Chart> {
    let flavours: [(&str, String, &[&str]); 4] = [
        ("cht-4x-clustered", cluster_of_4(), &[]),
        ("cht-4x-single", LONE_OF_4.to_owned(), &[]),
        ("cht-5x-clustered", cluster_of_5(), NGINX),
        ("cht-5x-single", LONE_OF_5.to_owned(), NGINX),
    ];
    let forms = [("", "", HAND), ("", "-installed", HELM), ("live-1.25/", "", KEPT)];
    let mut charts = Vec::new();
    for (name, keys, strays) in flavours {
        for (folder, ending, ways) in forms {
            let file: &'static str = format!("{folder}{name}{ending}").leak();
            charts.push(Chart { file, keys: keys.clone(), ways, strays, beside: None });
        }
    }
    let vsphere = cluster_of_4().replace("local-storage", "vsphere-storage-class");
    let other = |file, keys, ways, strays| Chart { file, keys, ways, strays, beside: None };
    charts.push(other("cht-4x-clustered-vsphere", vsphere, HAND, &[]));
    // Jobs that helm runs before the project, and deletes when they end.
    charts.push(Chart {
        beside: Some("cht-4x-clustered-installed"),
        ..other("cht-4x-clustered-hooks", cluster_of_4(), &[Way::Helm3], &["create-directory-"])
    });
    charts
}

/// All files, by their path without the ending. There has to be a chart for each.
pub fn files() -> BTreeMap<String, Vec<Json>> {
    let mut all = BTreeMap::new();
    for folder in ["", "live-1.25/"] {
        let files = manifests(&upstream().join("cht").join(folder));
        all.extend(files.into_iter().map(|(name, objects)| (format!("{folder}{name}"), objects)));
    }
    let known: BTreeSet<String> = charts().iter().map(|chart| chart.file.to_owned()).collect();
    let found: BTreeSet<String> = all.keys().cloned().collect();
    assert_eq!(found, known, "a file without a chart, or a chart without its file");
    all
}

impl Chart {
    /// What is installed.
    pub fn objects(&self, files: &BTreeMap<String, Vec<Json>>) -> Vec<Json> {
        let own = files[self.file].iter();
        let project = self.beside.map(|name| files[name].iter()).into_iter().flatten();
        let all = own.chain(project);
        match self.ways.contains(&Way::Kept) {
            true => all.map(put_again).collect(),
            false => all.cloned().collect(),
        }
    }

    /// Whether an object is none of the project's.
    pub fn is_stray(&self, object: &Json) -> bool {
        let name = object["metadata"]["name"].as_str().unwrap();
        self.strays.iter().any(|stray| name.starts_with(stray))
    }
}

/// Installs a project, as somebody else does, in a namespace that comes with it.
pub async fn install(api: &Client, way: Way, objects: &[Json]) {
    let space = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": SPACE, "labels": {"name": SPACE}}});
    api.post("/api/v1/namespaces", &space).await.ok();
    for object in objects {
        let path = path(&place(object, SPACE));
        let collection = path.rsplit_once('/').unwrap().0.to_owned();
        let create = |manager: &str| format!("{collection}?fieldManager={manager}");
        match way {
            Way::Helm4 => api.apply(&path, "helm", object).await,
            Way::KubectlOnServer => api.apply(&path, "kubectl", object).await,
            Way::Kubectl => {
                api.post(&create("kubectl-client-side-apply"), &remembered(object)).await
            }
            Way::Helm3 | Way::Kept => api.post(&create("helm"), object).await,
        }
        .ok();
    }
    if way.is_helms() {
        let release = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": "sh.helm.release.v1.county-01.v1", "labels": {"owner": "helm"}}});
        api.post(&format!("/api/v1/namespaces/{SPACE}/secrets"), &release).await.ok();
    }
}

/// With what `kubectl apply` keeps on the object for its next run.
fn remembered(object: &Json) -> Json {
    let mut object = object.clone();
    let last = object.to_string();
    let metadata = object["metadata"].as_object_mut().unwrap();
    let notes = metadata.entry("annotations").or_insert_with(|| json!({}));
    if notes.is_null() {
        *notes = json!({});
    }
    notes["kubectl.kubernetes.io/last-applied-configuration"] = json!(last);
    object
}

/// As an API server would take it again: without what only a standing object has.
fn put_again(object: &Json) -> Json {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove("status");
    for (pointer, keys) in [
        ("/metadata", &["uid", "resourceVersion", "creationTimestamp", "generation"][..]),
        ("/spec", &["clusterIP", "clusterIPs", "claimRef"]),
    ] {
        let Some(map) = object.pointer_mut(pointer).and_then(Json::as_object_mut) else { continue };
        keys.iter().for_each(|&key| drop(map.remove(key)));
        map.retain(|key, value| key != "volumeName" || !value.to_string().contains("fake"));
        if let Some(notes) = map.get_mut("annotations").and_then(Json::as_object_mut) {
            notes.retain(|key, _| key.starts_with("meta.helm.sh/"));
        }
    }
    object
}

/// Names of pods and of sets of them with the objects' uids: who has another one was restarted.
pub async fn identities(api: &Client) -> BTreeMap<String, String> {
    let pods = api.items(&format!("/api/v1/namespaces/{SPACE}/pods")).await;
    let sets = api.items(&format!("/apis/apps/v1/namespaces/{SPACE}/replicasets")).await;
    let text = |object: &Json, key: &str| object["metadata"][key].as_str().unwrap().to_owned();
    pods.iter().chain(&sets).map(|one| (text(one, "name"), text(one, "uid"))).collect()
}

/// Whether all pods run, or have done their work.
pub async fn run(api: &Client) -> bool {
    let pods = api.items(&format!("/api/v1/namespaces/{SPACE}/pods")).await;
    let is_ready = |pod: &Json| {
        let mut all = pod["status"]["conditions"].as_array().into_iter().flatten();
        all.any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    let runs = |pod: &Json| pod["status"]["phase"] == "Succeeded" || is_ready(pod);
    !pods.is_empty() && pods.iter().all(runs)
}

/// Names of the project's objects that helm still has a claim on.
pub async fn held(api: &Client, chart: &Chart, objects: &[Json]) -> Vec<String> {
    let mut held = Vec::new();
    for object in objects {
        if object["kind"] == "PersistentVolume" || chart.is_stray(object) {
            continue;
        }
        let live = api.find(&path(&place(object, SPACE))).await.unwrap_or_default();
        let entries = live["metadata"]["managedFields"].as_array().cloned();
        let own = entries.iter().flatten().any(|entry| entry["manager"] == "helm");
        held.extend(own.then(|| format!("{} {}", object["kind"], object["metadata"]["name"])));
    }
    held
}
