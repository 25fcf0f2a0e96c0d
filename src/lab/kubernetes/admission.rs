//! What new objects must meet beyond themselves: namespaces, priority classes, limits.

use serde_json::{Value as Json, json};

use super::call::Call;
use super::key::Key;
use super::quota;
use super::refusal::Refusal;
use super::selector;
use super::store::Store;
use super::syntax::quantity;
use super::template::{CONTAINERS, items};

/// Whether a new object's namespace takes it.
///
/// # Errors
/// 404 where there is none, 403 while it is being deleted.
pub(super) fn namespace(call: &Call<'_>, key: &Key) -> Result<(), Refusal> {
    if !call.resource.namespaced {
        return Ok(());
    }
    let place = Key::new("", "namespaces", "", &key.namespace);
    let Some(found) = call.cluster.store.get(&place) else {
        return Err(Refusal::not_found(&place));
    };
    if found["metadata"].get("deletionTimestamp").is_none() {
        return Ok(());
    }
    let why = format!(
        "unable to create new content in namespace {} because it is being terminated",
        key.namespace
    );
    let mut refusal = Refusal::forbidden(key, &why);
    refusal.details["causes"] = json!([{
        "reason": "NamespaceTerminating",
        "message": format!("namespace {} is being terminated", key.namespace),
        "field": "metadata.namespace",
    }]);
    Err(refusal)
}

/// Changes a new object as admission does, and says what is against it.
///
/// # Errors
/// 403 with the server's words.
pub(super) fn admit(call: &Call<'_>, key: &Key, object: &mut Json) -> Result<(), Refusal> {
    match (key.group.as_str(), key.plural.as_str()) {
        ("", "pods") => {
            priority(call, key, object)?;
            let limited = limits(&call.cluster.store, &key.namespace, object);
            limited.map_err(|why| Refusal::forbidden(key, &why))?;
            pod(object);
        }
        ("", "persistentvolumeclaims") => {
            claim_limits(call, key, object)?;
            add_finalizer(object, "kubernetes.io/pvc-protection");
        }
        ("", "persistentvolumes") => add_finalizer(object, "kubernetes.io/pv-protection"),
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            add_finalizer(object, "customresourcecleanup.apiextensions.k8s.io");
        }
        _ => {}
    }
    if !call.resource.namespaced {
        return Ok(());
    }
    let room = quota::room(&call.cluster.store, key, object);
    room.map_err(|why| Refusal::forbidden(key, &why))
}

fn add_finalizer(object: &mut Json, name: &str) {
    let meta = &mut object["metadata"];
    if !meta["finalizers"].is_array() {
        meta["finalizers"] = json!([]);
    }
    if let Some(list) = meta["finalizers"].as_array_mut()
        && !list.iter().any(|one| one == name)
    {
        list.push(json!(name));
    }
}

fn priority(call: &Call<'_>, key: &Key, object: &mut Json) -> Result<(), Refusal> {
    let Some(name) = object["spec"]["priorityClassName"].as_str().filter(|name| !name.is_empty())
    else {
        object["spec"]["priority"] = json!(0);
        object["spec"]["preemptionPolicy"] = json!("PreemptLowerPriority");
        return Ok(());
    };
    let class = Key::new("scheduling.k8s.io", "priorityclasses", "", name);
    let own = match name {
        "system-node-critical" => Some(json!(2_000_001_000)),
        "system-cluster-critical" => Some(json!(2_000_000_000)),
        _ => None,
    };
    let found = call.cluster.store.get(&class);
    let value = found.map(|class| class["value"].clone()).or(own).ok_or_else(|| {
        Refusal::forbidden(key, &format!("no PriorityClass with name {name} was found"))
    })?;
    let policy = found.map(|class| class["preemptionPolicy"].clone());
    object["spec"]["priority"] = value;
    object["spec"]["preemptionPolicy"] =
        policy.filter(Json::is_string).unwrap_or_else(|| json!("PreemptLowerPriority"));
    Ok(())
}

/// Tolerations and the service account that every pod gets.
fn pod(object: &mut Json) {
    let spec = &mut object["spec"];
    if spec["serviceAccountName"].is_null() {
        spec["serviceAccountName"] = json!("default");
        spec["serviceAccount"] = json!("default");
    }
    let mut tolerations = spec["tolerations"].as_array().cloned().unwrap_or_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covers = |one: &Json| {
            (one["key"] == key || one["key"].is_null())
                && (one["effect"] == "NoExecute" || one["effect"].is_null())
        };
        if !tolerations.iter().any(covers) {
            tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300}));
        }
    }
    spec["tolerations"] = Json::Array(tolerations);
}

/// LimitRanges of a pod's namespace: defaults are written, minima and maxima checked.
///
/// # Errors
/// The server's words.
pub(super) fn limits(store: &Store, namespace: &str, object: &mut Json) -> Result<(), String> {
    let ranges = store.list_in("", "limitranges", namespace);
    let mut wrong = Vec::new();
    for (_, range) in ranges {
        for limit in items(&range["spec"]["limits"]).filter(|limit| limit["type"] == "Container") {
            for list in CONTAINERS {
                let containers = object["spec"][list].as_array_mut();
                for container in containers.into_iter().flatten() {
                    fill(container, limit);
                    wrong.extend(bounds(&container["resources"], limit, "Container"));
                }
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(listed(&wrong)) }
}

fn listed(texts: &[String]) -> String {
    if let [one] = texts { one.clone() } else { format!("[{}]", texts.join(", ")) }
}

fn fill(container: &mut Json, limit: &Json) {
    for (part, source) in [("limits", "default"), ("requests", "defaultRequest")] {
        for (name, value) in limit[source].as_object().into_iter().flatten() {
            let own = &mut container["resources"][part];
            if own[name].is_null() {
                own[name] = value.clone();
            }
        }
    }
    let limits = container["resources"]["limits"].as_object().cloned().unwrap_or_default();
    for (name, value) in limits {
        let own = &mut container["resources"]["requests"];
        if own[&name].is_null() {
            own[&name] = value;
        }
    }
}

fn bounds(resources: &Json, limit: &Json, kind: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, most) in limit["max"].as_object().into_iter().flatten() {
        let found = &resources["limits"][name];
        match (quantity(found), quantity(most)) {
            (None, _) => wrong.push(format!(
                "maximum {name} usage per {kind} is {}.  No limit is specified",
                text(most)
            )),
            (Some(own), Some(bound)) if own > bound => wrong.push(format!(
                "maximum {name} usage per {kind} is {}, but limit is {}",
                text(most),
                text(found)
            )),
            _ => {}
        }
    }
    for (name, least) in limit["min"].as_object().into_iter().flatten() {
        let found = &resources["requests"][name];
        match (quantity(found), quantity(least)) {
            (None, _) => wrong.push(format!(
                "minimum {name} usage per {kind} is {}.  No request is specified",
                text(least)
            )),
            (Some(own), Some(bound)) if own < bound => wrong.push(format!(
                "minimum {name} usage per {kind} is {}, but request is {}",
                text(least),
                text(found)
            )),
            _ => {}
        }
    }
    wrong
}

fn claim_limits(call: &Call<'_>, key: &Key, object: &Json) -> Result<(), Refusal> {
    let ranges = call.cluster.store.list_in("", "limitranges", &key.namespace);
    let request = &object["spec"]["resources"]["requests"];
    let resources = json!({"limits": request, "requests": request});
    let wrong: Vec<String> = ranges
        .flat_map(|(_, range)| items(&range["spec"]["limits"]))
        .filter(|limit| limit["type"] == "PersistentVolumeClaim")
        .flat_map(|limit| bounds(&resources, limit, "PersistentVolumeClaim"))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::forbidden(key, &listed(&wrong))) }
}

/// Whether a disruption budget keeps a pod from being evicted.
///
/// # Errors
/// 429 where it does.
pub(super) fn disruption(call: &Call<'_>, key: &Key, pod: &Json) -> Result<(), Refusal> {
    let labels = selector::labels(pod);
    let budgets = call.cluster.store.list_in("policy", "poddisruptionbudgets", &key.namespace);
    for (name, budget) in budgets {
        let covers = selector::matches(&budget["spec"]["selector"], &labels);
        if covers && budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0) <= 0 {
            let message =
                "Cannot evict pod as it would violate the pod's disruption budget.".to_owned();
            let mut refusal = Refusal::new(429, "TooManyRequests", message);
            let text = format!("The disruption budget {} needs more healthy pods", name.name);
            refusal.details = json!({"causes": [{"reason": "DisruptionBudget", "message": text}]});
            return Err(refusal);
        }
    }
    Ok(())
}
