//! DaemonSets of which something is missing on dead machines only.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Resource;
use kube::api::ListParams;
use serde_json::Value as Json;

use super::client::Client;
use super::failure::Failure;
use super::list::{PAGE, list, page};
use super::place::Place;
use super::pods::{is_ready, name, selector};
use super::ready::is_up;

/// Counts the DaemonSet's generations, in its annotations and in its pods' labels.
const GENERATION: &str = "deprecated.daemonset.template.generation";
const GENERATION_OF_POD: &str = "pod-template-generation";

/// Whether a DaemonSet that is not ready lacks pods only on nodes that are not ready either: what
/// comes after it does not wait for a machine that is dead, which is told as what it is, a node
/// that is not ready. False for other kinds, and where it has no pod that runs.
///
/// # Errors
/// The API does not answer.
pub async fn lacks_only_dead_nodes(
    client: &Client,
    place: &Place,
    live: &Json,
) -> Result<bool, Failure> {
    let current = live["status"]["observedGeneration"] == live["metadata"]["generation"];
    let (Some(namespace), Some(selector)) = (&place.namespace, selector(live)) else {
        return Ok(false);
    };
    if !place.is("apps", "DaemonSet")
        || !current
        || !live["metadata"]["deletionTimestamp"].is_null()
    {
        return Ok(false);
    }
    let dead = dead_nodes(client).await?;
    if dead.is_empty() {
        return Ok(false);
    }
    let params = ListParams::default().labels(&selector).limit(PAGE);
    let pods = page::<Pod>(client, Some(namespace), &params).await?;
    Ok(does_without(live, &pods, &dead))
}

async fn dead_nodes(client: &Client) -> Result<BTreeSet<String>, Failure> {
    // The list may begin anew, and then tells of a node again.
    let mut nodes = BTreeMap::new();
    let mut take = |node: Json| {
        nodes.insert(name(&node).to_owned(), is_up(&node));
    };
    list(client, &Node::url_path(&(), None), &|_, _| true, &mut take).await?;
    Ok(nodes.into_iter().filter(|(_, up)| !up).map(|(name, _)| name).collect())
}

/// Whether each wanted pod is there: it runs as the template says, or is on a dead node.
fn does_without(live: &Json, pods: &[Json], dead: &BTreeSet<String>) -> bool {
    let (mut running, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for pod in pods {
        match node_of(pod) {
            Some(node) if dead.contains(node) => lost.insert(node),
            Some(node) if is_ready(pod) && is_current(live, pod) => running.insert(node),
            _ => false,
        };
    }
    let wanted = live["status"]["desiredNumberScheduled"].as_u64().unwrap_or_default();
    !running.is_empty() && (running.len() + lost.len()) as u64 >= wanted
}

/// Where a pod is. One that no scheduler placed yet is tied to its node by the controller.
fn node_of(pod: &Json) -> Option<&str> {
    let tied = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution\
                /nodeSelectorTerms/0/matchFields/0/values/0";
    pod["spec"]["nodeName"].as_str().or_else(|| pod.pointer(tied)?.as_str())
}

/// Where either tells no generation, the number of pods that are up to date has to do.
fn is_current(live: &Json, pod: &Json) -> bool {
    let wanted = live["metadata"]["annotations"][GENERATION].as_str();
    match wanted.zip(pod["metadata"]["labels"][GENERATION_OF_POD].as_str()) {
        Some((wanted, own)) => wanted == own,
        None => {
            let status = &live["status"];
            status["updatedNumberScheduled"] == status["desiredNumberScheduled"]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(node: &str, generation: &str, ready: &str) -> Json {
        json!({"metadata": {"labels": {GENERATION_OF_POD: generation}}, "spec": {"nodeName": node},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}})
    }

    fn check(pods: &[Json], expected: bool) {
        let live = json!({"metadata": {"annotations": {GENERATION: "2"}},
            "status": {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3}});
        let dead = ["agent-2".to_owned()].into();
        assert_eq!(does_without(&live, pods, &dead), expected, "{pods:?}");
    }

    #[test]
    fn what_runs_has_to_run_wherever_something_can() {
        let (one, three) = (pod("agent-1", "2", "True"), pod("agent-3", "2", "True"));
        let dead = pod("agent-2", "1", "False");
        check(&[one.clone(), dead.clone(), three.clone()], true);
        check(&[one.clone(), dead.clone(), pod("agent-3", "2", "False")], false);
        check(&[one.clone(), dead.clone(), pod("agent-3", "1", "True")], false);
        check(&[one.clone(), dead.clone()], false);
        check(&[one.clone(), dead.clone(), dead.clone()], false);
        check(&[dead], false);
        let mut waiting = pod("", "2", "False");
        waiting["spec"] = json!({"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchFields": [{"values": ["agent-2"]}]}]}}}});
        check(&[one, waiting, three], true);
    }
}
