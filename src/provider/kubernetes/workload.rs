//! When what runs pods does so as it is meant to.

use serde_json::Value as Json;

use super::ready::condition;
use super::text::plain;

/// Every replica is of the current template and available.
///
/// # Errors
/// What is missing.
pub fn deployment(live: &Json) -> Result<(), String> {
    observed(live)?;
    let status = &live["status"];
    let wanted = live["spec"]["replicas"].as_u64().unwrap_or(1);
    let (all, updated) = (number(status, "replicas"), number(status, "updatedReplicas"));
    let available = number(status, "availableReplicas");
    let is_ready = updated == wanted
        && all == wanted
        && available == wanted
        && number(status, "unavailableReplicas") == 0;
    match is_ready {
        true => return Ok(()),
        false if updated < wanted => Err(format!("{updated} of {wanted} pods are up to date")),
        false if all > updated => Err(format!("{} old pods are still there", all - updated)),
        false => Err(format!("{available} of {wanted} pods are available")),
    }
    .map_err(|text| match failing(live) {
        Some(reason) => format!("{text}: {reason}"),
        None => text,
    })
}

/// Every node that a daemon is meant for has an available pod of the current template.
///
/// # Errors
/// What is missing.
pub fn daemon_set(live: &Json) -> Result<(), String> {
    observed(live)?;
    let status = &live["status"];
    let wanted = number(status, "desiredNumberScheduled");
    let updated = number(status, "updatedNumberScheduled");
    let available = number(status, "numberAvailable");
    let by_hand = live["spec"]["updateStrategy"]["type"] == "OnDelete";
    if updated < wanted && !by_hand {
        return Err(format!("{updated} of {wanted} pods are up to date"));
    }
    if available < wanted || number(status, "numberUnavailable") > 0 {
        return Err(format!("{available} of {wanted} pods are available"));
    }
    Ok(())
}

/// Every replica is available, and those that are not held back are of the current template.
///
/// # Errors
/// What is missing.
pub fn stateful_set(live: &Json) -> Result<(), String> {
    observed(live)?;
    let status = &live["status"];
    let wanted = live["spec"]["replicas"].as_u64().unwrap_or(1);
    let update = &live["spec"]["updateStrategy"];
    // Pods below the partition stay as they are.
    let first = update["rollingUpdate"]["partition"].as_u64().unwrap_or(0);
    let by_hand = update["type"] == "OnDelete";
    let is_over = status["updateRevision"] == status["currentRevision"];
    let updated = if is_over { wanted } else { number(status, "updatedReplicas") };
    let renewed = wanted.saturating_sub(first);
    if updated < renewed && !by_hand {
        return Err(format!("{updated} of {renewed} pods are up to date"));
    }
    let (all, available) = (number(status, "replicas"), number(status, "availableReplicas"));
    match all == wanted && available == wanted {
        true => Ok(()),
        false => Err(format!("{available} of {wanted} pods are available")),
    }
}

/// Its work is done. One that was put off is as it is meant to be.
///
/// # Errors
/// What is missing.
pub fn job(live: &Json) -> Result<(), String> {
    if live["spec"]["suspend"] == true || condition(live, "Complete").is_ok() {
        return Ok(());
    }
    let status = &live["status"];
    let wanted = live["spec"]["completions"].as_u64().unwrap_or(1);
    let done = format!("{} of {wanted} pods have done their work", number(status, "succeeded"));
    match said(live, "Failed") {
        Some(why) => Err(format!("{done}, and it has given up{why}")),
        None => Err(done),
    }
}

/// Its containers run, or have done their work.
///
/// # Errors
/// What is missing.
pub fn pod(live: &Json) -> Result<(), String> {
    match live["status"]["phase"].as_str() {
        Some("Succeeded") => Ok(()),
        Some("Running") => condition(live, "Ready")
            .map_err(|reason| format!("its containers are not all ready{reason}")),
        phase => Err(format!("it is {}", phase.unwrap_or("not yet scheduled"))),
    }
}

/// Whether the controller has seen the latest version of the object.
fn observed(live: &Json) -> Result<(), String> {
    let seen = number(&live["status"], "observedGeneration");
    match seen < number(&live["metadata"], "generation") || seen == 0 {
        true => Err("its controller has not seen the last change yet".into()),
        false => Ok(()),
    }
}

/// What a condition that is true says, after a colon. `None` where it is not.
fn said(live: &Json, name: &str) -> Option<String> {
    let mut conditions = live["status"]["conditions"].as_array()?.iter();
    let found = conditions.find(|one| one["type"] == name && one["status"] == "True")?;
    let message = found["message"].as_str().filter(|text| !text.is_empty());
    Some(message.map(|message| format!(": {}", plain(message))).unwrap_or_default())
}

/// What a Deployment says where it cannot go on: a quota, or no progress.
fn failing(live: &Json) -> Option<String> {
    let mut conditions = live["status"]["conditions"].as_array()?.iter();
    let failure = conditions.find(|one| {
        let failed = one["type"] == "ReplicaFailure" && one["status"] == "True";
        failed || (one["type"] == "Progressing" && one["status"] == "False")
    })?;
    failure["message"].as_str().map(plain)
}

fn number(tree: &Json, key: &str) -> u64 {
    tree[key].as_u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::kubernetes::ready::{Around, readiness};
    use crate::provider::kubernetes::testing::place;

    fn check(kind: &str, live: Json, expected: Result<(), &str>) {
        let outcome = readiness(&place(kind, "x"), &live, Around::default());
        assert_eq!(outcome, expected.map_err(str::to_owned), "{kind} {live}");
    }

    fn deployed(status: Json) -> Json {
        json!({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status})
    }

    #[test]
    fn a_deployment_is_ready_when_all_its_pods_are_new_and_available() {
        let status = |all: u64, updated: u64, available: u64| {
            deployed(json!({"observedGeneration": 2, "replicas": all, "updatedReplicas": updated,
                "availableReplicas": available}))
        };
        check("Deployment", status(2, 2, 2), Ok(()));
        check("Deployment", status(3, 2, 3), Err("1 old pods are still there"));
        check("Deployment", status(2, 1, 2), Err("1 of 2 pods are up to date"));
        check("Deployment", status(2, 2, 0), Err("0 of 2 pods are available"));
        let seen = "its controller has not seen the last change yet";
        check("Deployment", deployed(json!({"observedGeneration": 1})), Err(seen));
        check("Deployment", json!({}), Err(seen));
        check(
            "Deployment",
            deployed(json!({"observedGeneration": 2, "conditions": [
                {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]})),
            Err("0 of 2 pods are up to date: exceeded quota"),
        );
        check(
            "Deployment",
            json!({"metadata": {"generation": 1}, "spec": {"replicas": 0},
                "status": {"observedGeneration": 1}}),
            Ok(()),
        );
    }

    #[test]
    fn a_daemon_set_may_have_no_node_to_run_on() {
        let status = |wanted: u64, updated: u64, available: u64| {
            json!({"metadata": {"generation": 1}, "status": {"observedGeneration": 1,
                "desiredNumberScheduled": wanted, "updatedNumberScheduled": updated,
                "numberAvailable": available}})
        };
        check("DaemonSet", status(0, 0, 0), Ok(()));
        check("DaemonSet", status(3, 3, 3), Ok(()));
        check("DaemonSet", status(3, 2, 3), Err("2 of 3 pods are up to date"));
        check("DaemonSet", status(3, 3, 2), Err("2 of 3 pods are available"));
    }

    #[test]
    fn a_stateful_set_is_ready_when_all_pods_but_those_held_back_are_new() {
        let set = |partition: u64, status: Json| {
            json!({"metadata": {"generation": 1}, "spec": {"replicas": 3,
                "updateStrategy": {"rollingUpdate": {"partition": partition}}}, "status": status})
        };
        let status = |all: u64, updated: u64, available: u64| {
            json!({"observedGeneration": 1, "replicas": all, "updatedReplicas": updated,
                "availableReplicas": available, "currentRevision": "a", "updateRevision": "b"})
        };
        check("StatefulSet", set(0, status(3, 3, 3)), Ok(()));
        check("StatefulSet", set(2, status(3, 1, 3)), Ok(()));
        check("StatefulSet", set(0, status(3, 1, 3)), Err("1 of 3 pods are up to date"));
        check("StatefulSet", set(0, status(3, 3, 2)), Err("2 of 3 pods are available"));
        // Once all are new, the API counts them as current and no longer as updated.
        let mut over = status(3, 0, 3);
        over["currentRevision"] = json!("b");
        check("StatefulSet", set(0, over), Ok(()));
        let seen = "its controller has not seen the last change yet";
        check("StatefulSet", set(0, json!({})), Err(seen));
    }

    #[test]
    fn a_job_is_ready_when_its_work_is_done_and_says_when_it_gave_up() {
        let condition = |name: &str| json!({"type": name, "status": "True", "message": "Job has reached the backoff limit"});
        let job = |name: &str| {
            json!({"spec": {"completions": 2},
                "status": {"succeeded": 1, "conditions": [condition(name)]}})
        };
        check("Job", job("Complete"), Ok(()));
        check("Job", json!({"spec": {"suspend": true}}), Ok(()));
        check("Job", json!({}), Err("0 of 1 pods have done their work"));
        let failed = "1 of 2 pods have done their work, and it has given up: \
                      Job has reached the backoff limit";
        check("Job", job("Failed"), Err(failed));
    }

    #[test]
    fn a_pod_is_ready_when_it_runs_or_has_run() {
        let pod = |phase: &str, ready: &str| json!({"status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}});
        check("Pod", pod("Running", "True"), Ok(()));
        check("Pod", pod("Succeeded", "False"), Ok(()));
        check("Pod", pod("Running", "False"), Err("its containers are not all ready"));
        check("Pod", pod("Failed", "False"), Err("it is Failed"));
        check("Pod", json!({}), Err("it is not yet scheduled"));
    }
}
