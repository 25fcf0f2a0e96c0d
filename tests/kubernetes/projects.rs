//! What only projects need of the API: adoption from helm, CouchDB's members, credentials that stay.

use boma::plan::Operation;
use boma::provider::Retry;
use boma::resource::{Kind, Locator, Mark, Resource, SecretSource, resolve};
use serde_json::{Value as Json, json};

use super::manifest::{manifests, path, place, upstream};
use super::manifests::deployment;
use super::rig::{Backend, Rig};
use super::subject::Subject;

on_each_backend! {
    projects_of_helm_3_are_adopted_without_a_restart,
    projects_of_helm_4_are_adopted_without_a_restart,
    a_strategy_becomes_recreate_without_a_restart,
    a_version_that_is_no_longer_current_is_refused,
    an_image_that_moved_meanwhile_is_left_alone,
    credentials_that_stand_are_kept,
    no_credentials_are_made_up_for_volumes,
    a_couchdb_is_waited_for_until_it_is_a_member,
    a_kubelet_out_of_reach_is_named,
    all_that_a_spec_can_ask_of_a_project_is_stored_as_it_was_written,
}

const SMALL: &str = include_str!("../fixtures/small.toml");

/// Which operation helm's entry in the books says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Helm {
    Three,
    Four,
}

async fn projects_of_helm_3_are_adopted_without_a_restart(backend: Backend) {
    adopt_all(backend, Helm::Three).await;
}

async fn projects_of_helm_4_are_adopted_without_a_restart(backend: Backend) {
    adopt_all(backend, Helm::Four).await;
}

async fn adopt_all(backend: Backend, helm: Helm) {
    for (name, objects) in manifests(&upstream().join("cht")) {
        let Some(flavour) = name.strip_suffix("-installed") else { continue };
        let version = if helm == Helm::Three { 3 } else { 4 };
        let rig = Rig::on(backend, &format!("helm-{version}-{flavour}")).await;
        adopt(&rig, helm, objects).await;
        rig.stop().await;
    }
}

/// Installs a project as helm does, then takes it over, then drops a field of it.
async fn adopt(rig: &Rig, helm: Helm, objects: Vec<Json>) {
    let objects: Vec<Json> = objects.iter().map(|object| moved(object, &rig.namespace)).collect();
    for object in &objects {
        let path = path(&place(object, &rig.namespace));
        match helm {
            Helm::Three => {
                let collection = path.rsplit_once('/').unwrap().0;
                rig.api.post(&format!("{collection}?fieldManager=helm"), object).await.ok();
            }
            Helm::Four => drop(rig.api.apply(&path, "helm", &with_protocols(object)).await.ok()),
        }
    }
    let mut subjects = Vec::new();
    for object in &objects {
        let subject = rig.subject(&without_helm(&with_protocols(object)));
        if object["kind"] == "Deployment" {
            // Its claims and nodes are elsewhere, so that it does not become ready.
            let seen = |live: &Json| live["status"]["observedGeneration"].is_u64();
            rig.until(&subject.path(), seen).await;
        }
        subjects.push(rig.seen(&subject).await);
    }
    for subject in subjects {
        adopt_one(rig, subject).await;
    }
    let sets = format!("/apis/apps/v1/namespaces/{}/replicasets", rig.namespace);
    let deployments = objects.iter().filter(|object| object["kind"] == "Deployment").count();
    assert_eq!(rig.api.items(&sets).await.len(), deployments, "a pod was restarted");
}

async fn adopt_one(rig: &Rig, subject: Subject) {
    let (address, path) = (subject.address.clone(), subject.path());
    assert_eq!(subject.differences(), [""; 0], "{address}");
    let before = rig.api.get(&path).await.ok();
    let subject = rig.update(&subject, &[]).await;
    let after = rig.api.get(&path).await.ok();
    assert_eq!(after["spec"], before["spec"], "{address}");
    let managers = after["metadata"]["managedFields"].as_array().unwrap().iter();
    let managers: Vec<&str> = managers.filter_map(|entry| entry["manager"].as_str()).collect();
    assert!(managers.contains(&"boma") && !managers.contains(&"helm"), "{address}: {managers:?}");
    assert!(after["metadata"]["annotations"]["meta.helm.sh/release-name"].is_string());

    let subject = rig.seen(&subject).await;
    assert_eq!(subject.differences(), [""; 0], "{address}");
    let before = rig.api.get(&path).await.ok();
    rig.update(&subject, &[]).await;
    let after = rig.api.get(&path).await.ok();
    let of = |live: &Json| [live["spec"].clone(), live["metadata"]["generation"].clone()];
    assert_eq!(of(&after), of(&before), "{address}: the second write changed something");
    if subject.kind.name == "kubernetes/ConfigMap" {
        drop_a_key(rig, subject).await;
    }
}

/// What boma leaves out goes, since nobody else has it any more.
async fn drop_a_key(rig: &Rig, mut subject: Subject) {
    subject.edit(|desired| {
        desired["data"].as_object_mut().unwrap().remove("COUCHDB_SERVERS");
    });
    let subject = rig.update(&rig.seen(&subject).await, &["data.COUCHDB_SERVERS"]).await;
    let live = rig.api.get(&subject.path()).await.ok();
    assert!(live["data"]["COUCHDB_SERVERS"].is_null(), "{live}");
}

/// The same in another namespace; volumes of the whole cluster have its name in theirs.
fn moved(object: &Json, namespace: &str) -> Json {
    serde_json::from_str(&object.to_string().replace("cht-county-01", namespace)).unwrap()
}

/// As boma sends it: without what helm put on it, and in stored form.
fn without_helm(object: &Json) -> Json {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("annotations");
    if let Some(labels) = metadata.get_mut("labels") {
        labels.as_object_mut().unwrap().remove("app.kubernetes.io/managed-by");
    }
    if object["kind"] == "RoleBinding" {
        for subject in object["subjects"].as_array_mut().unwrap() {
            subject.as_object_mut().unwrap().remove("apiGroup");
        }
    }
    if object["kind"] == "Deployment" {
        for env in envs(&mut object) {
            if let Some(field) = env.pointer_mut("/valueFrom/fieldRef") {
                field["apiVersion"] = json!("v1");
            }
        }
    }
    object.as_object_mut().unwrap().remove("status");
    object
}

fn envs(deployment: &mut Json) -> impl Iterator<Item = &mut Json> {
    let containers = deployment.pointer_mut("/spec/template/spec/containers").unwrap();
    let lists = containers.as_array_mut().unwrap().iter_mut();
    lists.filter_map(|one| one.get_mut("env")?.as_array_mut()).flatten()
}

/// Server-side apply of 1.20 wants the whole key of a port.
fn with_protocols(object: &Json) -> Json {
    let mut object = object.clone();
    super::gaps::bridge(&mut object);
    let ports = object.pointer_mut("/spec/template/spec/containers").and_then(Json::as_array_mut);
    for container in ports.into_iter().flatten() {
        for port in container["ports"].as_array_mut().into_iter().flatten() {
            port["protocol"] = json!("TCP");
        }
    }
    object
}

async fn a_strategy_becomes_recreate_without_a_restart(backend: Backend) {
    let rig = Rig::on(backend, "recreate").await;
    let mut web = rig.ready(&rig.make(&deployment("web")).await).await;
    web.edit(|desired| desired["spec"]["strategy"] = json!({"type": "Recreate"}));
    let web = rig.update(&web, &["spec.strategy.type"]).await;
    let live = rig.api.get(&web.path()).await.ok();
    assert_eq!(live["spec"]["strategy"], json!({"type": "Recreate"}));
    let entries = live["metadata"]["managedFields"].as_array().unwrap().iter();
    let patched = entries.filter(|one| one["manager"] == "boma" && one["operation"] == "Update");
    assert_eq!(patched.count(), 0, "one manager owns the strategy: {live}");
    let sets = format!("/apis/apps/v1/namespaces/{}/replicasets", rig.namespace);
    assert_eq!(rig.ready(&web).await.differences(), [""; 0]);
    assert_eq!(rig.api.items(&sets).await.len(), 1);
    rig.stop().await;
}

async fn a_version_that_is_no_longer_current_is_refused(backend: Backend) {
    let rig = Rig::on(backend, "versions").await;
    let web = rig.ready(&rig.make(&deployment("web")).await).await;
    let stale = rig.api.get(&web.path()).await.ok()["metadata"]["resourceVersion"].clone();
    let label = json!({"metadata": {"labels": {"touched": "x"}}});
    rig.api.merge(&web.path(), &label).await.ok();
    let mut manifest = deployment("web");
    manifest["metadata"]["resourceVersion"] = stale;
    let refused = rig.api.apply(&web.path(), "boma", &manifest).await;
    assert_eq!(refused.code, 409, "{}", refused.body);
    assert!(refused.body["message"].as_str().unwrap().contains("modified"), "{}", refused.body);
    rig.stop().await;
}

/// As the CHT's upgrade-service does it: the whole Deployment is put.
async fn an_image_that_moved_meanwhile_is_left_alone(backend: Backend) {
    let rig = Rig::on(backend, "images").await;
    let web = rig.ready(&rig.make(&deployment("web")).await).await;
    let mut live = rig.api.get(&web.path()).await.ok();
    live["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.example/web:2");
    let (put, path) = (reqwest::Method::PUT, web.path());
    rig.api.request(put, &path, "application/json", Some(&live)).await.unwrap().ok();
    let error = rig.act(&web, Operation::Update, &["spec"]).await.unwrap_err();
    let told = "the image of main is registry.example/web:2 by now; the plan was made for \
        registry.example/web:1";
    assert_eq!((error.message.as_str(), error.retry), (told, Retry::Never));
    let web = rig.ready(&web).await;
    let mut web = rig.seen(&web).await;
    web.edit(|desired| {
        let container = &mut desired["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!("registry.example/web:2");
        desired["spec"]["replicas"] = json!(1);
    });
    rig.update(&web, &["spec.replicas"]).await;
    rig.stop().await;
}

fn credentials() -> Json {
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "cht-couchdb-credentials"},
        "stringData": {"COUCHDB_USER": "medic", "COUCHDB_PASSWORD": "made-up"}})
}

fn kept(rig: &Rig) -> Subject {
    let kind = Kind::named("kubernetes/Credentials").unwrap();
    let generated = vec!["/data/COUCHDB_PASSWORD".to_owned()];
    Subject { kind, generated, ..rig.subject(&credentials()) }
}

async fn credentials_that_stand_are_kept(backend: Backend) {
    let rig = Rig::on(backend, "kept").await;
    let made = rig.act(&kept(&rig), Operation::Create, &[]).await.unwrap();
    let secret = kept(&rig).known(super::rig::present(made));
    let by_hand = json!({"stringData": {"COUCHDB_PASSWORD": "by-hand"}});
    rig.api.merge(&secret.path(), &by_hand).await.ok();
    let mut secret = rig.seen(&secret).await;
    secret.edit(|desired| desired["labels"] = json!({"team": "hosting"}));
    let secret = rig.update(&secret, &["labels.team"]).await;
    let tree = secret.object.as_ref().unwrap().attributes.tree();
    assert_eq!(tree["data"]["COUCHDB_PASSWORD"], "by-hand");
    assert_eq!(tree["labels"]["team"], "hosting");
    rig.stop().await;
}

async fn no_credentials_are_made_up_for_volumes(backend: Backend) {
    let rig = Rig::on(backend, "volumes").await;
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "couchdb-claim0"}, "spec": {"accessModes": ["ReadWriteOnce"],
            "storageClassName": "", "volumeName": "pv-elsewhere",
            "resources": {"requests": {"storage": "1Gi"}}}});
    let claim = rig.make(&claim).await;
    let error = rig.act(&kept(&rig), Operation::Create, &[]).await.unwrap_err();
    assert!(error.message.contains("couchdb-claim0"), "{error:?}");
    assert_eq!(rig.api.get(&kept(&rig).path()).await.code, 404);
    rig.api.delete(&claim.path()).await.ok();
    rig.gone(&claim).await;
    rig.act(&kept(&rig), Operation::Create, &[]).await.unwrap();
    rig.stop().await;
}

/// A node of CouchDB, of two.
fn couchdb(number: u64, namespace: &str) -> Json {
    let mut manifest = deployment(&format!("cht-couchdb-{number}"));
    manifest["spec"]["replicas"] = json!(1);
    let host = format!("couchdb-{number}.{namespace}.svc.cluster.local");
    let container = &mut manifest["spec"]["template"]["spec"]["containers"][0];
    container["name"] = json!(format!("cht-couchdb-{number}"));
    container["env"] =
        json!([{"name": "SVC_NAME", "value": host}, {"name": "NODE_COUNT", "value": "2"}]);
    manifest
}

/// The command goes through the API server to the stand-in of a kubelet.
async fn a_couchdb_is_waited_for_until_it_is_a_member(backend: Backend) {
    let rig = Rig::on(backend, "members").await;
    let last = rig.make(&couchdb(2, &rig.namespace)).await;
    let missing = |tree: &Json| {
        let waiting = tree["waiting"].as_str().unwrap_or_default();
        waiting.contains("couchdb@couchdb-1.members.svc.cluster.local is not in the cluster yet")
    };
    rig.wait(&last, missing).await;
    rig.ready(&rig.make(&couchdb(1, &rig.namespace)).await).await;
    rig.ready(&last).await;
    let commands = rig.requests().await;
    let commands = commands.iter().filter(|request| request.object.ends_with("/exec"));
    assert!(commands.count() >= 3);
    rig.stop().await;
}

async fn a_kubelet_out_of_reach_is_named(backend: Backend) {
    let rig = Rig::on(backend, "unreachable").await;
    let name = "agent-unreachable";
    let mut node = super::kubelet::node(name, 98);
    // Nobody listens there.
    node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] = json!(1);
    node["spec"]["taints"] = json!([{"key": "only", "effect": "NoSchedule"}]);
    rig.api.post("/api/v1/nodes", &node).await.ok();
    let mut manifest = couchdb(1, &rig.namespace);
    let pod = &mut manifest["spec"]["template"]["spec"];
    pod["nodeSelector"] = json!({"kubernetes.io/hostname": name});
    pod["tolerations"] = json!([{"operator": "Exists"}]);
    let first = rig.make(&manifest).await;
    let told = |tree: &Json| {
        let waiting = tree["waiting"].as_str().unwrap_or_default();
        ["error dialing backend", "the kubelet of agent-unreachable", "k3s-agent"]
            .iter()
            .all(|word| waiting.contains(word))
    };
    rig.wait(&first, told).await;
    rig.api.delete(&format!("/api/v1/nodes/{name}")).await.ok();
    rig.stop().await;
}

async fn all_that_a_spec_can_ask_of_a_project_is_stored_as_it_was_written(backend: Backend) {
    let options = "quota = { cpu = \"16\", memory = \"24576MiB\" }\nnetwork_policy = true\n\
        resources = { api = { cpu = \"1500m\", memory = \"1536MiB\" } }\n";
    for (release, prefix) in [("4.22.0", "four-"), ("5.3.1", "five-")] {
        let rig = Rig::on(backend, &format!("{prefix}rig")).await;
        let text = SMALL
            .replace("cht     = \"5.3.1\"", &format!("cht = \"{release}\"\n{options}"))
            .replace("nodes = 1", "nodes = 3")
            .replace("domain =", &format!("namespace_prefix = \"{prefix}\"\ndomain ="));
        let mut desired = super::site::lowered(&text);
        super::gaps::bridge_all(&mut desired);
        let all = desired.resources.values();
        let own = all.filter(|one| one.address.as_str().starts_with("project/county-01/"));
        let (namespaces, others): (Vec<_>, Vec<_>) =
            own.partition(|one| one.address.as_str().contains("/Namespace/"));
        assert!(others.len() > 20, "{}", others.len());
        for resource in namespaces.iter().chain(&others) {
            let subject = written(&rig, resource).await;
            assert_eq!(rig.seen(&subject).await.differences(), [""; 0], "{}", resource.address);
        }
        let namespace = format!("/api/v1/namespaces/{prefix}county-01");
        rig.api.delete(&namespace).await.ok();
        rig.stop().await;
    }
}

/// Writes a resource as the engine would, each secret being its own name.
async fn written(rig: &Rig, resource: &Resource) -> Subject {
    let named = |source: &SecretSource| Some(json!(source.to_string()));
    let mark = Mark { lineage: "lineage-1".into(), address: resource.address.clone() };
    let subject = Subject {
        address: resource.address.clone(),
        kind: resource.kind,
        locator: Locator {
            place: resource.place.clone(),
            mark: Some(mark.clone()),
            ..Locator::default()
        },
        mark,
        desired: resolve(&resource.attributes.tree(), &|_| None, &named),
        object: None,
        generated: Vec::new(),
    };
    let object = super::rig::present(rig.act(&subject, Operation::Create, &[]).await.unwrap());
    subject.known(object)
}
