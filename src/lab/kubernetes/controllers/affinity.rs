//! Whether a node takes a pod by names, labels and taints.

use serde_json::{Value as Json, json};

use super::json::{list, meets, text};
use crate::lab::k3s::{Node, Taint};

/// Whether taints and selectors let a pod onto a node, cordoned or not.
///
/// # Errors
/// The scheduler's words.
pub(super) fn takes(pod: &Json, node: &Node, now_ms: u64) -> Result<(), String> {
    let refuses = |taint: &&Taint| taint.effect != "PreferNoSchedule" && !tolerates(pod, taint);
    if let Some(taint) = node.all_taints(now_ms).iter().find(refuses) {
        return Err(format!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value));
    }
    if !selected(pod, node) {
        return Err("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    Ok(())
}

/// Whether a node throws out a pod of that shape that runs on it.
pub(super) fn expels(pod: &Json, node: &Node, now_ms: u64) -> bool {
    let expels = |taint: &Taint| taint.effect == "NoExecute" && !tolerates(pod, taint);
    node.all_taints(now_ms).iter().any(expels) || !selected(pod, node)
}

/// Whether one of a pod's tolerations covers a taint.
pub(super) fn tolerates(pod: &Json, taint: &Taint) -> bool {
    list(pod, "/spec/tolerations").iter().any(|toleration| {
        let effect = text(toleration, "/effect");
        let key = text(toleration, "/key");
        let value = match text(toleration, "/operator") {
            "Exists" => true,
            _ => text(toleration, "/value") == taint.value,
        };
        let any = key.is_empty() && text(toleration, "/operator") == "Exists";
        (effect.is_empty() || effect == taint.effect) && (any || key == taint.key) && value
    })
}

/// Whether `nodeSelector` and required node affinity meet a node.
fn selected(pod: &Json, node: &Node) -> bool {
    let labels = json!(node.labels);
    let selector = pod["spec"]["nodeSelector"].as_object().into_iter().flatten();
    let exact = selector.into_iter().all(|(key, value)| labels.get(key) == Some(value));
    let required =
        &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    exact && (required.is_null() || in_terms(required, &labels, &node.name))
}

/// Whether one of a node selector's terms meets a node.
pub(super) fn in_terms(selector: &Json, labels: &Json, name: &str) -> bool {
    let fields = json!({"metadata.name": name});
    list(selector, "/nodeSelectorTerms").iter().any(|term| {
        let labels_meet = list(term, "/matchExpressions").iter().all(|one| meets(one, labels));
        labels_meet && list(term, "/matchFields").iter().all(|one| meets(one, &fields))
    })
}
