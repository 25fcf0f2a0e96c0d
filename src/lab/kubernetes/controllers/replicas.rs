//! ReplicaSets keep their number of pods.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::condition::{self, Condition};
use super::json::{Stored, is_going, list, number, owner, uid};
use super::pod::{self, Maker};
use super::work::Work;

/// Makes and removes pods, and writes what there are.
pub(super) fn run(work: &mut Work<'_>) {
    let mut pods = by_owner(work.due_pods());
    for (key, set) in work.due("apps", "replicasets") {
        let own = pods.remove(uid(&set)).unwrap_or_default();
        let failed = if is_going(&set) { Ok(()) } else { keep(work, &set, &own) };
        let own: Vec<&Stored> = own.iter().collect();
        let status = status(work, &set, &own, failed.err().as_deref());
        work.put_status(&key, status);
    }
}

/// Pods by the uid of their controller.
pub(super) fn by_owner(pods: Vec<Stored>) -> BTreeMap<String, Vec<Stored>> {
    let mut all: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    for stored in pods {
        if let Some(uid) = owner(&stored.1) {
            all.entry(uid.to_owned()).or_default().push(stored);
        }
    }
    all
}

fn keep(work: &mut Work<'_>, set: &Json, own: &[Stored]) -> Result<(), String> {
    let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or_default();
    let mut active: Vec<&Stored> = own.iter().filter(|(_, pod)| pod::is_active(pod)).collect();
    if active.len() > wanted {
        // What runs nowhere goes first, then what is not ready, then the youngest.
        active.sort_by_key(|(key, pod)| {
            let age = std::cmp::Reverse(pod["metadata"]["creationTimestamp"].to_string());
            (!pod::node(pod).is_empty(), pod::is_ready(pod), age, key.clone())
        });
        for (key, _) in active.iter().take(active.len() - wanted) {
            super::drains::evict(work, key);
        }
    }
    let maker =
        Maker { object: set, api: "apps/v1", kind: "ReplicaSet", by: "replicaset-controller" };
    for _ in active.len()..wanted {
        pod::create(work, &maker, &set["spec"]["template"], |_| ())?;
    }
    Ok(())
}

fn status(work: &Work<'_>, set: &Json, own: &[&Stored], failure: Option<&str>) -> Json {
    let active = || own.iter().filter(|(_, pod)| pod::is_active(pod));
    let ready = active().filter(|(_, pod)| pod::is_ready(pod)).count();
    let mut status = json!({
        "replicas": active().count(), "observedGeneration": set["metadata"]["generation"],
    });
    if active().count() > 0 {
        status["fullyLabeledReplicas"] = json!(active().count());
    }
    if ready > 0 {
        status["readyReplicas"] = json!(ready);
        status["availableReplicas"] = json!(ready);
    }
    let mut conditions = list(set, "/status/conditions").to_vec();
    conditions.retain(|known| known["type"] != "ReplicaFailure");
    if let Some(message) = failure {
        let failed =
            Condition { kind: "ReplicaFailure", status: true, reason: "FailedCreate", message };
        conditions = condition::set(list(set, "/status/conditions"), &[failed], &work.now());
    }
    if !conditions.is_empty() {
        status["conditions"] = json!(conditions);
    }
    status
}
