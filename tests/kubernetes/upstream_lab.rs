//! Projects that Medic's charts installed, in the cluster of the lab: planned, taken over and left
//! running, command by command, as people do it.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::authority::{Signed, text_of_base64};
use super::charts::{Chart, SPACE, Way, charts, files, held, identities, install, run};
use super::client::Client;
use super::manifest::{path, place};
use super::upstream_projects::three_agents;
use crate::cli::env::{SMALL, TestEnv};

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

    /// Waits until everything runs.
    async fn running(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while !run(&self.api).await {
            assert!(Instant::now() < end, "{:#?}", identities(&self.api).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
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

    /// Installs a file, takes the project over, and lets go of it again.
    async fn adopt(&self, way: Way, chart: &Chart, objects: &[Json]) {
        let what = format!("{} {way:?}", chart.file);
        install(&self.api, way, objects).await;
        self.running().await;
        let before = identities(&self.api).await;
        self.write(Some(&chart.keys));
        let plan = self.env.expect(0, &["plan", "--lab", "--full", "small.toml"]).stdout;
        for said in ["managed_by: helm -> boma", "helm-release: helm still holds county-01"] {
            assert_eq!(plan.contains(said), way.is_helms(), "{what}: {plan}");
        }
        assert!(!plan.contains("restart"), "{what}: {plan}");
        let taken = plan.lines().last().is_some_and(|line| {
            line.starts_with("Plan: 0 to add, ") && line.contains(" 0 to destroy, ")
        });
        assert!(taken, "{what}: {plan}");
        self.env.apply();
        assert_eq!(identities(&self.api).await, before, "{what}: something was restarted");
        self.env.assert_settled();
        assert_eq!(held(&self.api, chart, objects).await, [""; 0], "{what}");
        for stray in objects.iter().filter(|object| chart.is_stray(object)) {
            assert!(self.api.find(&path(&place(stray, SPACE))).await.is_some(), "{what}: {stray}");
        }
        self.write(None);
        self.env.apply();
        self.clear(objects).await;
    }
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

/// Takes over every file whose project came in one of these ways.
async fn check(ways: &[Way]) {
    let (stage, files) = (Stage::new(), files());
    for chart in charts() {
        let objects = chart.objects(&files);
        for &way in chart.ways.iter().filter(|way| ways.contains(way)) {
            stage.adopt(way, &chart, &objects).await;
        }
    }
    stage.served.stop();
}

#[tokio::test]
#[ignore = "needs BOMA_UPSTREAM"]
async fn what_helm_installed_is_taken_over_without_a_restart() {
    check(&[Way::Helm3, Way::Helm4]).await;
}

#[tokio::test]
#[ignore = "needs BOMA_UPSTREAM"]
async fn what_was_installed_by_hand_is_taken_over_without_a_restart() {
    check(&[Way::Kubectl, Way::KubectlOnServer]).await;
}

#[tokio::test]
#[ignore = "needs BOMA_UPSTREAM"]
async fn what_an_api_server_made_of_it_is_taken_over_without_a_restart() {
    check(&[Way::Kept]).await;
}
