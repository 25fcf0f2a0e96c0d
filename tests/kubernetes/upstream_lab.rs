//! Projects that Medic's charts installed, in the cluster of the lab: planned, taken over and left
//! running, command by command, as people do it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::authority::{Signed, text_of_base64};
use super::client::Client;
use super::manifest::{manifests, path, place, upstream};
use super::upstream_projects::{LONE_OF_4, LONE_OF_5, cluster_of_4, cluster_of_5, three_agents};
use crate::cli::env::{SMALL, TestEnv};

const SPACE: &str = "cht-county-01";

/// Who put the objects there, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Helm {
    /// It creates objects.
    Three,
    /// It applies them.
    Four,
    /// As an API server kept them, books and all.
    Kept,
}

/// A lab that is served, with a cluster and no project in it.
struct Stage {
    env: TestEnv,
    served: crate::cli::served::Served,
    api: Client,
    bare: String,
}

impl Stage {
    fn new() -> Self {
        let env = TestEnv::empty();
        let bare = three_agents(SMALL);
        let end = bare.find("[backup.projects]").expect("backups of projects");
        let bare = bare[..end].to_owned();
        env.write("small.toml", &bare);
        env.lock("small.toml");
        env.apply();
        let served = env.serve(0);
        let api = api(&env);
        Self { env, served, api, bare }
    }

    /// The spec with the project, which stands already, or without.
    fn write(&self, keys: Option<&str>) {
        let project = keys.map_or_else(String::new, |keys| {
            format!(
                "[projects]\nnames = [\"county-01\"]\ndomain = \"cht.example.org\"\n\
                 [projects.defaults]\ncht = \"5.2.0\"\n\
                 [projects.overrides.county-01]\nadopt = true\n{keys}\n"
            )
        });
        self.env.write("small.toml", format!("{}{project}", self.bare));
        self.env.lock("small.toml");
    }

    async fn install(&self, helm: Helm, objects: &[Json]) {
        let space = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": SPACE, "labels": {"name": SPACE}}});
        self.api.post("/api/v1/namespaces", &space).await.ok();
        for object in objects {
            let path = path(&place(object, SPACE));
            match helm {
                Helm::Four => drop(self.api.apply(&path, "helm", object).await.ok()),
                Helm::Three | Helm::Kept => {
                    let collection = path.rsplit_once('/').unwrap().0;
                    let collection = format!("{collection}?fieldManager=helm");
                    self.api.post(&collection, object).await.ok();
                }
            }
        }
        let release = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": "sh.helm.release.v1.county-01.v1", "labels": {"owner": "helm"}}});
        self.api.post(&format!("/api/v1/namespaces/{SPACE}/secrets"), &release).await.ok();
    }

    /// Names of pods and of sets of them, and the pods' uids. Waits until all run.
    async fn running(&self) -> BTreeMap<String, String> {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let pods = self.items("/api/v1", "pods").await;
            let runs = |pod: &Json| pod["status"]["phase"] == "Running";
            if !pods.is_empty() && pods.iter().all(runs) {
                let sets = self.items("/apis/apps/v1", "replicasets").await;
                return pods.iter().chain(&sets).map(identity).collect();
            }
            assert!(Instant::now() < end, "they do not run: {pods:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn items(&self, api: &str, plural: &str) -> Vec<Json> {
        self.api.items(&format!("{api}/namespaces/{SPACE}/{plural}")).await
    }

    /// Names of the objects that helm still has a claim on.
    async fn held(&self, objects: &[Json]) -> Vec<String> {
        let mut held = Vec::new();
        for object in objects.iter().filter(|object| object["kind"] != "PersistentVolume") {
            let live = self.api.find(&path(&place(object, SPACE))).await.unwrap_or_default();
            let entries = live["metadata"]["managedFields"].as_array().cloned();
            let own = entries.iter().flatten().any(|entry| entry["manager"] == "helm");
            held.extend(own.then(|| format!("{} {}", object["kind"], object["metadata"]["name"])));
        }
        held
    }

    async fn clear(&self, objects: &[Json]) {
        let space = format!("/api/v1/namespaces/{SPACE}");
        self.api.delete(&space).await;
        for volume in objects.iter().filter(|object| object["kind"] == "PersistentVolume") {
            self.api.delete(&path(&place(volume, SPACE))).await;
        }
        let end = Instant::now() + Duration::from_secs(60);
        while self.api.find(&space).await.is_some() {
            assert!(Instant::now() < end, "the namespace stays");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Installs a file as helm does, takes the project over, and lets go of it again. `own` are
    /// objects of the file that are none of boma's.
    async fn adopt(&self, helm: Helm, keys: &str, objects: &[Json], own: &[&str]) {
        self.install(helm, objects).await;
        let before = self.running().await;
        self.write(Some(keys));
        let plan = self.env.expect(0, &["plan", "--lab", "--full", "small.toml"]).stdout;
        assert!(plan.contains("managed_by: helm -> boma"), "{plan}");
        assert!(plan.contains("helm-release: helm still holds county-01"), "{plan}");
        assert!(!plan.contains("restart"), "{plan}");
        self.env.apply();
        assert_eq!(self.running().await, before, "{helm:?} {keys}: something was restarted");
        self.env.assert_settled();
        let named = |name: &&String| !own.iter().any(|own| name.contains(own));
        let held = self.held(objects).await;
        assert_eq!(held.iter().filter(named).count(), 0, "{held:?}");
        self.write(None);
        self.env.apply();
        self.clear(objects).await;
    }
}

fn identity(object: &Json) -> (String, String) {
    let text = |key: &str| object["metadata"][key].as_str().unwrap().to_owned();
    (text("name"), text("uid"))
}

/// What `lab serve` writes once it answers for the cluster.
fn kubeconfig(env: &TestEnv) -> Json {
    let file = env.path("state/lab/small/world/kubeconfig");
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        match serde_saphyr::from_str::<Json>(&text) {
            Ok(config) if config["users"].is_array() => return config,
            _ => assert!(Instant::now() < end, "there is no kubeconfig"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An administrator of the lab's cluster.
fn api(env: &TestEnv) -> Client {
    let config = kubeconfig(env);
    let (cluster, user) = (&config["clusters"][0]["cluster"], &config["users"][0]["user"]);
    let decoded = |value: &Json| text_of_base64(value.as_str().unwrap());
    let signed = Signed {
        certificate: decoded(&user["client-certificate-data"]),
        key: decoded(&user["client-key-data"]),
    };
    let url = cluster["server"].as_str().unwrap();
    Client::new(url, &decoded(&cluster["certificate-authority-data"]), &signed)
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

/// Each flavour of a project: its file, and the spec's keys for it.
fn flavours() -> [(&'static str, String, &'static [&'static str]); 4] {
    [
        ("cht-4x-clustered", cluster_of_4(), &[]),
        ("cht-4x-single", LONE_OF_4.to_owned(), &[]),
        ("cht-5x-clustered", cluster_of_5(), &["ingress-nginx"]),
        ("cht-5x-single", LONE_OF_5.to_owned(), &["ingress-nginx"]),
    ]
}

async fn check(folder: &str, ending: &str, helms: &[Helm]) {
    let stage = Stage::new();
    let files: BTreeMap<String, Vec<Json>> =
        manifests(&upstream().join(folder)).into_iter().collect();
    for (name, keys, own) in flavours() {
        for &helm in helms {
            let objects = files[&format!("{name}{ending}")].iter();
            let objects: Vec<Json> = match helm {
                Helm::Kept => objects.map(put_again).collect(),
                Helm::Three | Helm::Four => objects.cloned().collect(),
            };
            stage.adopt(helm, &keys, &objects, own).await;
        }
    }
    stage.served.stop();
}

#[tokio::test]
#[ignore = "needs BOMA_UPSTREAM"]
async fn what_charts_install_is_taken_over_without_a_restart() {
    check("cht", "-installed", &[Helm::Three, Helm::Four]).await;
}

#[tokio::test]
#[ignore = "needs BOMA_UPSTREAM"]
async fn what_an_api_server_made_of_it_is_taken_over_without_a_restart() {
    check("cht/live-1.25", "", &[Helm::Kept]).await;
}
