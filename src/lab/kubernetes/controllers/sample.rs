//! Two small programs of somebody else on the agents, so that a drain has something to move.

use serde_json::{Value as Json, json};

use super::json::number;
use super::work::Work;
use crate::lab::kubernetes::Key;

const SPACE: &str = "lab";

/// Deploys both as soon as there is an agent, with as many pods as there ever were agents at once.
pub(super) fn deploy(work: &mut Work<'_>) {
    let agents = work.cluster().nodes.values().filter(|node| !node.server).count();
    let agents = i64::try_from(agents).unwrap_or_default();
    if agents == 0 {
        return;
    }
    let space = Key::new("", "namespaces", "", SPACE);
    work.ensure(&space, || {
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"labels": {"kubernetes.io/metadata.name": SPACE}},
        })
    });
    for (name, local_data) in [("web", false), ("cache", true)] {
        let key = Key::new("apps", "deployments", SPACE, name);
        match work.get(&key) {
            None => {
                work.create(&key, workload(name, local_data, agents));
            }
            Some(known) if number(&known, "/spec/replicas") < Some(agents) => {
                let mut larger = (*known).clone();
                larger["spec"]["replicas"] = json!(agents);
                work.put(&key, larger);
            }
            Some(_) => {}
        }
    }
}

fn workload(name: &str, local_data: bool, replicas: i64) -> Json {
    let labels = json!({"app": name});
    let volumes = if local_data { json!([{"name": "tmp", "emptyDir": {}}]) } else { json!([]) };
    let agents =
        json!({"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": labels},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "containers": [{"name": "main", "image": "lab/model:1"}], "volumes": volumes,
                "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [agents]}],
                }}},
                // It stood before the cloud provider came.
                "tolerations": [{
                    "key": "node.cloudprovider.kubernetes.io/uninitialized", "operator": "Exists",
                }],
            }},
        },
    })
}
