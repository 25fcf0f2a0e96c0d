//! Other projects' manifests, applied by the provider to a real API server.

use boma::plan::Operation;
use boma::resource::Reading;
use serde_json::{Value as Json, json};

use super::gaps::{Gap, bridge};
use super::manifest::{manifests, upstream};
use super::rig::{Backend, Rig};
use super::subject::Subject;

/// How often a write may meet one of a controller, before it counts as a change of its own.
const TRIES: usize = 20;

#[tokio::test]
#[ignore = "needs a control plane and other projects' manifests; run by .ci/conformance"]
async fn manifests_of_drivers_and_providers_are_accepted_and_written_once() {
    let rig = Rig::alone("vmware-system-csi").await;
    let mut met = Vec::new();
    for (_, objects) in manifests(&upstream()) {
        let mut made = Vec::new();
        met.extend(accepted(&rig, objects, &mut made).await);
        removed(&rig, made).await;
    }
    for gap in [Gap::SchemaRules, Gap::HostProcess] {
        assert!(met.contains(&gap), "{gap:?} has closed");
    }
    rig.stop().await;
}

#[tokio::test]
#[ignore = "needs a control plane and other projects' manifests; run by .ci/conformance"]
async fn manifests_of_projects_are_accepted_and_written_once() {
    let mut met = Vec::new();
    for (name, mut objects) in manifests(&upstream().join("cht")) {
        let rig = Rig::on(Backend::Real, &name).await;
        for manifest in &mut objects {
            // Some name the namespace that they were rendered for.
            manifest["metadata"].as_object_mut().unwrap().remove("namespace");
        }
        let mut made = Vec::new();
        met.extend(accepted(&rig, objects, &mut made).await);
        removed(&rig, made).await;
        rig.stop().await;
    }
    assert!(met.contains(&Gap::PortsWithoutProtocol), "the gap has closed");
}

/// Applies each twice. The second time nothing may be left to do, and nothing may be written.
async fn accepted(rig: &Rig, manifests: Vec<Json>, made: &mut Vec<Subject>) -> Vec<Gap> {
    let mut all = Vec::new();
    for mut manifest in manifests {
        let met = bridge(&mut manifest);
        complete_subjects(&mut manifest);
        let subject = rig.subject(&manifest);
        let subject = match rig.read(&subject).await {
            Reading::Present(object) => subject.known(object),
            Reading::Absent => subject,
            Reading::Unread(reason) => panic!("{}: {reason}", subject.address),
        };
        // An earlier version of the same file may stand.
        let shown = if subject.object.is_some() { subject.differences() } else { Vec::new() };
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        if let Err(error) = rig.act(&subject, Operation::Update, &shown).await {
            panic!("{}: {error:?}", subject.address);
        }
        let subject = rig.seen(&subject).await;
        assert_eq!(subject.differences(), [""; 0], "{}", subject.address);
        written_once(rig, &subject).await;
        all.extend(met);
        made.retain(|one| one.address != subject.address);
        made.push(subject);
    }
    all
}

/// As boma does with a manifest that a spec names: the API stores which API group a user is of.
fn complete_subjects(manifest: &mut Json) {
    let subjects = manifest.get_mut("subjects").and_then(Json::as_array_mut);
    for subject in subjects.into_iter().flatten() {
        if subject["kind"] == "User" {
            subject["apiGroup"] = json!("rbac.authorization.k8s.io");
        }
    }
}

/// Controllers write too, so that one write between two readings of the version is enough to see.
async fn written_once(rig: &Rig, subject: &Subject) {
    let version = async || {
        let live = rig.api.get(&subject.path()).await.ok();
        live["metadata"]["resourceVersion"].clone()
    };
    for _ in 0..TRIES {
        let before = version().await;
        rig.update(subject, &[]).await;
        if version().await == before {
            return;
        }
    }
    panic!("{} is written anew each time", subject.address);
}

/// Each file begins anew: releases of one driver share their names. What holds data is not the
/// provider's to remove unless somebody gives it up.
async fn removed(rig: &Rig, made: Vec<Subject>) {
    for subject in made.iter().rev() {
        let path = subject.path();
        if path.contains("/persistentvolume") || path.ends_with("/cht-couchdb-credentials") {
            rig.api.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
            rig.api.delete(&path).await;
        } else if let Err(error) = rig.act(subject, Operation::Delete, &[]).await {
            panic!("{}: {error:?}", subject.address);
        }
    }
    for subject in &made {
        rig.gone(subject).await;
    }
}
