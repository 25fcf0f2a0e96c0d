//! Kubelets: what becomes of a pod on its node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::condition::{self, Condition};
use super::crash::{self, Crash};
use super::json::{Stored, is_going, list, text};
use super::work::{About, Work};
use super::{attach, cht, images, mounts, pod};
use crate::lab::k3s::{Node, ids};
use crate::lab::kubernetes::Key;

/// Why a container waits.
#[derive(Clone, Debug)]
struct Waits {
    reason: &'static str,
    message: String,
    /// What it last wrote, where it ran and ended.
    last: Option<String>,
}

/// Starts pods, ends them, and writes how they are.
pub(super) fn run(work: &mut Work<'_>) {
    for (key, pod) in work.due_pods() {
        let Some(node) = work.cluster().nodes.get(pod::node(&pod)).cloned() else { continue };
        if !node.is_heard() {
            lose(work, &key, &pod);
        } else if is_going(&pod) {
            if list(&pod, "/metadata/finalizers").is_empty() {
                work.gone(&key);
            }
        } else if node.is_ready(work.now_ms) {
            keep(work, &key, &pod, &node);
        } else {
            work.wake(node.ready_from_ms);
        }
    }
}

/// Nobody hears of the pod any more.
fn lose(work: &mut Work<'_>, key: &Key, pod: &Json) {
    if pod::is_ready(pod) {
        let message = "Node is not ready";
        let lost = Condition { kind: "Ready", status: false, reason: "NodeNotReady", message };
        let mut lost_pod = pod.clone();
        let conditions = condition::set(list(pod, "/status/conditions"), &[lost], &work.now());
        lost_pod["status"]["conditions"] = json!(conditions);
        work.put(key, lost_pod);
    }
}

fn keep(work: &mut Work<'_>, key: &Key, pod: &Arc<Json>, node: &Node) {
    match text(pod, "/status/phase") {
        "Succeeded" | "Failed" => return,
        // What runs goes on, whatever becomes of the things that it was started with.
        "Running" if runs_whole(pod) => return go_on(work, key, pod),
        _ => {}
    }
    let waits = waits(work, pod, node);
    let ends =
        matches!(text(pod, "/spec/restartPolicy"), "Never" | "OnFailure") && waits.is_empty();
    let deaf = deaf(work, pod, &waits);
    let how = How { waits: &waits, deaf: &deaf, ends };
    let mut changed = (**pod).clone();
    changed["status"] = status(work, pod, node, &how);
    work.put(key, changed);
}

/// Whether all its containers run.
fn runs_whole(pod: &Json) -> bool {
    let statuses = list(pod, "/status/containerStatuses");
    statuses.len() == pod::containers(pod).len()
        && statuses.iter().all(|one| one["state"].get("running").is_some())
}

/// What runs is ready while its probes pass, and again when its node is back.
fn go_on(work: &mut Work<'_>, key: &Key, pod: &Arc<Json>) {
    let deaf = deaf(work, pod, &BTreeMap::new());
    if deaf.is_empty() && condition::is_true(pod, "Ready") {
        return;
    }
    let how = How { waits: &BTreeMap::new(), deaf: &deaf, ends: false };
    let mut changed = (**pod).clone();
    let conditions =
        condition::set(list(pod, "/status/conditions"), &how.conditions(), &work.now());
    changed["status"]["conditions"] = json!(conditions);
    let statuses = changed["status"]["containerStatuses"].as_array_mut();
    for status in statuses.into_iter().flatten() {
        status["ready"] = json!(!deaf.contains(text(status, "/name")));
    }
    work.put(key, changed);
}

/// Containers that run, or are about to, and fail their readiness probes.
fn deaf(work: &mut Work<'_>, pod: &Arc<Json>, waits: &BTreeMap<String, Waits>) -> BTreeSet<String> {
    let mut deaf = BTreeSet::new();
    let up = |one: &&Json| !waits.contains_key(text(one, "/name"));
    for container in pod::containers(pod).iter().filter(up) {
        if let Some(why) = cht::is_deaf(work, pod, container) {
            work.event(&About::pod(pod, "kubelet"), "Unhealthy", &why);
            deaf.insert(text(container, "/name").to_owned());
        }
    }
    deaf
}

/// Why containers wait, by name.
fn waits(work: &mut Work<'_>, pod: &Arc<Json>, node: &Node) -> BTreeMap<String, Waits> {
    let about = About::pod(pod, "kubelet");
    let names = || pod::containers(pod).iter().map(|one| text(one, "/name").to_owned());
    let creating = |message: String| -> BTreeMap<String, Waits> {
        let waits = Waits { reason: "ContainerCreating", message, last: None };
        names().map(|name| (name, waits.clone())).collect()
    };
    if let Some(why) = mounts::missing(work, pod) {
        work.event(&about, "FailedMount", &why);
        return creating(String::new());
    }
    if !attach::is_there(work, pod, &node.name) {
        return creating(String::new());
    }
    let crashes = crash::crashes(work, pod, node);
    let mut all = BTreeMap::new();
    for container in pod::containers(pod) {
        let name = text(container, "/name");
        if let Some(waits) = of_container(work, pod, container, crashes.get(name)) {
            all.insert(name.to_owned(), waits);
        }
    }
    all
}

fn of_container(
    work: &mut Work<'_>,
    pod: &Arc<Json>,
    container: &Json,
    crash: Option<&Crash>,
) -> Option<Waits> {
    let about = About::pod(pod, "kubelet");
    let (name, image) = (text(container, "/name"), text(container, "/image"));
    let had = if work.site.old_images { Ok(()) } else { images::pull(image) };
    if let Err(why) = had {
        work.event(&about, "Failed", &format!("Failed to pull image \"{image}\": {why}"));
        let message = format!("Back-off pulling image \"{image}\"");
        work.event(&about, "BackOff", &message);
        return Some(Waits { reason: "ImagePullBackOff", message, last: None });
    }
    if let Some(why) = mounts::unset(work, pod, container) {
        work.event(&about, "Failed", &format!("Error: {why}"));
        return Some(Waits { reason: "CreateContainerConfigError", message: why, last: None });
    }
    let own = cht::judge(work, pod, container).err();
    let Crash { log } = crash.or(own.as_ref())?;
    let title = format!(
        "{}_{}({})",
        text(pod, "/metadata/name"),
        text(pod, "/metadata/namespace"),
        super::json::uid(pod)
    );
    let message = format!("back-off 5m0s restarting failed container={name} pod={title}");
    work.event(
        &about,
        "BackOff",
        &format!("Back-off restarting failed container {name} in pod {title}"),
    );
    // No kubelet tells this in an Event; in the lab there is no `kubectl logs`.
    work.event(&about, "LastLog", &format!("{name}: {log}"));
    Some(Waits { reason: "CrashLoopBackOff", message, last: Some(log.clone()) })
}

/// How the containers of a pod are.
struct How<'a> {
    waits: &'a BTreeMap<String, Waits>,
    deaf: &'a BTreeSet<String>,
    /// All of them end well.
    ends: bool,
}

impl How<'_> {
    fn conditions<'b>(&self) -> [Condition<'b>; 4] {
        let of = |kind, status, reason| Condition { kind, status, reason, message: "" };
        let fine = self.waits.is_empty() && self.deaf.is_empty() && !self.ends;
        let reason = match (fine, self.ends) {
            (true, _) => "",
            (false, true) => "PodCompleted",
            (false, false) => "ContainersNotReady",
        };
        [
            of("PodScheduled", true, ""),
            of("Initialized", true, ""),
            of("ContainersReady", fine, reason),
            of("Ready", fine, reason),
        ]
    }
}

fn status(work: &Work<'_>, pod: &Json, node: &Node, how: &How<'_>) -> Json {
    let (waits, ends) = (how.waits, how.ends);
    let now = work.now();
    let started = match text(pod, "/status/startTime") {
        "" => now.clone(),
        started => started.to_owned(),
    };
    let phase = match (ends, waits.values().any(|one| one.reason != "CrashLoopBackOff")) {
        (true, _) => "Succeeded",
        (false, true) => "Pending",
        (false, false) => "Running",
    };
    let ip = address(work, pod, node);
    let mut status = json!({
        "phase": phase, "startTime": started, "qosClass": "Burstable",
        "hostIP": node.address, "podIP": ip, "podIPs": [{"ip": ip}],
    });
    let unready: Vec<&str> = waits.keys().chain(how.deaf).map(String::as_str).collect();
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    let message = if unready.is_empty() { "" } else { message.as_str() };
    let mut conditions = how.conditions();
    for condition in &mut conditions[2..] {
        condition.message = message;
    }
    status["conditions"] =
        json!(condition::set(list(pod, "/status/conditions"), &conditions, &now));
    let of_containers = pod::containers(pod).iter();
    status["containerStatuses"] =
        of_containers.map(|one| of_one(work, pod, one, how, &started)).collect();
    status
}

fn of_one(work: &Work<'_>, pod: &Json, container: &Json, how: &How<'_>, started: &str) -> Json {
    let (name, image) = (text(container, "/name"), text(container, "/image"));
    let (waits, ends) = (how.waits.get(name), how.ends);
    let mut before = list(pod, "/status/containerStatuses").iter();
    let before = before.find(|known| known["name"] == name);
    let restarts = before.and_then(|known| known["restartCount"].as_u64()).unwrap_or_default();
    let mut status = json!({
        "name": name, "image": image,
        "ready": waits.is_none() && !ends && !how.deaf.contains(name),
        "started": waits.is_none() && !ends, "restartCount": restarts, "imageID": "",
    });
    let crashed = before.is_some_and(|known| known.get("lastState").is_some());
    match waits {
        None if ends => {
            status["state"] = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
        }
        None => {
            status["state"] = json!({"running": {"startedAt": started}});
            status["imageID"] = json!(format!("{image}@sha256:{}", ids::sha256(image)));
            if crashed {
                status["lastState"] = before.map(|known| known["lastState"].clone()).into();
            }
        }
        Some(waits) => {
            let mut waiting = json!({"reason": waits.reason});
            if !waits.message.is_empty() {
                waiting["message"] = json!(waits.message);
            }
            status["state"] = json!({"waiting": waiting});
            if let Some(last) = &waits.last {
                let known =
                    before.and_then(|known| known.pointer("/lastState/terminated/finishedAt"));
                let at = known.cloned().unwrap_or_else(|| json!(work.now()));
                status["lastState"] = json!({"terminated": {
                    "exitCode": 255, "reason": "Error", "message": last,
                    "startedAt": at, "finishedAt": at,
                }});
                status["restartCount"] = json!(restarts.max(1));
            }
        }
    }
    status
}

/// The node's own, or one of its network.
fn address(work: &Work<'_>, pod: &Json, node: &Node) -> String {
    if pod::on_host_network(pod) {
        return node.address.clone();
    }
    let known = text(pod, "/status/podIP");
    if !known.is_empty() {
        return known.to_owned();
    }
    let name = text(pod, "/metadata/name");
    let last = ids::short(work.cluster().seed, &["pod address", name], 4);
    let last = u32::from_str_radix(&last, 16).unwrap_or_default() % 250 + 3;
    let network = node.pod_cidr.rsplit_once('.').map_or("10.42.0", |(network, _)| network);
    format!("{network}.{last}")
}

/// Whether a pod of a kind that `is` tells runs, with all that it needs.
pub(super) fn first_running(work: &Work<'_>, is: impl Fn(&Json) -> bool) -> Option<Stored> {
    let mut pods = work.cluster().store.list("", "pods");
    let found = pods.find(|(_, pod)| is(pod) && pod::is_ready(pod));
    found.map(|(key, pod)| (key.clone(), Arc::clone(pod)))
}
