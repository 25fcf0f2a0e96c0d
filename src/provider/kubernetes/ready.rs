//! Whether an object does what it is for, and if not, why.

use serde_json::Value as Json;

use super::place::Place;
use super::text::plain;
use super::workload;

/// The taint that a node has until the cloud provider has seen it.
const UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";

/// What is told of an object besides itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around {
    /// A claim's storage class makes no volume before a pod needs it.
    pub waits_for_consumer: bool,
}

/// Whether an object is ready. Kinds without a notion of it are when they exist.
///
/// # Errors
/// What is missing, in words for people.
pub fn readiness(place: &Place, live: &Json, around: Around) -> Result<(), String> {
    if live["metadata"]["deletionTimestamp"].is_string() {
        return Err(deletion(live));
    }
    match (place.group(), place.kind.as_str()) {
        ("apps", "Deployment") => workload::deployment(live),
        ("apps", "DaemonSet") => workload::daemon_set(live),
        ("apps", "StatefulSet") => workload::stateful_set(live),
        ("batch", "Job") => workload::job(live),
        ("", "Pod") => workload::pod(live),
        ("apiregistration.k8s.io", "APIService") => condition(live, "Available")
            .map_err(|reason| format!("what serves it is not available{reason}")),
        ("", "PersistentVolumeClaim") => claim(live, around),
        ("", "Namespace") => match live["status"]["phase"].as_str() {
            Some("Active") => Ok(()),
            phase => Err(format!("it is {}", phase.unwrap_or("not yet active"))),
        },
        ("", "Node") => node(live),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => condition(live, "Established")
            .map_err(|reason| format!("it is not established{reason}")),
        _ => Ok(()),
    }
}

/// What keeps an object that is to go.
fn deletion(live: &Json) -> String {
    let lists = [&live["metadata"]["finalizers"], &live["spec"]["finalizers"]];
    let names = lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten());
    let names: Vec<&str> = names.filter_map(Json::as_str).collect();
    let mut text = match names.is_empty() {
        true => "it is being deleted".to_owned(),
        false => format!("it is being deleted: finalizers {}", names.join(", ")),
    };
    // A Namespace says what is still in it.
    let conditions = live["status"]["conditions"].as_array().into_iter().flatten();
    let telling = conditions.filter(|one| {
        let kind = one["type"].as_str().unwrap_or_default();
        one["status"] == "True" && kind.starts_with("Namespace")
    });
    for one in telling {
        text = format!("{text}; {}", plain(one["message"].as_str().unwrap_or_default()));
    }
    text
}

fn claim(live: &Json, around: Around) -> Result<(), String> {
    match live["status"]["phase"].as_str() {
        Some("Bound") => Ok(()),
        Some("Lost") => Err("the volume it was bound to is gone".into()),
        _ if around.waits_for_consumer => Ok(()),
        _ => Err("it is not bound to a volume".into()),
    }
}

fn node(live: &Json) -> Result<(), String> {
    condition(live, "Ready").map_err(|reason| format!("the node is not ready{reason}"))?;
    let mut taints = live["spec"]["taints"].as_array().into_iter().flatten();
    match taints.any(|taint| taint["key"] == UNINITIALIZED) {
        true => Err("the cloud provider has not initialised it yet".into()),
        false => Ok(()),
    }
}

/// Whether a node says that it works.
pub fn is_up(node: &Json) -> bool {
    condition(node, "Ready").is_ok()
}

/// Whether a condition is true.
///
/// # Errors
/// What it says where it is not, after a colon; empty where it says nothing.
pub(super) fn condition(live: &Json, name: &str) -> Result<(), String> {
    let mut conditions = live["status"]["conditions"].as_array().into_iter().flatten();
    match conditions.find(|condition| condition["type"] == name) {
        Some(condition) if condition["status"] == "True" => Ok(()),
        Some(condition) => match condition["message"].as_str().filter(|text| !text.is_empty()) {
            Some(message) => Err(format!(": {}", plain(message))),
            None => Err(String::new()),
        },
        None => Err(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::kubernetes::testing::place;

    fn check(kind: &str, live: Json, expected: Result<(), &str>) {
        let outcome = readiness(&place(kind, "x"), &live, Around::default());
        assert_eq!(outcome, expected.map_err(str::to_owned), "{kind} {live}");
    }

    #[test]
    fn claims_nodes_namespaces_and_definitions_say_what_they_wait_for() {
        let phase = |phase: &str| json!({"status": {"phase": phase}});
        check("PersistentVolumeClaim", phase("Bound"), Ok(()));
        check("PersistentVolumeClaim", phase("Pending"), Err("it is not bound to a volume"));
        let consumer = Around { waits_for_consumer: true };
        let claim = place("PersistentVolumeClaim", "x");
        assert_eq!(readiness(&claim, &phase("Pending"), consumer), Ok(()));
        assert!(readiness(&claim, &phase("Lost"), consumer).is_err());
        check("Namespace", phase("Active"), Ok(()));
        let ready = |status: &str, taints: Json| {
            json!({"spec": {"taints": taints}, "status": {"conditions": [
                {"type": "Ready", "status": status, "message": "kubelet says"}]}})
        };
        check("Node", ready("True", json!([])), Ok(()));
        check("Node", ready("False", json!([])), Err("the node is not ready: kubelet says"));
        check(
            "Node",
            ready("True", json!([{"key": UNINITIALIZED, "effect": "NoSchedule"}])),
            Err("the cloud provider has not initialised it yet"),
        );
        check("CustomResourceDefinition", json!({}), Err("it is not established"));
        check("ConfigMap", json!({}), Ok(()));
    }

    #[test]
    fn what_is_being_deleted_is_never_ready() {
        check(
            "ConfigMap",
            json!({"metadata": {"deletionTimestamp": "t", "finalizers": ["a/b"]}}),
            Err("it is being deleted: finalizers a/b"),
        );
        check(
            "Namespace",
            json!({
                "metadata": {"deletionTimestamp": "t"}, "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Terminating", "conditions": [
                    {"type": "NamespaceContentRemaining", "status": "True",
                        "message": "Some resources are remaining: pods. has 1 resource instances"},
                    {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "ok"}]},
            }),
            Err("it is being deleted: finalizers kubernetes; \
                 Some resources are remaining: pods. has 1 resource instances"),
        );
    }
}
