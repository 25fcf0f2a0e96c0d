//! The snapshot controller.

use serde_json::{Value as Json, json};

use super::crash::{self, Crash, Program};
use super::csi;
use super::json::{is_going, text, uid};
use super::kubelet;
use super::work::{About, Work};
use crate::lab::k3s::ids;
use crate::lab::kubernetes::Key;

const GROUP: &str = "snapshot.storage.k8s.io";

/// Whether the controller's pod stays up: it ends where its resources are not defined.
///
/// # Errors
/// The line that it ends with.
pub(super) fn judge(work: &Work<'_>) -> Result<(), Crash> {
    for plural in ["volumesnapshotclasses", "volumesnapshots", "volumesnapshotcontents"] {
        let name = format!("{plural}.{GROUP}");
        let key = Key::new("apiextensions.k8s.io", "customresourcedefinitions", "", &name);
        if !work.has(&key) {
            return Err(Crash::new(format!(
                "Exiting due to failure to ensure CRDs exist during startup: the server could not find the requested resource (get {name})"
            )));
        }
    }
    Ok(())
}

/// Takes the snapshots that are asked for, while controller and driver run.
pub(super) fn run(work: &mut Work<'_>) {
    let runs = |pod: &Json| crash::is(pod, Program::SnapshotController);
    let (snapshots, contents) =
        (work.due(GROUP, "volumesnapshots"), work.list(GROUP, "volumesnapshotcontents"));
    let idle = snapshots.is_empty() && contents.is_empty();
    if idle || kubelet::first_running(work, runs).is_none() {
        return;
    }
    for (key, snapshot) in snapshots {
        if !is_going(&snapshot) && snapshot["status"]["readyToUse"] != true {
            one(work, &key, &snapshot);
        }
    }
    for (key, content) in work.list(GROUP, "volumesnapshotcontents") {
        let reference = &content["spec"]["volumeSnapshotRef"];
        let own = Key::new(
            GROUP,
            "volumesnapshots",
            text(reference, "/namespace"),
            text(reference, "/name"),
        );
        let stands = work.get(&own).is_some_and(|own| uid(&own) == text(reference, "/uid"));
        if !stands && text(&content, "/spec/deletionPolicy") == "Delete" {
            work.delete(&key);
        }
    }
}

fn one(work: &mut Work<'_>, key: &Key, snapshot: &Json) {
    let about = About {
        object: snapshot,
        api: "snapshot.storage.k8s.io/v1",
        kind: "VolumeSnapshot",
        by: "snapshot-controller",
        warns: true,
    };
    let class_name = text(snapshot, "/spec/volumeSnapshotClassName");
    let Some(class) = work.get(&Key::new(GROUP, "volumesnapshotclasses", "", class_name)) else {
        let why = format!(
            "Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io \"{class_name}\" not found"
        );
        return work.event(&about, "SnapshotContentCreationFailed", &why);
    };
    let claim = Key::new(
        "",
        "persistentvolumeclaims",
        &key.namespace,
        text(snapshot, "/spec/source/persistentVolumeClaimName"),
    );
    let claim = work.get(&claim).filter(|claim| text(claim, "/status/phase") == "Bound");
    let volume = claim.as_ref().and_then(|claim| {
        work.get(&Key::new("", "persistentvolumes", "", text(claim, "/spec/volumeName")))
    });
    let (Some(claim), Some(volume)) = (claim, volume) else {
        return work.event(&about, "SnapshotPending", "the source claim is not bound");
    };
    if !matches!(csi::driver(work), Some(Ok(_))) {
        return;
    }
    let name = format!("snapcontent-{}", uid(snapshot));
    let handle = text(&volume, "/spec/csi/volumeHandle");
    let id = ids::uuid(work.cluster().seed, &["snapshot", uid(snapshot)]);
    let created = ids::time(work.now_ms);
    work.create(
        &Key::new(GROUP, "volumesnapshotcontents", "", &name),
        json!({
            "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent",
            "metadata": {},
            "spec": {
                "deletionPolicy": class["deletionPolicy"], "driver": class["driver"],
                "source": {"volumeHandle": handle}, "volumeSnapshotClassName": class_name,
                "volumeSnapshotRef": {
                    "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
                    "namespace": key.namespace, "name": key.name, "uid": uid(snapshot),
                },
            },
            "status": {"readyToUse": true, "snapshotHandle": format!("{handle}+{id}")},
        }),
    );
    work.put_status(
        key,
        json!({
            "boundVolumeSnapshotContentName": name, "creationTime": created, "readyToUse": true,
            "restoreSize": claim["status"]["capacity"]["storage"],
        }),
    );
}
