//! DaemonSets: one pod on each node that takes it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::affinity;
use super::drains;
use super::json::{Stored, is_going, number, text, uid};
use super::pod::{self, Maker, template_hash};
use super::replicas::by_owner;
use super::rollout::share;
use super::work::Work;
use crate::lab::k3s::Node;
use crate::lab::kubernetes::Key;

const HASH: &str = "controller-revision-hash";

/// Taints that every daemon tolerates.
const TOLERATED: [(&str, &str); 7] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ("node.kubernetes.io/network-unavailable", "NoSchedule"),
];

/// Brings every DaemonSet one step further.
pub(super) fn run(work: &mut Work<'_>) {
    let mut pods = by_owner(work.due_pods());
    for (key, set) in work.due("apps", "daemonsets") {
        let own = pods.remove(uid(&set)).unwrap_or_default();
        if !is_going(&set) {
            one(work, &key, &set, own);
        }
    }
}

fn one(work: &mut Work<'_>, key: &Key, set: &Json, own: Vec<Stored>) {
    let template = template(set);
    let hash = template_hash(&set["spec"]["template"]);
    let probe = json!({"spec": template["spec"]});
    let nodes: Vec<Node> = work.cluster().nodes.values().cloned().collect();
    let takes = |node: &&Node| affinity::takes(&probe, node, work.now_ms).is_ok();
    let wanted: Vec<String> = nodes.iter().filter(takes).map(|node| node.name.clone()).collect();
    let mut by_node: BTreeMap<String, Vec<&Stored>> = BTreeMap::new();
    for stored in &own {
        by_node.entry(target(&stored.1).to_owned()).or_default().push(stored);
    }
    let maker =
        Maker { object: set, api: "apps/v1", kind: "DaemonSet", by: "daemonset-controller" };
    for node in &wanted {
        let there = by_node.get(node).is_some_and(|pods| pods.iter().any(|(_, pod)| !ended(pod)));
        if !there && by_node.get(node).is_none_or(Vec::is_empty) {
            // Admission's objection is in the events.
            let _ = pod::create(work, &maker, &template, |pod| pin(pod, node, &hash));
        }
    }
    for (key, pod) in own.iter().filter(|(_, pod)| ended(pod)) {
        if !is_going(pod) {
            drains::evict(work, key);
        }
    }
    let strays = by_node.iter().filter(|(name, _)| {
        let node = nodes.iter().find(|node| node.name == **name);
        node.is_some_and(|node| affinity::expels(&probe, node, work.now_ms))
    });
    let strays: Vec<Key> =
        strays.flat_map(|(_, pods)| pods.iter().map(|(key, _)| key.clone())).collect();
    strays.iter().for_each(|key| drains::evict(work, key));
    renew(work, set, &own, &hash, wanted.len());
    let status = status(set, &own, &hash, &wanted);
    work.put_status(key, status);
}

fn ended(pod: &Json) -> bool {
    text(pod, "/status/phase") == "Failed"
}

/// The template with what every daemon tolerates.
fn template(set: &Json) -> Json {
    let mut template = set["spec"]["template"].clone();
    let known = template["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
    let more = TOLERATED
        .iter()
        .map(|(key, effect)| json!({"key": key, "operator": "Exists", "effect": effect}));
    template["spec"]["tolerations"] = known.into_iter().chain(more).collect();
    template
}

/// Ties a pod to its node, as the scheduler will read it.
fn pin(pod: &mut Json, node: &str, hash: &str) {
    let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = pod["spec"]["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"].take();
    let mut terms = match terms {
        Json::Array(terms) if !terms.is_empty() => terms,
        _ => vec![json!({})],
    };
    for term in &mut terms {
        term["matchFields"] = json!([field]);
    }
    pod["spec"]["affinity"]["nodeAffinity"][required] = json!({"nodeSelectorTerms": terms});
    super::json::insert(pod, "labels", HASH, hash);
}

/// The node that a daemon's pod is tied to.
fn target(pod: &Json) -> &str {
    let path = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0";
    text(pod, path)
}

/// Replaces pods of older templates, no more at a time than may be missing.
fn renew(work: &mut Work<'_>, set: &Json, own: &[Stored], hash: &str, wanted: usize) {
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let wanted = i64::try_from(wanted).unwrap_or_default();
    let most = match set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable") {
        Some(value) => share(Some(value), wanted, true).max(1),
        None => 1,
    };
    let ready = own.iter().filter(|(_, pod)| pod::is_ready(pod)).count();
    let mut may_go = most - (wanted - i64::try_from(ready).unwrap_or_default());
    for (key, pod) in own.iter().filter(|(_, pod)| !is_going(pod) && !is_new(pod, hash)) {
        if !pod::is_ready(pod) {
            drains::evict(work, key);
        } else if may_go > 0 {
            may_go -= 1;
            drains::evict(work, key);
        }
    }
}

fn is_new(pod: &Json, hash: &str) -> bool {
    pod["metadata"]["labels"][HASH] == hash
}

fn status(set: &Json, own: &[Stored], hash: &str, wanted: &[String]) -> Json {
    let on_wanted = |pod: &Json| wanted.iter().any(|node| node == target(pod));
    let active = || own.iter().map(|(_, pod)| pod).filter(|pod| pod::is_active(pod));
    let current = active().filter(|pod| on_wanted(pod)).count();
    let ready = active().filter(|pod| on_wanted(pod) && pod::is_ready(pod)).count();
    let updated = active().filter(|pod| on_wanted(pod) && is_new(pod, hash)).count();
    let mut status = json!({
        "currentNumberScheduled": current,
        "desiredNumberScheduled": wanted.len(),
        "numberMisscheduled": active().filter(|pod| !on_wanted(pod)).count(),
        "numberReady": ready,
        "observedGeneration": number(set, "/metadata/generation"),
    });
    let missing = wanted.len().saturating_sub(ready);
    for (name, value) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", ready),
        ("numberUnavailable", missing),
    ] {
        if value > 0 {
            status[name] = json!(value);
        }
    }
    status
}
