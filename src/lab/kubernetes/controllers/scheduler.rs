//! The scheduler: a node for each pod, or why there is none, in kube-scheduler's words.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::condition::{self, Condition};
use super::json::{Stored, annotation, insert, is_going, list, number, text};
use super::load::{self, Load};
use super::work::{About, Work};
use super::{affinity, pod};
use crate::lab::k3s::Node;
use crate::lab::kubernetes::Key;

/// The node that a claim waits on, as the scheduler chose it.
pub(super) const SELECTED: &str = "volume.kubernetes.io/selected-node";

/// Why one node does not take a pod, and whether other pods' going could help.
struct Unfit(String, bool);

/// Binds what can be bound, the most important first, then the oldest.
pub(super) fn run(work: &mut Work<'_>) {
    // Whatever went or came anywhere may have made room for them.
    let waits = |(_, pod): &(&Key, &Arc<Json>)| pod::node(pod).is_empty() && pod::is_active(pod);
    let pending = work.cluster().store.list("", "pods").filter(waits);
    let mut pending: Vec<Stored> =
        pending.map(|(key, pod)| (key.clone(), Arc::clone(pod))).collect();
    if pending.is_empty() {
        return;
    }
    pending.sort_by_key(|(key, pod)| {
        let priority = std::cmp::Reverse(number(pod, "/spec/priority").unwrap_or_default());
        (priority, text(pod, "/metadata/creationTimestamp").to_owned(), key.clone())
    });
    let mut loads = load::of_all(work);
    for (key, pod) in pending {
        match place(work, &loads, &pod) {
            Ok(node) => {
                if !chose(work, &pod, &node) {
                    bind(work, &key, &pod, &node);
                    if let (Some(load), Some(pod)) = (loads.get_mut(&node), work.get(&key)) {
                        load.add(work, &pod);
                    }
                }
            }
            Err(message) => wait(work, &key, &pod, &message),
        }
    }
}

fn place(work: &Work<'_>, loads: &BTreeMap<String, Load>, pod: &Json) -> Result<String, String> {
    let nodes: Vec<&Node> = work.cluster().nodes.values().collect();
    let total = nodes.len();
    if let Some(reason) = claims(work, pod) {
        return Err(format!(
            "0/{total} nodes are available: {reason}. preemption: 0/{total} nodes are available: {total} Preemption is not helpful for scheduling."
        ));
    }
    if total == 0 {
        return Err("no nodes available to schedule pods".to_owned());
    }
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut helpless = 0;
    let mut fitting = Vec::new();
    for node in nodes {
        let Some(load) = loads.get(&node.name) else { continue };
        let fits = fits(work, pod, node, load).and_then(|()| near(loads, pod, node, load));
        match fits {
            Ok(()) => fitting.push((score(pod, load), node.name.clone())),
            Err(Unfit(reason, by_pods)) => {
                *reasons.entry(reason).or_default() += 1;
                helpless += usize::from(!by_pods);
            }
        }
    }
    let best = fitting.into_iter().min().map(|(_, name)| name);
    best.ok_or_else(|| unavailable(total, &reasons, helpless))
}

fn unavailable(total: usize, reasons: &BTreeMap<String, usize>, helpless: usize) -> String {
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines.join(", ")
    };
    let why = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let mut preemption = Vec::new();
    for (count, text) in [
        (helpless, "Preemption is not helpful for scheduling"),
        (total - helpless, "No preemption victims found for incoming pod"),
    ] {
        if count > 0 {
            preemption.push(format!("{count} {text}"));
        }
    }
    format!(
        "0/{total} nodes are available: {}. preemption: 0/{total} nodes are available: {}.",
        sorted(why),
        sorted(preemption)
    )
}

/// What is wrong with the claims that a pod mounts, whatever the node.
fn claims(work: &Work<'_>, pod: &Json) -> Option<String> {
    let namespace = text(pod, "/metadata/namespace");
    pod::claims(pod).find_map(|name| {
        let claim = work.get(&Key::new("", "persistentvolumeclaims", namespace, name));
        let Some(claim) = claim else {
            return Some(format!("persistentvolumeclaim \"{name}\" not found"));
        };
        if is_going(&claim) {
            return Some(format!("persistentvolumeclaim \"{name}\" is being deleted"));
        }
        let bound = text(&claim, "/status/phase") == "Bound";
        (!bound && !super::volume::waits_for_consumer(work, &claim))
            .then(|| "pod has unbound immediate PersistentVolumeClaims".to_owned())
    })
}

/// One node by itself, in the order of the scheduler's filters.
fn fits(work: &Work<'_>, pod: &Json, node: &Node, load: &Load) -> Result<(), Unfit> {
    let not = |reason: &str, by_pods| Err(Unfit(reason.to_owned(), by_pods));
    let cordon = crate::lab::k3s::Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        value: String::new(),
        effect: "NoSchedule".to_owned(),
    };
    if node.unschedulable && !affinity::tolerates(pod, &cordon) {
        return not("node(s) were unschedulable", false);
    }
    affinity::takes(pod, node, work.now_ms).map_err(|reason| Unfit(reason, false))?;
    if load::ports(pod).iter().any(|port| load.ports.contains(port)) {
        return not("node(s) didn't have free ports for the requested pod ports", true);
    }
    if load.pods.len() >= load.pods_max {
        return not("Too many pods", true);
    }
    let (cpu, memory) = load::requests(pod);
    if cpu > 0 && load.cpu_milli + cpu > load.cpu_milli_max {
        return not("Insufficient cpu", cpu <= load.cpu_milli_max);
    }
    if memory > 0 && load.memory + memory > load.memory_max {
        return not("Insufficient memory", memory <= load.memory_max);
    }
    if too_many_volumes(work, pod, load) {
        return not("node(s) exceed max volume count", true);
    }
    if !reaches_volumes(work, pod, node) {
        return not("node(s) had volume node affinity conflict", false);
    }
    Ok(())
}

fn too_many_volumes(work: &Work<'_>, pod: &Json, load: &Load) -> bool {
    let mut all = load.volumes.clone();
    let new = load::volumes(work, pod);
    let more = new.iter().any(|volume| !all.contains(volume));
    all.extend(new);
    more && load
        .volumes_max
        .iter()
        .any(|(driver, most)| all.iter().filter(|(known, _)| known == driver).count() > *most)
}

fn reaches_volumes(work: &Work<'_>, pod: &Json, node: &Node) -> bool {
    let namespace = text(pod, "/metadata/namespace");
    pod::claims(pod).all(|name| {
        let claim = work.get(&Key::new("", "persistentvolumeclaims", namespace, name));
        let volume = claim.and_then(|claim| {
            work.get(&Key::new("", "persistentvolumes", "", text(&claim, "/spec/volumeName")))
        });
        let required = volume.as_ref().and_then(|it| it.pointer("/spec/nodeAffinity/required"));
        required.is_none_or(|terms| affinity::in_terms(terms, &json!(node.labels), &node.name))
    })
}

/// Required affinity and anti-affinity between pods. A node is the only topology there is; in a
/// wider one all nodes are in the same place.
fn near(loads: &BTreeMap<String, Load>, pod: &Json, node: &Node, load: &Load) -> Result<(), Unfit> {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let namespace = text(pod, "/metadata/namespace");
    let here = |term: &Json| -> Vec<&Arc<Json>> {
        let wide = text(term, "/topologyKey") != "kubernetes.io/hostname";
        let all = loads.iter().filter(|(name, _)| wide || **name == node.name);
        all.flat_map(|(_, load)| &load.pods).collect()
    };
    let means = |term: &Json, own: &str, other: &Json| {
        let namespaces = list(term, "/namespaces");
        let space = text(other, "/metadata/namespace");
        let in_reach = if namespaces.is_empty() {
            space == own
        } else {
            namespaces.iter().any(|known| known == space)
        };
        in_reach && super::json::selects(&term["labelSelector"], &other["metadata"]["labels"])
    };
    for term in list(pod, &format!("/spec/affinity/podAffinity/{required}")) {
        let anywhere = loads.values().flat_map(|load| &load.pods);
        let first = !anywhere.into_iter().any(|other| means(term, namespace, other))
            && means(term, namespace, pod);
        if !first && !here(term).iter().any(|other| means(term, namespace, other)) {
            return Err(Unfit("node(s) didn't match pod affinity rules".to_owned(), false));
        }
    }
    for term in list(pod, &format!("/spec/affinity/podAntiAffinity/{required}")) {
        if here(term).iter().any(|other| means(term, namespace, other)) {
            return Err(Unfit("node(s) didn't match pod anti-affinity rules".to_owned(), true));
        }
    }
    let refuses = |other: &&Arc<Json>| {
        let own = text(other, "/metadata/namespace");
        let terms = list(other, &format!("/spec/affinity/podAntiAffinity/{required}"));
        terms.iter().any(|term| means(term, own, pod))
    };
    if load.pods.iter().any(|other| refuses(&other)) {
        let reason = "node(s) didn't satisfy existing pods anti-affinity rules";
        return Err(Unfit(reason.to_owned(), true));
    }
    Ok(())
}

/// Fewer pods of the same owner first, then fewer pods at all.
fn score(pod: &Json, load: &Load) -> (usize, usize) {
    let owner = super::json::owner(pod);
    let same = |other: &&Arc<Json>| owner.is_some() && super::json::owner(other) == owner;
    (load.pods.iter().filter(same).count(), load.pods.len())
}

/// Tells claims that wait for their first consumer where it will run. Whether there are any.
fn chose(work: &mut Work<'_>, pod: &Json, node: &str) -> bool {
    let namespace = text(pod, "/metadata/namespace").to_owned();
    let names: Vec<String> = pod::claims(pod).map(str::to_owned).collect();
    let mut waits = false;
    for name in names {
        let key = Key::new("", "persistentvolumeclaims", &namespace, &name);
        let Some(claim) = work.get(&key) else { continue };
        if text(&claim, "/status/phase") != "Bound" {
            waits = true;
            if annotation(&claim, SELECTED).is_empty() {
                let mut claim = (*claim).clone();
                insert(&mut claim, "annotations", SELECTED, node);
                work.put(&key, claim);
            }
        }
    }
    waits
}

fn bind(work: &mut Work<'_>, key: &Key, pod: &Json, node: &str) {
    let mut bound = pod.clone();
    bound["spec"]["nodeName"] = json!(node);
    let scheduled = Condition { kind: "PodScheduled", status: true, reason: "", message: "" };
    let conditions = condition::set(list(pod, "/status/conditions"), &[scheduled], &work.now());
    bound["status"]["conditions"] = json!(conditions);
    work.put(key, bound.clone());
    let about = About { warns: false, ..About::pod(&bound, "default-scheduler") };
    let text = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
    work.event(&about, "Scheduled", &text);
}

fn wait(work: &mut Work<'_>, key: &Key, pod: &Json, message: &str) {
    let unschedulable =
        Condition { kind: "PodScheduled", status: false, reason: "Unschedulable", message };
    let before = list(pod, "/status/conditions");
    let mut waiting = pod.clone();
    waiting["status"]["conditions"] = json!(condition::set(before, &[unschedulable], &work.now()));
    work.put(key, waiting);
    work.event(&About::pod(pod, "default-scheduler"), "FailedScheduling", message);
}
