//! CHT projects: how they start, what they need, and what outlives them.

use std::time::Instant;

use serde_json::{Value as Json, json};

use super::project::{Manifest, Project};
use super::rig::{Rig, deployments};
use super::storage;
use crate::lab::kubernetes::controllers::{Act, ProjectAction, Ran, act, execute};
use crate::lab::kubernetes::{Key, Request, answer};

const SPACE: &str = "cht-a";

impl Rig {
    /// Applies manifests over the API, and settles after each.
    #[track_caller]
    fn apply_all(&mut self, manifests: &[Manifest]) {
        for (path, object) in manifests {
            self.now_ms += 1;
            let name = object["metadata"]["name"].as_str().unwrap();
            let request = Request {
                method: "PATCH".to_owned(),
                path: format!("{path}/{name}"),
                query: "fieldManager=test&fieldValidation=Strict".to_owned(),
                content_type: "application/apply-patch+yaml".to_owned(),
                body: whole(path, object).to_string().into_bytes(),
                ..Request::default()
            };
            let answer = answer(self.cluster(), &request, self.now_ms);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(answer.status < 300, "{path}/{name}: {text}");
            answer.effects.iter().for_each(|effect| self.clusters.apply(effect));
            self.step();
        }
    }

    #[track_caller]
    fn project(&mut self, project: &Project) {
        self.apply_all(&project.manifests());
        self.settle();
    }

    /// Deletes an object over the API.
    #[track_caller]
    fn remove(&mut self, path: &str) {
        let request =
            Request { method: "DELETE".to_owned(), path: path.to_owned(), ..Request::default() };
        let answer = answer(self.cluster(), &request, self.now_ms);
        assert_eq!(answer.status, 200);
        answer.effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.settle();
    }

    /// Deployments that are not ready.
    fn unready(&self, namespace: &str) -> Vec<String> {
        let all = self.cluster().store.list_in("apps", "deployments", namespace);
        all.filter(|(_, object)| object["status"]["readyReplicas"] != object["spec"]["replicas"])
            .map(|(key, _)| key.name.clone())
            .collect()
    }

    /// Runs a script in a container of the only pod whose name begins so.
    fn run(&self, namespace: &str, name: &str, script: &str) -> Ran {
        let mut pods = self.cluster().store.list_in("", "pods", namespace);
        let (_, pod) = pods.find(|(key, _)| key.name.starts_with(name)).unwrap();
        let words = ["sh", "-c", script].map(str::to_owned);
        execute(self.cluster(), &self.world, pod, &pod["spec"]["containers"][0], &words)
    }

    fn asked(&self, url: &str) -> String {
        let login = r#"printf '%s:%s' "$COUCHDB_USER" "$COUCHDB_PASSWORD" | sed 's/[\\"]/\\&/g; s/^/user = "/; s/$/"/'"#;
        let ran = self.run(SPACE, "cht-couchdb-1", &format!("{login} | curl -s -m 10 -K - {url}"));
        format!("{}{}", ran.code.unwrap(), ran.stdout.trim_end())
    }
}

fn whole(path: &str, object: &Json) -> Json {
    let mut object = object.clone();
    if object["kind"].is_null() {
        let kind = match path.rsplit('/').next().unwrap() {
            "namespaces" => "Namespace",
            "secrets" => "Secret",
            "configmaps" => "ConfigMap",
            "persistentvolumeclaims" => "PersistentVolumeClaim",
            "services" => "Service",
            "limitranges" => "LimitRange",
            "resourcequotas" => "ResourceQuota",
            other => panic!("{other}"),
        };
        object["apiVersion"] = json!("v1");
        object["kind"] = json!(kind);
    }
    object
}

fn standing() -> (Rig, Project) {
    let mut rig = storage::standing();
    let project = Project::new(SPACE);
    rig.project(&project);
    (rig, project)
}

#[test]
fn a_project_starts_and_is_asked() {
    let (rig, project) = standing();
    assert_eq!(rig.unready(SPACE), Vec::<String>::new(), "{:#?}", rig.events("LastLog"));
    assert_eq!(rig.asked("http://localhost:5984/_up"), r#"0{"seeds":{},"status":"ok"}"#);
    let membership: Json =
        serde_json::from_str(&rig.asked("http://localhost:5984/_membership")[1..]).unwrap();
    let names: Vec<String> =
        (1..=3).map(|n| format!("couchdb@{}", project.host(&format!("couchdb-{n}")))).collect();
    assert_eq!(membership, json!({"all_nodes": names, "cluster_nodes": names}));
    assert_eq!(rig.asked("http://api:5988/api/info"), r#"0{"version":"4.22.0"}"#);
    assert_eq!(
        rig.asked("http://api.cht-a.svc.cluster.local:5988/api/v2/upgrade"),
        r#"0{"indexers":[]}"#
    );
    assert!(rig.asked("http://api:5988/api/deploy-info").contains(r#""version":"4.22.0""#));
    assert_eq!(rig.asked("http://nowhere:80/"), "6");
    assert_eq!(rig.asked("http://localhost:1/"), "7");
    let wrong = rig.run(SPACE, "cht-couchdb-2", "curl -s -u medic:wrong http://localhost:5984/_up");
    assert!(wrong.stdout.contains("Name or password is incorrect."), "{wrong:?}");
    assert_eq!(rig.run(SPACE, "cht-api", "frobnicate").code, Some(127));
}

/// Everything but a part, then the part: what waits for it fails until then.
#[track_caller]
fn check_missing(part: &str, waits: &str, says: &str) {
    let mut rig = storage::standing();
    let all = Project::new(SPACE).manifests();
    let is = |manifest: &&Manifest| {
        manifest.0.ends_with(part.split('/').next().unwrap())
            && manifest.1["metadata"]["name"] == part.split('/').next_back().unwrap()
    };
    let (late, early): (Vec<&Manifest>, Vec<&Manifest>) = all.iter().partition(is);
    rig.apply_all(&early.into_iter().cloned().collect::<Vec<_>>());
    rig.settle();
    assert!(
        rig.unready(SPACE).iter().any(|name| name == waits),
        "{part}: {:?}",
        rig.unready(SPACE)
    );
    let told = format!(
        "{:#?}{:#?}",
        rig.pods("cht-"),
        rig.cluster()
            .store
            .list("", "events")
            .map(|(_, e)| e["message"].clone())
            .collect::<Vec<_>>()
    );
    assert!(told.contains(says), "{part}: {says} in {told}");
    rig.apply_all(&late.into_iter().cloned().collect::<Vec<_>>());
    rig.settle();
    assert_eq!(rig.unready(SPACE), Vec::<String>::new(), "{part}: {:#?}", rig.events("LastLog"));
}

#[test]
fn every_part_waits_for_what_it_needs() {
    check_missing("secrets/cht-couchdb-credentials", "cht-couchdb-1", "CreateContainerConfigError");
    check_missing("persistentvolumeclaims/couchdb-2-claim0", "cht-api", "couchdb-2-claim0");
    check_missing("services/couchdb-1", "cht-couchdb-2", "No couchdb end point Found");
    check_missing("services/healthcheck", "cht-haproxy", "could not resolve address");
    check_missing("deployments/cht-couchdb-1", "cht-couchdb-3", "No couchdb end point Found");
    check_missing("deployments/cht-couchdb-3", "cht-api", "503 Service Unavailable");
    check_missing("deployments/cht-haproxy-healthcheck", "cht-api", "503 Service Unavailable");
    check_missing("deployments/cht-haproxy", "cht-api", "ECONNREFUSED");
    check_missing("deployments/cht-api", "cht-sentinel", "API check failed");
}

#[test]
fn an_unknown_release_cannot_be_pulled() {
    let mut rig = storage::standing();
    let project = Project { release: "4.99.0".to_owned(), ..Project::new(SPACE) };
    rig.project(&project);
    assert_eq!(rig.unready(SPACE).len(), 7);
    rig.assert_event("Failed", "public.ecr.aws/medic/cht-couchdb:4.99.0: not found");
}

#[test]
fn a_volume_keeps_the_password_that_it_was_made_with() {
    let (mut rig, project) = standing();
    let other = Project { password: "other".to_owned(), ..project.clone() };
    rig.apply_all(&[other.credentials()]);
    for name in ["cht-api", "cht-haproxy"] {
        let key = deployments(SPACE, name);
        rig.edit(&key, |one| {
            one["spec"]["template"]["metadata"]["annotations"] = json!({"a": "b"})
        });
    }
    assert_eq!(rig.unready(SPACE), ["cht-api"]);
    rig.apply_all(&[project.credentials()]);
    rig.settle();
    assert_eq!(rig.unready(SPACE), Vec::<String>::new());
}

#[test]
fn data_outlive_the_namespace() {
    let (mut rig, project) = standing();
    let before = rig.asked("http://localhost:5984/");
    let volumes: Vec<Key> =
        rig.cluster().store.list("", "persistentvolumes").map(|(key, _)| key.clone()).collect();
    rig.remove(&format!("/api/v1/namespaces/{SPACE}"));
    assert_eq!(rig.cluster().store.namespace(SPACE).count(), 0);
    for volume in &volumes {
        assert_eq!(rig.get(volume)["status"]["phase"], "Released");
    }
    // Somebody else's password: a new volume takes it, the old one does not.
    let other = Project { password: "other".to_owned(), ..project.clone() };
    let early: Vec<Manifest> = other.manifests().into_iter().take(3).collect();
    rig.apply_all(&early);
    for (number, volume) in (1..=3).zip(&volumes) {
        let claim = format!("couchdb-{number}-claim0");
        let own =
            volumes.iter().find(|key| rig.get(key)["spec"]["claimRef"]["name"] == claim.as_str());
        let own = own.unwrap_or(volume).clone();
        rig.edit(&own, |volume| {
            volume["spec"]["claimRef"] = json!({"namespace": SPACE, "name": claim});
        });
        let (path, mut object) = project.claim(number);
        object["spec"]["volumeName"] = json!(own.name);
        rig.apply_all(&[(path, object)]);
        rig.settle();
        let key = Key::new("", "persistentvolumeclaims", SPACE, &claim);
        assert_eq!(rig.get(&key)["status"]["phase"], "Bound");
    }
    let claims = |manifest: &Manifest| manifest.0.ends_with("persistentvolumeclaims");
    let rest: Vec<Manifest> =
        other.manifests().into_iter().skip(3).filter(|one| !claims(one)).collect();
    rig.apply_all(&rest);
    rig.settle();
    assert!(rig.unready(SPACE).contains(&"cht-api".to_owned()), "{:?}", rig.unready(SPACE));
    rig.apply_all(&[project.credentials()]);
    rig.settle();
    assert_eq!(rig.unready(SPACE), Vec::<String>::new(), "{:#?}", rig.events("LastLog"));
    assert_eq!(rig.asked("http://localhost:5984/"), before);
}

#[test]
fn quotas_and_limits_hold_for_pods_of_controllers() {
    let mut rig = Rig::new(false);
    rig.space("small");
    let at = |plural: &str| format!("/api/v1/namespaces/small/{plural}");
    let quota = json!({
        "metadata": {"name": "all", "namespace": "small"},
        "spec": {"hard": {"limits.memory": "3Gi", "pods": "2"}},
    });
    rig.apply_all(&[(at("resourcequotas"), quota)]);
    rig.put(&deployments("small", "small"), super::rig::deployment("small", 3, &json!({})));
    rig.assert_event("FailedCreate", "failed quota: all: must specify limits.memory for: main");
    let condition = &rig.get(&deployments("small", "small"))["status"]["conditions"][2];
    assert_eq!(condition["type"], "ReplicaFailure", "{condition:#}");
    let limits = json!({
        "metadata": {"name": "all", "namespace": "small"},
        "spec": {"limits": [{"type": "Container", "default": {"memory": "1Gi"}}]},
    });
    rig.apply_all(&[(at("limitranges"), limits)]);
    rig.settle();
    assert_eq!(rig.pods("small-").len(), 2);
    rig.assert_event(
        "FailedCreate",
        "exceeded quota: all, requested: pods=1, used: pods=2, limited: pods=2",
    );
    assert_eq!(rig.get(&deployments("small", "small"))["status"]["readyReplicas"], 2);
    let told = rig.get(&Key::new("", "resourcequotas", "small", "all"))["status"].clone();
    let used = json!({"limits.memory": "2Gi", "pods": "2"});
    assert_eq!(told, json!({"hard": {"limits.memory": "3Gi", "pods": "2"}, "used": used}));
}

impl Rig {
    /// Does something in the project's admin UI, and settles.
    #[track_caller]
    fn act(&mut self, action: &ProjectAction) {
        match act(self.cluster(), &self.world, SPACE, action).unwrap() {
            Act::Volumes(entries) => entries.iter().for_each(|entry| self.world.apply(entry)),
            Act::Images(requests) => {
                for request in requests {
                    let answer = answer(self.cluster(), &request, self.now_ms);
                    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
                    answer.effects.iter().for_each(|effect| self.clusters.apply(effect));
                }
            }
        }
        self.settle();
    }
}

#[test]
fn an_upgrade_is_under_way_until_it_is_ended() {
    let (mut rig, _) = standing();
    let release = "5.0.3".to_owned();
    rig.act(&ProjectAction::Stage { release: release.clone() });
    let asked = rig.asked("http://api:5988/api/v2/upgrade");
    assert!(asked.contains(r#""to":{"build":"medic:medic:5.0.3","version":"5.0.3"}"#), "{asked}");
    rig.act(&ProjectAction::Complete { release });
    rig.act(&ProjectAction::Abort);
    assert_eq!(rig.unready(SPACE), Vec::<String>::new());
    assert_eq!(rig.asked("http://api:5988/api/info"), r#"0{"version":"5.0.3"}"#);
    assert_eq!(rig.asked("http://api:5988/api/v2/upgrade"), r#"0{"indexers":[]}"#);
    let api = rig.get(&deployments(SPACE, "cht-api"));
    let managers = api["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|one| one["manager"] == "upgrade-service"), "{managers:#?}");
}

#[test]
fn probes_tell_what_does_not_serve() {
    let (mut rig, _) = standing();
    let key = deployments(SPACE, "cht-api");
    rig.edit(&key, |api| {
        api["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] =
            json!({"httpGet": {"path": "/api/info", "port": 5988}});
    });
    assert_eq!(rig.unready(SPACE), Vec::<String>::new());
    rig.delete(&deployments(SPACE, "cht-couchdb-2"));
    assert_eq!(rig.unready(SPACE), ["cht-api"]);
    rig.assert_event("Unhealthy", "HTTP probe failed with statuscode: 500");
    let couchdb = Project::new(SPACE).couchdb(2);
    rig.apply_all(&[couchdb]);
    rig.settle();
    assert_eq!(rig.unready(SPACE), Vec::<String>::new());
}

/// Figures, printed and not asserted.
#[test]
#[ignore = "prints figures; run by hand"]
fn fifty_projects() {
    let mut rig = storage::standing();
    let mut writes = 0;
    for number in 1..=50 {
        let begun = Instant::now();
        let project = Project::new(&format!("cht-county-{number:02}"));
        let manifests = project.manifests();
        rig.apply_all(&manifests);
        writes += manifests.len();
        if number % 10 == 0 || number == 1 {
            let objects = rig.cluster().store.iter().count();
            println!("project {number}: {:?}, {writes} writes, {objects} objects", begun.elapsed());
        }
    }
}
