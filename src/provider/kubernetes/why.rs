//! Why something is not ready, from its pods and events.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::ListParams;
use serde_json::Value as Json;

use super::client::Client;
use super::list::{PAGE, page};
use super::place::Place;
use super::pods::{name, selector};
use super::text::plain;

/// How many reasons are told of each sort.
const TOLD: usize = 3;

/// What pods and events say about a workload or a claim that is not ready. Empty for other kinds,
/// and where nothing can be read: the reason is a help, not a reading.
pub async fn reasons(client: &Client, place: &Place, live: &Json) -> Vec<String> {
    let Some(namespace) = &place.namespace else { return Vec::new() };
    let is_workload = place.group() == "apps" || place.is("batch", "Job");
    if !is_workload && !place.is("", "PersistentVolumeClaim") {
        return Vec::new();
    }
    let namespace = Some(namespace.as_str());
    let selector = selector(live).filter(|_| is_workload);
    let pods = match selector {
        Some(selector) => {
            let params = ListParams::default().labels(&selector).limit(PAGE);
            page::<Pod>(client, namespace, &params).await.unwrap_or_default()
        }
        None => Vec::new(),
    };
    let params = ListParams::default().fields(&about(place)).limit(PAGE);
    let events = page::<Event>(client, namespace, &params).await.unwrap_or_default();
    let mut told = of_pods(&pods);
    told.extend(of_events(&events, &place.name, &pods));
    told
}

/// Which events are asked for. What a claim waits for, such as a driver, is no warning.
fn about(place: &Place) -> String {
    match place.is("", "PersistentVolumeClaim") {
        true => {
            format!("involvedObject.kind=PersistentVolumeClaim,involvedObject.name={}", place.name)
        }
        false => "type=Warning".to_owned(),
    }
}

/// The same reason of several pods is told once, with the first one's name.
fn of_pods(pods: &[Json]) -> Vec<String> {
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for pod in pods {
        if let Some(reason) = of_pod(pod) {
            reasons.entry(reason).or_default().push(name(pod));
        }
    }
    let told = reasons.into_iter().take(TOLD).map(|(reason, pods)| match pods.as_slice() {
        [pod] => format!("pod {pod}: {reason}"),
        pods => format!("{} pods such as {}: {reason}", pods.len(), pods[0]),
    });
    told.collect()
}

/// Why a pod does not run. `None` where it does.
fn of_pod(pod: &Json) -> Option<String> {
    let status = &pod["status"];
    if let Some(reason) = status["reason"].as_str() {
        return Some(told(reason, &status["message"]));
    }
    let kinds = ["initContainerStatuses", "containerStatuses"];
    let containers =
        kinds.into_iter().flat_map(|kind| status[kind].as_array().into_iter().flatten());
    let mut stopped = containers.filter_map(|container| {
        let waiting = &container["state"]["waiting"];
        let ended = &container["state"]["terminated"];
        match (waiting["reason"].as_str(), ended["exitCode"].as_i64()) {
            // Both say nothing but that another one is waited for.
            (Some("PodInitializing" | "ContainerCreating"), _) | (None, None | Some(0)) => None,
            (Some(reason), _) => Some(told(reason, &waiting["message"])),
            (None, Some(code)) => Some(format!("{} ended with {code}", name_of(container))),
        }
    });
    stopped.next().or_else(|| unscheduled(status))
}

fn unscheduled(status: &Json) -> Option<String> {
    let mut conditions = status["conditions"].as_array()?.iter();
    let condition =
        conditions.find(|one| one["type"] == "PodScheduled" && one["status"] == "False")?;
    Some(told(condition["reason"].as_str().unwrap_or("Unschedulable"), &condition["message"]))
}

/// The newest warnings about the object, what belongs to it and its pods.
fn of_events(events: &[Json], object: &str, pods: &[Json]) -> Vec<String> {
    let is_about = |event: &&Json| {
        let about = event["involvedObject"]["name"].as_str().unwrap_or_default();
        // ReplicaSets are named after their Deployment.
        let is_part = about.strip_prefix(object).is_some_and(|rest| rest.starts_with('-'));
        let is_set = is_part && event["involvedObject"]["kind"] == "ReplicaSet";
        about == object || is_set || pods.iter().any(|pod| name(pod) == about)
    };
    let mut newest: BTreeMap<&str, (&str, &Json)> = BTreeMap::new();
    for event in events.iter().filter(is_about) {
        let (reason, when) = (event["reason"].as_str().unwrap_or_default(), when(event));
        if newest.get(reason).is_none_or(|(other, _)| *other <= when) {
            newest.insert(reason, (when, event));
        }
    }
    let mut newest: Vec<(&str, (&str, &Json))> = newest.into_iter().collect();
    newest.sort_by(|one, other| other.1.0.cmp(one.1.0));
    let told = newest.into_iter().take(TOLD);
    told.map(|(reason, (_, event))| self::told(reason, &event["message"])).collect()
}

fn when(event: &Json) -> &str {
    let times = [&event["lastTimestamp"], &event["eventTime"], &event["firstTimestamp"]];
    times.into_iter().find_map(Json::as_str).unwrap_or_default()
}

fn told(reason: &str, message: &Json) -> String {
    match message.as_str().map(plain).filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    }
}

fn name_of(container: &Json) -> &str {
    container["name"].as_str().unwrap_or("a container")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_with_the_same_trouble_are_told_together() {
        let pod = |name: &str, status: Json| json!({"metadata": {"name": name}, "status": status});
        let pull = json!({"containerStatuses": [{"name": "x", "state":
            {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}]});
        let full = json!({"conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
        let ended = json!({"containerStatuses": [{"name": "x", "state":
            {"terminated": {"exitCode": 2}}}]});
        let fine = json!({"containerStatuses": [{"name": "x", "state": {"running": {}}}]});
        let pods = [
            pod("a-1", pull.clone()),
            pod("a-2", pull),
            pod("a-3", full),
            pod("a-4", ended),
            pod("a-5", fine),
        ];
        assert_eq!(
            of_pods(&pods),
            [
                "2 pods such as a-1: ImagePullBackOff: Back-off pulling image",
                "pod a-3: Unschedulable: 0/3 nodes are available",
                "pod a-4: x ended with 2",
            ]
        );
    }

    #[test]
    fn only_events_of_what_belongs_to_it_are_told_the_newest_of_each() {
        let event = |name: &str, kind: &str, reason: &str, at: &str, message: &str| {
            json!({"involvedObject": {"name": name, "kind": kind}, "reason": reason,
                "lastTimestamp": at, "message": message})
        };
        let events = [
            event("a-1", "Pod", "FailedMount", "2026-11-22T01:00:00Z", "old"),
            event("a-1", "Pod", "FailedMount", "2026-11-22T02:00:00Z", "new"),
            event("a-7f", "ReplicaSet", "FailedCreate", "2026-11-22T03:00:00Z", "exceeded quota"),
            event("another", "Pod", "Failed", "2026-11-22T04:00:00Z", "no"),
            event("a-b", "PersistentVolumeClaim", "Failed", "2026-11-22T04:00:00Z", "no"),
        ];
        let pods = [json!({"metadata": {"name": "a-1"}})];
        assert_eq!(
            of_events(&events, "a", &pods),
            ["FailedCreate: exceeded quota", "FailedMount: new"]
        );
    }
}
