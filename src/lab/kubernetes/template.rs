//! Where kinds keep their pod template.

use serde_json::Value as Json;

/// The pointer to the pod's spec, and the path as messages print it; `None` for kinds without pods.
pub(super) fn place(group: &str, kind: &str) -> Option<(&'static str, &'static str)> {
    match (group, kind) {
        ("", "Pod") => Some(("/spec", "spec")),
        ("apps", "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet") | ("batch", "Job") => {
            Some(("/spec/template/spec", "spec.template.spec"))
        }
        ("batch", "CronJob") => {
            Some(("/spec/jobTemplate/spec/template/spec", "spec.jobTemplate.spec.template.spec"))
        }
        _ => None,
    }
}

/// The lists of containers of a pod's spec.
pub(super) const CONTAINERS: [&str; 2] = ["initContainers", "containers"];

/// The items of a list, or none.
pub(super) fn items(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}
