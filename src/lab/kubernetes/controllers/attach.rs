//! Volumes on the nodes whose pods mount them.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::csi;
use super::json::{flag, list, text};
use super::pod;
use super::provision::is_mounted;
use super::work::{About, Work};
use crate::lab::k3s::ids;
use crate::lab::kubernetes::Key;

/// What keeps a volume that was attached once.
pub(super) const HELD: &str = "external-attacher/csi-vsphere-vmware-com";
const GROUP: &str = "storage.k8s.io";

/// A volume of a storage driver that a pod mounts.
struct Mounted {
    name: String,
    volume: Arc<Json>,
}

/// Attaches what pods wait for, and detaches what none mounts any more.
pub(super) fn run(work: &mut Work<'_>) {
    for (_, pod) in work.due_pods() {
        if pod::node(&pod).is_empty() || !pod::is_active(&pod) {
            continue;
        }
        for mounted in mounted(work, &pod) {
            ask(work, &pod, &mounted);
        }
    }
    for (key, attachment) in work.due_attachments() {
        if is_needed(work, &attachment) {
            attach(work, &key, &attachment);
        } else {
            detach(work, &key, &attachment);
        }
    }
}

/// Whether all volumes of a pod are on its node.
pub(super) fn is_there(work: &Work<'_>, pod: &Json, node: &str) -> bool {
    let namespace = text(pod, "/metadata/namespace");
    let bound = pod::claims(pod).all(|name| {
        let claim = work.get(&Key::new("", "persistentvolumeclaims", namespace, name));
        claim.is_some_and(|claim| text(&claim, "/status/phase") == "Bound")
    });
    bound
        && mounted(work, pod).iter().all(|mounted| {
            let key = Key::new(GROUP, "volumeattachments", "", &name(&mounted.volume, node));
            work.get(&key).is_some_and(|it| flag(&it, "/status/attached"))
        })
}

fn mounted(work: &Work<'_>, pod: &Json) -> Vec<Mounted> {
    let namespace = text(pod, "/metadata/namespace");
    let volumes = pod::claims(pod).filter_map(|claim| {
        let claim = work.get(&Key::new("", "persistentvolumeclaims", namespace, claim))?;
        let name = text(&claim, "/spec/volumeName").to_owned();
        let volume = work.get(&Key::new("", "persistentvolumes", "", &name))?;
        (!text(&volume, "/spec/csi/driver").is_empty()).then_some(Mounted { name, volume })
    });
    volumes.collect()
}

/// `csi-` and the digest of volume, driver and node, as the attach controller names it.
fn name(volume: &Json, node: &str) -> String {
    let (handle, driver) =
        (text(volume, "/spec/csi/volumeHandle"), text(volume, "/spec/csi/driver"));
    format!("csi-{}", ids::sha256(&format!("{handle}{driver}{node}")))
}

/// Asks for a volume on a pod's node, unless it is on another one still.
fn ask(work: &mut Work<'_>, pod: &Json, mounted: &Mounted) {
    let node = pod::node(pod);
    let volume = &mounted.volume;
    let key = Key::new(GROUP, "volumeattachments", "", &name(volume, node));
    if work.has(&key) {
        return;
    }
    let elsewhere = work
        .cluster()
        .store
        .list(GROUP, "volumeattachments")
        .any(|(_, other)| text(other, "/spec/source/persistentVolumeName") == mounted.name);
    if elsewhere {
        let text = format!(
            "Multi-Attach error for volume \"{}\" Volume is already exclusively attached to one node and can't be attached to another",
            mounted.name
        );
        return work.event(
            &About::pod(pod, "attachdetach-controller"),
            "FailedAttachVolume",
            &text,
        );
    }
    work.create(
        &key,
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment",
            "metadata": {},
            "spec": {
                "attacher": text(volume, "/spec/csi/driver"), "nodeName": node,
                "source": {"persistentVolumeName": mounted.name},
            },
            "status": {"attached": false},
        }),
    );
}

fn is_needed(work: &Work<'_>, attachment: &Json) -> bool {
    let name = text(attachment, "/spec/source/persistentVolumeName");
    let volume = work.get(&Key::new("", "persistentvolumes", "", name));
    volume.is_some_and(|volume| {
        let claim = &volume["spec"]["claimRef"];
        let node = text(attachment, "/spec/nodeName");
        is_mounted(work, text(claim, "/namespace"), text(claim, "/name"), node)
    })
}

fn attach(work: &mut Work<'_>, key: &Key, attachment: &Arc<Json>) {
    if flag(attachment, "/status/attached") {
        return;
    }
    let name = text(attachment, "/spec/source/persistentVolumeName");
    let volume_key = Key::new("", "persistentvolumes", "", name);
    let Some(volume) = work.get(&volume_key) else { return };
    let node = text(attachment, "/spec/nodeName");
    let Some(id) = node_id(work, node, text(&volume, "/spec/csi/driver")) else {
        let message = format!(
            "AttachVolume.Attach failed for volume \"{name}\" : CSINode {node} does not contain driver {}",
            text(&volume, "/spec/csi/driver")
        );
        return tell(work, &volume, node, &message);
    };
    match csi::attach(work, &volume, &id) {
        None => {}
        Some(Ok(())) => {
            work.put_status(key, json!({"attached": true}));
            let mut held = (*volume).clone();
            let known = list(&volume, "/metadata/finalizers");
            if known.iter().all(|one| one != HELD) {
                let all: Vec<Json> = known.iter().cloned().chain([json!(HELD)]).collect();
                held["metadata"]["finalizers"] = json!(all);
            }
            work.put(&volume_key, held);
        }
        Some(Err(why)) => {
            let known = text(attachment, "/status/attachError/message");
            if known != why {
                let error = json!({"message": why, "time": work.now()});
                work.put_status(key, json!({"attached": false, "attachError": error}));
            }
            let message = format!("AttachVolume.Attach failed for volume \"{name}\" : {why}");
            tell(work, &volume, node, &message);
        }
    }
}

/// What a node's driver calls its node.
fn node_id(work: &Work<'_>, node: &str, driver: &str) -> Option<String> {
    let known = work.get(&Key::new(GROUP, "csinodes", "", node))?;
    let mut drivers = list(&known, "/spec/drivers").iter();
    let found = drivers.find(|known| known["name"] == driver)?;
    Some(text(found, "/nodeID").to_owned())
}

/// Tells the pods of a node that mount a volume what is wrong with it.
fn tell(work: &mut Work<'_>, volume: &Json, node: &str, message: &str) {
    let claim = &volume["spec"]["claimRef"];
    let pods = work.cluster().store.list_in("", "pods", text(claim, "/namespace"));
    let mounts = |pod: &&Arc<Json>| {
        pod::node(pod) == node && pod::claims(pod).any(|name| name == text(claim, "/name"))
    };
    let mine: Vec<Arc<Json>> = pods.map(|(_, pod)| pod).filter(mounts).cloned().collect();
    for pod in mine {
        let about = About::pod(&pod, "attachdetach-controller");
        work.event(&about, "FailedAttachVolume", message);
    }
}

fn detach(work: &mut Work<'_>, key: &Key, attachment: &Json) {
    if !flag(attachment, "/status/attached") {
        return work.gone(key);
    }
    let name = text(attachment, "/spec/source/persistentVolumeName");
    let volume = work.get(&Key::new("", "persistentvolumes", "", name));
    let done = volume.is_none_or(|volume| csi::detach(work, &volume));
    if done {
        work.gone(key);
    }
}
