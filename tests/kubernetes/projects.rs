//! What only projects need of the API: CouchDB's members, shared images, credentials that stay.

use boma::plan::Operation;
use boma::provider::Retry;
use boma::resource::{Kind, Locator, Mark, Resource, SecretSource, resolve};
use serde_json::{Value as Json, json};

use super::manifests::deployment;
use super::rig::{Backend, Rig};
use super::subject::Subject;

on_each_backend! {
    a_strategy_becomes_recreate_without_a_restart,
    a_version_that_is_no_longer_current_is_refused,
    an_image_that_moved_meanwhile_is_left_alone,
    credentials_that_stand_are_kept,
    no_credentials_are_made_up_for_volumes,
    all_that_a_spec_can_ask_of_a_project_is_stored_as_it_was_written,
    ;
    a_couchdb_is_waited_for_until_it_is_a_member,
    a_kubelet_out_of_reach_is_named,
}

const SMALL: &str = include_str!("../fixtures/small.toml");

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
