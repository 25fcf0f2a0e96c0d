//! Taking over what helm installed: each file of a chart, as helm 3 and as helm 4 put it.

use serde_json::{Value as Json, json};

use super::manifest::{manifests, path, place, upstream};
use super::rig::{Backend, Rig};
use super::subject::Subject;

on_each_backend! {
    ;
    projects_of_helm_3_are_adopted_without_a_restart,
    projects_of_helm_4_are_adopted_without_a_restart,
}

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
