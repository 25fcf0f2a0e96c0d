//! Workloads from outside.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::json::{number, text};
use super::pod;
use crate::lab::WorkloadStatus;
use crate::lab::k3s::Cluster;

/// Pods that Deployments, DaemonSets and Jobs want and have, by namespace, and what waits.
pub(in crate::lab) fn workloads(cluster: &Cluster) -> Vec<WorkloadStatus> {
    let mut spaces: BTreeMap<String, WorkloadStatus> = BTreeMap::new();
    let kinds = [
        ("apps", "deployments", "/spec/replicas", "/status/readyReplicas"),
        ("apps", "daemonsets", "/status/desiredNumberScheduled", "/status/numberReady"),
        ("batch", "jobs", "/spec/completions", "/status/succeeded"),
    ];
    for (group, plural, wanted, ready) in kinds {
        for (key, object) in cluster.store.list(group, plural) {
            let count = |path, otherwise| {
                let found = number(object, path).unwrap_or(otherwise);
                usize::try_from(found).unwrap_or_default()
            };
            let otherwise = i64::from(plural != "daemonsets");
            let space = spaces.entry(key.namespace.clone()).or_default();
            space.desired += count(wanted, otherwise);
            space.ready += count(ready, 0);
        }
    }
    for (key, object) in cluster.store.list("", "pods") {
        if let Some(why) = waiting(object) {
            let space = spaces.entry(key.namespace.clone()).or_default();
            space.waiting.push(format!("{}: {why}", key.name));
        }
    }
    let named =
        spaces.into_iter().map(|(namespace, status)| WorkloadStatus { namespace, ..status });
    named.collect()
}

/// Why a pod does not run; `None` for one that does, or has ended.
fn waiting(object: &Json) -> Option<String> {
    if !pod::is_active(object) || pod::is_ready(object) {
        return None;
    }
    let states = super::json::list(object, "/status/containerStatuses").iter();
    let mut reasons = states.filter_map(|one| one.pointer("/state/waiting/reason")?.as_str());
    let reason = reasons.find(|reason| *reason != "ContainerCreating").map(str::to_owned);
    let scheduled = super::json::list(object, "/status/conditions").iter();
    let unscheduled = scheduled
        .filter(|one| one["type"] == "PodScheduled" && one["status"] == "False")
        .map(|one| text(one, "/message").to_owned())
        .next();
    Some(reason.or(unscheduled).unwrap_or_else(|| text(object, "/status/phase").to_owned()))
}
