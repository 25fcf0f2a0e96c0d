//! Deployments: a ReplicaSet for each template, and what the old and the new one have.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::condition::{self, Condition};
use super::json::{Stored, annotation, insert, is_going, list, number, owned, owner, text, uid};
use super::pod::template_hash;
use super::rollout;
use super::work::Work;
use crate::lab::kubernetes::Key;

/// The label that tells the pods of one template from those of another.
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Rolls every Deployment out, one step.
pub(super) fn run(work: &mut Work<'_>) {
    let mut sets: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    for stored in work.due("apps", "replicasets") {
        if let Some(uid) = owner(&stored.1) {
            sets.entry(uid.to_owned()).or_default().push(stored);
        }
    }
    for (key, deployment) in work.due("apps", "deployments") {
        if is_going(&deployment) {
            continue;
        }
        let own = sets.remove(uid(&deployment)).unwrap_or_default();
        one(work, &key, &deployment, own);
    }
}

fn one(work: &mut Work<'_>, key: &Key, deployment: &Arc<Json>, mut own: Vec<Stored>) {
    let hash = template_hash(&deployment["spec"]["template"]);
    let name = format!("{}-{hash}", key.name);
    let newest = own.iter().filter_map(|(_, set)| annotation(set, REVISION).parse().ok()).max();
    if own.iter().all(|(known, _)| known.name != name) {
        let new = Key::new("apps", "replicasets", &key.namespace, &name);
        let revision = newest.unwrap_or(0_u64) + 1;
        let set = work.create(&new, replica_set(deployment, &hash, revision));
        own.push((new, set));
    }
    let (new, old): (Vec<Stored>, Vec<Stored>) =
        own.into_iter().partition(|(known, _)| known.name == name);
    let Some(new) = new.into_iter().next() else { return };
    for (set, replicas) in rollout::step(work, deployment, &new, &old) {
        scale(work, &set, replicas);
    }
    forget(work, deployment, &old);
    let revision = annotation(&new.1, REVISION);
    if annotation(deployment, REVISION) != revision {
        let mut changed = (**deployment).clone();
        insert(&mut changed, "annotations", REVISION, revision);
        work.put(key, changed);
    }
    let fresh = |stored: &Stored| work.get(&stored.0).map(|set| (stored.0.clone(), set));
    let (Some(new), old) = (fresh(&new), old.iter().filter_map(fresh).collect::<Vec<_>>()) else {
        return;
    };
    let status = status(work, deployment, &new, &old);
    work.put_status(key, status);
}

fn replica_set(deployment: &Json, hash: &str, revision: u64) -> Json {
    let mut template = deployment["spec"]["template"].clone();
    insert(&mut template, "labels", HASH, hash);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = json!(hash);
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "labels": template["metadata"]["labels"],
            "annotations": {REVISION: revision.to_string()},
            "ownerReferences": [owned(deployment, "apps/v1", "Deployment")],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
        "status": {"replicas": 0},
    })
}

fn scale(work: &mut Work<'_>, key: &Key, replicas: i64) {
    let Some(set) = work.get(key) else { return };
    let mut set = (*set).clone();
    set["spec"]["replicas"] = json!(replicas);
    work.put(key, set);
}

/// Old ReplicaSets beyond the limit go, the oldest first.
fn forget(work: &mut Work<'_>, deployment: &Json, old: &[Stored]) {
    let kept = number(deployment, "/spec/revisionHistoryLimit").unwrap_or(10);
    let is_empty = |(_, set): &&Stored| {
        number(set, "/spec/replicas") == Some(0) && number(set, "/status/replicas") == Some(0)
    };
    let mut empty: Vec<&Stored> = old.iter().filter(is_empty).collect();
    empty.sort_by_key(|(_, set)| annotation(set, REVISION).parse::<u64>().unwrap_or_default());
    let beyond = empty.len().saturating_sub(usize::try_from(kept).unwrap_or_default());
    empty.iter().take(beyond).for_each(|(key, _)| work.gone(key));
}

fn status(work: &mut Work<'_>, deployment: &Json, new: &Stored, old: &[Stored]) -> Json {
    let sum = |path: &str| -> i64 {
        let all = old.iter().chain([new]);
        all.filter_map(|(_, set)| number(set, path)).sum()
    };
    let wanted = rollout::replicas(deployment);
    let (replicas, ready, available) =
        (sum("/status/replicas"), sum("/status/readyReplicas"), sum("/status/availableReplicas"));
    let updated = number(&new.1, "/status/replicas").unwrap_or_default();
    let mut status = json!({"observedGeneration": deployment["metadata"]["generation"]});
    for (name, value) in [
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        ("unavailableReplicas", (replicas.max(wanted) - available).max(0)),
    ] {
        if value > 0 {
            status[name] = json!(value);
        }
    }
    let done = updated == wanted && replicas == wanted && available == wanted;
    status["conditions"] = conditions(work, deployment, new, available, done);
    status
}

fn conditions(
    work: &mut Work<'_>,
    deployment: &Json,
    new: &Stored,
    available: i64,
    done: bool,
) -> Json {
    let least = rollout::replicas(deployment) - rollout::unavailable_max(deployment);
    let enough = available >= least;
    let (enough_reason, enough_message) = if enough {
        ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let name = &new.0.name;
    let late = !done && is_late(work, deployment, new);
    let (reason, message) = match (done, late) {
        (true, _) => (
            "NewReplicaSetAvailable",
            format!("ReplicaSet \"{name}\" has successfully progressed."),
        ),
        (false, true) => (
            "ProgressDeadlineExceeded",
            format!("ReplicaSet \"{name}\" has timed out progressing."),
        ),
        (false, false) => ("ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing.")),
    };
    let mut wanted = vec![
        Condition {
            kind: "Available",
            status: enough,
            reason: enough_reason,
            message: enough_message,
        },
        Condition { kind: "Progressing", status: !late, reason, message: &message },
    ];
    let failures = list(&new.1, "/status/conditions").iter();
    let failure = failures.into_iter().find(|known| known["type"] == "ReplicaFailure");
    if let Some(failure) = failure {
        let (reason, message) = (text(failure, "/reason"), text(failure, "/message"));
        wanted.push(Condition { kind: "ReplicaFailure", status: true, reason, message });
    }
    let mut before = list(deployment, "/status/conditions").to_vec();
    before.retain(|known| failure.is_some() || known["type"] != "ReplicaFailure");
    json!(condition::set(&before, &wanted, &work.now()))
}

/// Whether the new ReplicaSet has had more time than it was given.
fn is_late(work: &mut Work<'_>, deployment: &Json, new: &Stored) -> bool {
    let seconds = number(deployment, "/spec/progressDeadlineSeconds").unwrap_or(600);
    let since: Option<jiff::Timestamp> = text(&new.1, "/metadata/creationTimestamp").parse().ok();
    let Some(since) = since else { return false };
    let due = since.as_millisecond() + seconds.saturating_mul(1000);
    let due = u64::try_from(due).unwrap_or_default();
    work.wake(due);
    due <= work.now_ms
}
