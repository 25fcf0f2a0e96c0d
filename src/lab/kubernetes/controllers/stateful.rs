//! StatefulSets: numbered pods with claims of their own, made and renewed one after the other.

use serde_json::{Value as Json, json};

use super::drains;
use super::json::{Stored, insert, is_going, list, number, text, uid};
use super::pod::{self, Maker, template_hash};
use super::replicas::by_owner;
use super::work::Work;
use crate::lab::kubernetes::Key;

const HASH: &str = "controller-revision-hash";
const NAME: &str = "statefulset.kubernetes.io/pod-name";
const ORDINAL: &str = "apps.kubernetes.io/pod-index";

/// Brings every StatefulSet one step further.
pub(super) fn run(work: &mut Work<'_>) {
    let mut pods = by_owner(work.due_pods());
    for (key, set) in work.due("apps", "statefulsets") {
        let own = pods.remove(uid(&set)).unwrap_or_default();
        if !is_going(&set) {
            one(work, &key, &set, &own);
        }
    }
}

fn one(work: &mut Work<'_>, key: &Key, set: &Json, own: &[Stored]) {
    let revision = revision(set);
    let wanted: Vec<Key> = ordinals(set).map(|ordinal| pod_key(key, ordinal)).collect();
    let is_wanted = |key: &Key| wanted.contains(key);
    // The highest number goes first.
    let surplus = own.iter().filter(|(key, pod)| !is_wanted(key) && !is_going(pod));
    if let Some((last, _)) = surplus.max_by_key(|(key, _)| ordinal(key)) {
        drains::evict(work, last);
    }
    make(work, key, set, &revision);
    renew(work, set, &wanted, own, &revision);
    let status = status(work, set, &wanted, &revision);
    work.put_status(key, status);
}

/// The numbers of its pods.
fn ordinals(set: &Json) -> std::ops::Range<i64> {
    let first = number(set, "/spec/ordinals/start").unwrap_or(0);
    first..first + number(set, "/spec/replicas").unwrap_or(1)
}

fn pod_key(set: &Key, ordinal: i64) -> Key {
    Key::new("", "pods", &set.namespace, &format!("{}-{ordinal}", set.name))
}

fn ordinal(pod: &Key) -> i64 {
    pod.name.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn revision(set: &Json) -> String {
    format!("{}-{}", text(set, "/metadata/name"), template_hash(&set["spec"]["template"]))
}

/// Makes pods that are missing: in their order each once the one before it is ready, or all at
/// once.
fn make(work: &mut Work<'_>, key: &Key, set: &Json, revision: &str) {
    let at_once = text(set, "/spec/podManagementPolicy") == "Parallel";
    let maker =
        Maker { object: set, api: "apps/v1", kind: "StatefulSet", by: "statefulset-controller" };
    for ordinal in ordinals(set) {
        let own = pod_key(key, ordinal);
        let standing = work.get(&own);
        if standing.is_none() {
            claims(work, set, &own);
            let dressed = |pod: &mut Json| dress(pod, set, &own, revision);
            // Admission's objection is in the events.
            let _ = pod::create_as(work, &maker, &set["spec"]["template"], &own, dressed);
        }
        if !at_once && !standing.is_some_and(|pod| pod::is_ready(&pod)) {
            return;
        }
    }
}

/// What a pod of a StatefulSet has besides its template.
fn dress(pod: &mut Json, set: &Json, key: &Key, revision: &str) {
    for (label, value) in
        [(NAME, key.name.as_str()), (ORDINAL, &ordinal(key).to_string()), (HASH, revision)]
    {
        insert(pod, "labels", label, value);
    }
    pod["spec"]["hostname"] = json!(key.name);
    pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
    let mut volumes = list(pod, "/spec/volumes").to_vec();
    for template in list(set, "/spec/volumeClaimTemplates") {
        let name = text(template, "/metadata/name");
        volumes.retain(|volume| volume["name"] != name);
        let claim = claim_name(name, key);
        volumes.push(json!({"name": name, "persistentVolumeClaim": {"claimName": claim}}));
    }
    if !volumes.is_empty() {
        pod["spec"]["volumes"] = json!(volumes);
    }
}

fn claim_name(template: &str, pod: &Key) -> String {
    format!("{template}-{}", pod.name)
}

/// Makes the claims of one pod. They stay when it goes, and with the set unless it says otherwise.
fn claims(work: &mut Work<'_>, set: &Json, pod: &Key) {
    let goes = text(set, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted") == "Delete";
    for template in list(set, "/spec/volumeClaimTemplates") {
        let name = claim_name(text(template, "/metadata/name"), pod);
        let key = Key::new("", "persistentvolumeclaims", &pod.namespace, &name);
        work.ensure(&key, || {
            let mut claim = json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"labels": set["spec"]["selector"]["matchLabels"],
                    "finalizers": ["kubernetes.io/pvc-protection"]},
                "spec": template["spec"], "status": {"phase": "Pending"},
            });
            if goes {
                let owner = super::json::owned(set, "apps/v1", "StatefulSet");
                claim["metadata"]["ownerReferences"] = json!([owner]);
            }
            claim
        });
    }
}

/// Ends pods of older templates, the highest number first, one at a time and only while all others
/// are ready; those below the partition stay.
fn renew(work: &mut Work<'_>, set: &Json, wanted: &[Key], own: &[Stored], revision: &str) {
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let is_ready = |key: &Key| work.get(key).is_some_and(|pod| pod::is_ready(&pod));
    let all_ready = wanted.iter().all(is_ready);
    let first = number(set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    let is_old = |(key, pod): &&Stored| {
        !is_going(pod)
            && ordinal(key) >= first
            && wanted.contains(key)
            && pod["metadata"]["labels"][HASH] != revision
    };
    let old = own.iter().filter(is_old).max_by_key(|(key, _)| ordinal(key));
    // One that never came up would otherwise wait for itself.
    if let Some((key, _)) = old.filter(|(_, pod)| all_ready || !pod::is_ready(pod)) {
        drains::evict(work, key);
    }
}

fn status(work: &Work<'_>, set: &Json, wanted: &[Key], revision: &str) -> Json {
    let pods: Vec<_> = wanted.iter().filter_map(|key| work.get(key)).collect();
    let count = |is: &dyn Fn(&Json) -> bool| pods.iter().filter(|pod| is(pod)).count();
    let ready = count(&pod::is_ready);
    let updated = count(&|pod| pod["metadata"]["labels"][HASH] == revision);
    let before = match text(set, "/status/currentRevision") {
        "" => revision,
        known => known,
    };
    let is_over = updated == wanted.len() && ready == wanted.len();
    let current = if is_over { revision } else { before };
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"],
        "replicas": pods.len(),
        "availableReplicas": ready,
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
    });
    let standing = count(&|pod| pod["metadata"]["labels"][HASH] == current);
    for (name, value) in
        [("readyReplicas", ready), ("currentReplicas", standing), ("updatedReplicas", updated)]
    {
        if value > 0 {
            status[name] = json!(value);
        }
    }
    status
}
