//! Pods that go: by eviction, and as `kubectl drain` sees them.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::json::{is_going, list, number, selects, text};
use super::pod;
use super::work::Work;
use crate::lab::k3s::{Cluster, Node};
use crate::lab::kubernetes::Key;

/// A pod as a drain sees it.
#[derive(Clone, Debug)]
pub(in crate::lab) struct PodView {
    pub key: Key,
    pub object: Arc<Json>,
    /// It is a DaemonSet's.
    pub is_daemon: bool,
    /// It has an `emptyDir`, which a drain must be allowed to lose.
    pub has_local_data: bool,
}

impl PodView {
    /// `kube-system/svclb-traefik-1a2b3c`.
    pub(in crate::lab) fn title(&self) -> String {
        format!("{}/{}", self.key.namespace, self.key.name)
    }
}

/// Pods on a node that have not ended, by namespace and name.
pub(in crate::lab) fn pods_on(cluster: &Cluster, node: &str) -> Vec<PodView> {
    let here = cluster.store.list("", "pods").filter(|(_, pod)| {
        let ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        pod::node(pod) == node && !ended
    });
    here.map(|(key, pod)| view(key, pod)).collect()
}

/// Writes what each budget allows now: evictions over the API go by it.
pub(super) fn budgets(work: &mut Work<'_>) {
    for (key, budget) in work.due("policy", "poddisruptionbudgets") {
        let (allowed, ready, all) = allowed(work.cluster(), &key.namespace, &budget);
        let status = json!({
            "observedGeneration": number(&budget, "/metadata/generation"),
            "disruptionsAllowed": allowed.max(0), "currentHealthy": ready, "expectedPods": all,
            "desiredHealthy": ready - allowed,
        });
        work.put_status(&key, status);
    }
}

/// How many pods on a node a drain would move away.
pub(in crate::lab) fn movable(cluster: &Cluster, node: &str) -> usize {
    pods_on(cluster, node).iter().filter(|pod| !pod.is_daemon).count()
}

/// Whether a disruption budget allows no eviction of a pod.
pub(in crate::lab) fn blocked(cluster: &Cluster, pod: &PodView) -> bool {
    let labels = &pod.object["metadata"]["labels"];
    let budgets = cluster.store.list_in("policy", "poddisruptionbudgets", &pod.key.namespace);
    let mine = budgets.filter(|(_, budget)| selects(&budget["spec"]["selector"], labels));
    mine.into_iter().any(|(_, budget)| allowed(cluster, &pod.key.namespace, budget).0 <= 0)
}

/// How many pods of a budget may go now, how many are ready, and how many there are.
fn allowed(cluster: &Cluster, namespace: &str, budget: &Json) -> (i64, i64, i64) {
    let pods = cluster.store.list_in("", "pods", namespace).filter(|(_, pod)| {
        let labels = &pod["metadata"]["labels"];
        selects(&budget["spec"]["selector"], labels) && pod::is_active(pod)
    });
    let pods: Vec<bool> = pods.map(|(_, pod)| pod::is_ready(pod)).collect();
    let all = i64::try_from(pods.len()).unwrap_or_default();
    let ready = i64::try_from(pods.iter().filter(|ready| **ready).count()).unwrap_or_default();
    let share = |value: &Json, up| super::rollout::share(Some(value), all, up);
    let may_go = match (budget["spec"].get("minAvailable"), budget["spec"].get("maxUnavailable")) {
        (Some(least), _) => ready - share(least, true),
        (None, Some(most)) => ready - (all - share(most, true)),
        (None, None) => 1,
    };
    (may_go, ready, all)
}

fn view(key: &Key, pod: &Arc<Json>) -> PodView {
    let owners = list(pod, "/metadata/ownerReferences");
    let has_local_data =
        list(pod, "/spec/volumes").iter().any(|volume| volume.get("emptyDir").is_some());
    PodView {
        key: key.clone(),
        object: Arc::clone(pod),
        is_daemon: owners.iter().any(|owner| owner["kind"] == "DaemonSet"),
        has_local_data,
    }
}

/// Ends a pod. One whose kubelet does not answer stays until it does, or until its Node is gone.
pub(super) fn evict(work: &mut Work<'_>, key: &Key) {
    let Some(pod) = work.get(key) else { return };
    let node = work.cluster().nodes.get(pod::node(&pod));
    let answers = node.is_none_or(Node::is_heard);
    if answers && list(&pod, "/metadata/finalizers").is_empty() {
        return work.gone(key);
    }
    if !is_going(&pod) {
        let mut pod = (*pod).clone();
        pod["metadata"]["deletionTimestamp"] = json!(work.now());
        let grace = number(&pod, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        work.put(key, pod);
    }
}
