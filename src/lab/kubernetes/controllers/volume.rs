//! Claims and volumes: defaults, binding, release, growth.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::json::{annotation, insert, is_going, list, text, uid};
use super::pod;
use super::quantity;
use super::work::Work;
use crate::lab::kubernetes::Key;

const CLAIMS: &str = "persistentvolumeclaims";
const VOLUMES: &str = "persistentvolumes";
const CLAIM_HELD: &str = "kubernetes.io/pvc-protection";
const VOLUME_HELD: &str = "kubernetes.io/pv-protection";
pub(super) const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// Brings claims and volumes one step further.
pub(super) fn run(work: &mut Work<'_>) {
    for (key, claim) in work.due("", CLAIMS) {
        if is_going(&claim) {
            if !is_used(work, &key) {
                super::garbage::release(work, &key, CLAIM_HELD);
            }
        } else {
            admit(work, &key, &claim);
            bind(work, &key);
            grow(work, &key);
        }
    }
    for (key, volume) in work.due_volumes() {
        settle(work, &key, &volume);
    }
}

/// The class of a claim.
pub(super) fn class(work: &Work<'_>, claim: &Json) -> Option<Arc<Json>> {
    let name = text(claim, "/spec/storageClassName");
    work.get(&Key::new("storage.k8s.io", "storageclasses", "", name)).filter(|_| !name.is_empty())
}

/// Whether a claim is bound only once a pod that mounts it has a node.
pub(super) fn waits_for_consumer(work: &Work<'_>, claim: &Json) -> bool {
    let class = class(work, claim);
    class.is_some_and(|class| text(&class, "/volumeBindingMode") == "WaitForFirstConsumer")
}

/// Whether a pod that has not ended mounts a claim.
fn is_used(work: &Work<'_>, key: &Key) -> bool {
    work.cluster().store.list_in("", "pods", &key.namespace).any(|(_, pod)| {
        let ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        !ended && pod::claims(pod).any(|name| name == key.name)
    })
}

/// The default class, the finalizer that keeps a claim while it is mounted, and a phase.
fn admit(work: &mut Work<'_>, key: &Key, claim: &Json) {
    let mut admitted = claim.clone();
    if claim["spec"].get("storageClassName").is_none()
        && text(claim, "/spec/volumeName").is_empty()
        && let Some(name) = default_class(work)
    {
        admitted["spec"]["storageClassName"] = json!(name);
    }
    hold(&mut admitted, CLAIM_HELD);
    if text(claim, "/status/phase").is_empty() {
        admitted["status"] = json!({"phase": "Pending"});
    }
    work.put(key, admitted);
}

fn hold(object: &mut Json, finalizer: &str) {
    let known = list(object, "/metadata/finalizers");
    if known.iter().all(|one| one != finalizer) {
        let all: Vec<Json> = known.iter().cloned().chain([json!(finalizer)]).collect();
        object["metadata"]["finalizers"] = json!(all);
    }
}

/// The youngest of the default classes.
fn default_class(work: &Work<'_>) -> Option<String> {
    let classes = work.list("storage.k8s.io", "storageclasses");
    let default = classes.iter().filter(|(_, class)| annotation(class, DEFAULT) == "true");
    let youngest = default.max_by_key(|(key, class)| {
        (text(class, "/metadata/creationTimestamp").to_owned(), std::cmp::Reverse(key.name.clone()))
    });
    youngest.map(|(key, _)| key.name.clone())
}

/// Binds a claim to a volume that is meant for it, or that fits.
fn bind(work: &mut Work<'_>, key: &Key) {
    let Some(claim) = work.get(key) else { return };
    if text(&claim, "/status/phase") == "Bound" {
        return lost(work, key, &claim);
    }
    let wanted = text(&claim, "/spec/volumeName");
    let meets = |(volume_key, volume): &(&Key, &Arc<Json>)| {
        let named = volume_key.name == wanted;
        let free = volume["spec"]["claimRef"].is_null() && !is_going(volume);
        if !wanted.is_empty() {
            return named && (free || is_for(volume, key, &claim));
        }
        is_for(volume, key, &claim) || (free && fits(volume, &claim))
    };
    let found = work.cluster().store.list("", VOLUMES).find(meets);
    let found = found.map(|(key, volume)| (key.clone(), Arc::clone(volume)));
    let Some((volume_key, volume)) = found else { return };
    let mut bound = (*volume).clone();
    bound["spec"]["claimRef"] = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": key.namespace,
        "name": key.name, "uid": uid(&claim),
    });
    bound["status"] = json!({"phase": "Bound"});
    hold(&mut bound, VOLUME_HELD);
    let capacity = volume["spec"]["capacity"].clone();
    let modes = volume["spec"]["accessModes"].clone();
    work.put(&volume_key, bound);
    let mut claim = (*claim).clone();
    claim["spec"]["volumeName"] = json!(volume_key.name);
    insert(&mut claim, "annotations", "pv.kubernetes.io/bind-completed", "yes");
    if wanted_by_controller(&claim) {
        insert(&mut claim, "annotations", "pv.kubernetes.io/bound-by-controller", "yes");
    }
    claim["status"] = json!({"phase": "Bound", "accessModes": modes, "capacity": capacity});
    work.put(key, claim);
}

fn wanted_by_controller(claim: &Json) -> bool {
    !annotation(claim, "volume.kubernetes.io/storage-provisioner").is_empty()
}

/// A claim whose volume is gone has lost it.
fn lost(work: &mut Work<'_>, key: &Key, claim: &Json) {
    let volume = Key::new("", VOLUMES, "", text(claim, "/spec/volumeName"));
    if !work.has(&volume) {
        let mut status = claim["status"].clone();
        status["phase"] = json!("Lost");
        work.put_status(key, status);
    }
}

/// Whether a volume was made, or freed by hand, for a claim.
fn is_for(volume: &Json, key: &Key, claim: &Json) -> bool {
    let reference = &volume["spec"]["claimRef"];
    let same =
        reference["namespace"] == key.namespace.as_str() && reference["name"] == key.name.as_str();
    let id = text(reference, "/uid");
    same && !is_going(volume) && (id.is_empty() || id == uid(claim))
}

fn fits(volume: &Json, claim: &Json) -> bool {
    let has = quantity::milli(&volume["spec"]["capacity"]["storage"]).unwrap_or_default();
    let needs = quantity::milli(&claim["spec"]["resources"]["requests"]["storage"]);
    let modes = list(volume, "/spec/accessModes");
    text(volume, "/spec/storageClassName") == text(claim, "/spec/storageClassName")
        && needs.is_some_and(|needs| has >= needs)
        && list(claim, "/spec/accessModes").iter().all(|mode| modes.contains(mode))
}

/// A larger request of a class that lets volumes grow.
fn grow(work: &mut Work<'_>, key: &Key) {
    let Some(claim) = work.get(key) else { return };
    let request = &claim["spec"]["resources"]["requests"]["storage"];
    let has = quantity::milli(&claim["status"]["capacity"]["storage"]);
    let (Some(wanted), Some(has)) = (quantity::milli(request), has) else { return };
    if wanted <= has || text(&claim, "/status/phase") != "Bound" {
        return;
    }
    let volume_key = Key::new("", VOLUMES, "", text(&claim, "/spec/volumeName"));
    let Some(volume) = work.get(&volume_key) else { return };
    if super::csi::enlarge(work, &claim, &volume, wanted / 1000) {
        let mut larger = (*volume).clone();
        larger["spec"]["capacity"]["storage"] = request.clone();
        work.put(&volume_key, larger);
        let mut status = claim["status"].clone();
        status["capacity"]["storage"] = request.clone();
        work.put_status(key, status);
    }
}

/// What becomes of a volume whose claim is gone.
fn settle(work: &mut Work<'_>, key: &Key, volume: &Json) {
    let reference = &volume["spec"]["claimRef"];
    let phase = text(volume, "/status/phase");
    if reference.is_null() {
        if !matches!(phase, "Available") && !is_going(volume) {
            work.put_status(key, json!({"phase": "Available"}));
        }
    } else {
        let claim = Key::new("", CLAIMS, text(reference, "/namespace"), text(reference, "/name"));
        let id = text(reference, "/uid");
        let stands = work.get(&claim).is_some_and(|claim| uid(&claim) == id);
        if id.is_empty() && matches!(phase, "" | "Pending") {
            work.put_status(key, json!({"phase": "Available"}));
        } else if !id.is_empty() && !stands && phase != "Released" {
            work.put_status(key, json!({"phase": "Released"}));
        }
    }
    let Some(volume) = work.get(key) else { return };
    let released = text(&volume, "/status/phase") == "Released";
    let delete = text(&volume, "/spec/persistentVolumeReclaimPolicy") == "Delete";
    if released && delete && super::csi::discard(work, key, &volume) {
        work.gone(key);
    } else if is_going(&volume) && text(&volume, "/status/phase") != "Bound" {
        super::garbage::release(work, key, VOLUME_HELD);
        super::garbage::release(work, key, super::attach::HELD);
    }
}
