//! New volumes for claims that ask for them.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::json::{annotation, insert, is_going, map, text, uid};
use super::scheduler::SELECTED;
use super::work::{About, Work};
use super::{csi, kubelet, pod, quantity, volume};
use crate::lab::kubernetes::Key;

pub(super) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const LOCAL_PATH: &str = "rancher.io/local-path";

/// Makes a volume for each claim that waits for one, as far as its provisioner works.
pub(super) fn run(work: &mut Work<'_>) {
    for (key, claim) in work.due("", "persistentvolumeclaims") {
        let waits = text(&claim, "/status/phase") == "Pending"
            && text(&claim, "/spec/volumeName").is_empty()
            && !is_going(&claim);
        if waits {
            one(work, &key, &claim);
        }
    }
}

fn one(work: &mut Work<'_>, key: &Key, claim: &Arc<Json>) {
    let name = text(claim, "/spec/storageClassName");
    let about = About::claim(claim, "persistentvolume-controller");
    let Some(class) = volume::class(work, claim) else {
        if !name.is_empty() {
            let text = format!("storageclass.storage.k8s.io \"{name}\" not found");
            work.event(&about, "ProvisioningFailed", &text);
        } else {
            let calm = About { warns: false, ..about };
            let text = "no persistent volumes available for this claim and no storage class is set";
            work.event(&calm, "FailedBinding", text);
        }
        return;
    };
    let provisioner = text(&class, "/provisioner");
    if volume::waits_for_consumer(work, claim) && annotation(claim, SELECTED).is_empty() {
        let calm = About { warns: false, ..about };
        let text = "waiting for first consumer to be created before binding";
        return work.event(&calm, "WaitForFirstConsumer", text);
    }
    let mut asked = (**claim).clone();
    let marks = [
        "volume.kubernetes.io/storage-provisioner",
        "volume.beta.kubernetes.io/storage-provisioner",
    ];
    marks.iter().for_each(|mark| insert(&mut asked, "annotations", mark, provisioner));
    work.put(key, asked);
    let made = match provisioner {
        csi::DRIVER => csi::provision(work, claim, &class),
        LOCAL_PATH => local_path(work, claim),
        _ => None,
    };
    match made {
        None => {
            let calm = About { warns: false, ..About::claim(claim, "persistentvolume-controller") };
            let text = format!(
                "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
            );
            work.event(&calm, "ExternalProvisioning", &text);
        }
        Some(Err(why)) => {
            let text = format!("failed to provision volume with StorageClass \"{name}\": {why}");
            work.event(&About::claim(claim, provisioner), "ProvisioningFailed", &text);
        }
        Some(Ok(spec)) => store(work, claim, &class, spec),
    }
}

/// The new volume, bound to its claim.
fn store(work: &mut Work<'_>, claim: &Json, class: &Json, source: Json) {
    let key = Key::new("", "persistentvolumes", "", &format!("pvc-{}", uid(claim)));
    let policy = match text(class, "/reclaimPolicy") {
        "" => "Delete",
        policy => policy,
    };
    let mut spec = json!({
        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
        "accessModes": claim["spec"]["accessModes"],
        "claimRef": {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "namespace": text(claim, "/metadata/namespace"),
            "name": text(claim, "/metadata/name"), "uid": uid(claim),
        },
        "persistentVolumeReclaimPolicy": policy,
        "storageClassName": text(class, "/metadata/name"),
        "volumeMode": "Filesystem",
    });
    for (name, value) in map(&source, "").into_iter().flatten() {
        spec[name] = value.clone();
    }
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {
            "annotations": {PROVISIONED_BY: class["provisioner"]},
            "finalizers": ["kubernetes.io/pv-protection"],
        },
        "spec": spec, "status": {"phase": "Bound"},
    });
    work.create(&key, volume);
    let about = About { warns: false, ..About::claim(claim, text(class, "/provisioner")) };
    let text = format!("Successfully provisioned volume {}", key.name);
    work.event(&about, "ProvisioningSucceeded", &text);
}

/// A directory on the node that was chosen, while k3s's provisioner runs.
fn local_path(work: &Work<'_>, claim: &Json) -> Option<Result<Json, String>> {
    let runs = |pod: &Json| pod["metadata"]["labels"]["app"] == "local-path-provisioner";
    kubelet::first_running(work, runs)?;
    let node = annotation(claim, SELECTED);
    quantity::milli(&claim["spec"]["resources"]["requests"]["storage"])?;
    let name = format!(
        "pvc-{}_{}_{}",
        uid(claim),
        text(claim, "/metadata/namespace"),
        text(claim, "/metadata/name")
    );
    let path = format!("/var/lib/rancher/k3s/storage/{name}");
    Some(Ok(json!({
        "hostPath": {"path": path, "type": "DirectoryOrCreate"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]},
        ]}]}},
    })))
}

/// Whether any pod mounts a claim on a node.
pub(super) fn is_mounted(work: &Work<'_>, namespace: &str, claim: &str, node: &str) -> bool {
    work.cluster().store.list_in("", "pods", namespace).any(|(_, pod)| {
        let ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        pod::node(pod) == node && !ended && pod::claims(pod).any(|name| name == claim)
    })
}
