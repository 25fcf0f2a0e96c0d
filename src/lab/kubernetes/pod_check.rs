//! What the server finds wrong with a pod's spec.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::refusal::Problem;
use super::syntax::{self, Naming, quantity};
use super::template::{CONTAINERS, items};

/// Problems of a spec with its defaults; `always` where its kind restarts pods for ever.
pub(super) fn problems(spec: &Json, path: &str, always: bool, found: &mut Vec<Problem>) {
    let volumes = volumes(spec, path, found);
    let mut names = BTreeSet::new();
    for list in CONTAINERS {
        for (index, container) in items(&spec[list]).enumerate() {
            let at = format!("{path}.{list}[{index}]");
            let name = container["name"].as_str().unwrap_or_default();
            if !name.is_empty() {
                found.extend(syntax::name(&format!("{at}.name"), name, Naming::Label));
            }
            if !names.insert(name.to_owned()) {
                found.push(Problem::duplicate(format!("{at}.name"), &container["name"]));
            }
            self::container(container, &at, &volumes, found);
        }
    }
    let policies = if always { &["Always"][..] } else { &["Always", "Never", "OnFailure"][..] };
    if !policies.iter().any(|one| spec["restartPolicy"] == *one) {
        let field = format!("{path}.restartPolicy");
        found.push(Problem::unsupported(field, &spec["restartPolicy"], policies));
    }
    found.extend(syntax::labels(&format!("{path}.nodeSelector"), &spec["nodeSelector"]));
    tolerations(spec, path, found);
}

fn volumes(spec: &Json, path: &str, found: &mut Vec<Problem>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (index, volume) in items(&spec["volumes"]).enumerate() {
        let name = volume["name"].as_str().unwrap_or_default();
        let field = format!("{path}.volumes[{index}].name");
        if !name.is_empty() {
            found.extend(syntax::name(&field, name, Naming::Label));
        }
        if !names.insert(name.to_owned()) {
            found.push(Problem::duplicate(field, &volume["name"]));
        }
        let sources = volume.as_object().map_or(0, |map| map.len().saturating_sub(1));
        if sources > 1 {
            let why = "may not specify more than 1 volume type";
            found.push(Problem::forbidden(format!("{path}.volumes[{index}]"), why));
        }
    }
    names
}

fn container(container: &Json, at: &str, volumes: &BTreeSet<String>, found: &mut Vec<Problem>) {
    if container["image"].as_str().unwrap_or_default().is_empty() {
        found.push(Problem::required(format!("{at}.image")));
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    if !policies.iter().any(|one| container["imagePullPolicy"] == *one) {
        let field = format!("{at}.imagePullPolicy");
        found.push(Problem::unsupported(field, &container["imagePullPolicy"], &policies));
    }
    let mut paths = BTreeSet::new();
    for (index, mount) in items(&container["volumeMounts"]).enumerate() {
        let name = mount["name"].as_str().unwrap_or_default();
        if !volumes.contains(name) {
            found.push(Problem::not_found(
                format!("{at}.volumeMounts[{index}].name"),
                &mount["name"],
            ));
        }
        if !paths.insert(mount["mountPath"].as_str().unwrap_or_default()) {
            let why = "must be unique";
            let field = format!("{at}.volumeMounts[{index}].mountPath");
            found.push(Problem::invalid(field, &mount["mountPath"], why));
        }
    }
    for (index, port) in items(&container["ports"]).enumerate() {
        let field = format!("{at}.ports[{index}].containerPort");
        found.extend(self::port(&field, &port["containerPort"]));
    }
    for (index, env) in items(&container["env"]).enumerate() {
        let value = env["value"].as_str().is_some_and(|value| !value.is_empty());
        if value && env.get("valueFrom").is_some() {
            let why = "may not be specified when `value` is not empty";
            let field = format!("{at}.env[{index}].valueFrom");
            found.push(Problem::invalid(field, &json!(""), why));
        }
    }
    resources(&container["resources"], &format!("{at}.resources"), found);
}

fn resources(resources: &Json, at: &str, found: &mut Vec<Problem>) {
    for part in ["limits", "requests"] {
        for (name, value) in resources[part].as_object().into_iter().flatten() {
            found.extend(syntax::is_quantity(&format!("{at}.{part}[{name}]"), value));
        }
    }
    for (name, value) in resources["requests"].as_object().into_iter().flatten() {
        let limit = &resources["limits"][name];
        if let (Some(asked), Some(most)) = (quantity(value), quantity(limit))
            && asked > most
        {
            let most = limit.as_str().map_or_else(|| limit.to_string(), str::to_owned);
            let why = format!("must be less than or equal to {name} limit of {most}");
            found.push(Problem::invalid(format!("{at}.requests"), value, &why));
        }
    }
}

fn tolerations(spec: &Json, path: &str, found: &mut Vec<Problem>) {
    for (index, toleration) in items(&spec["tolerations"]).enumerate() {
        let at = format!("{path}.tolerations[{index}]");
        let exists = toleration["operator"] == "Exists";
        if toleration["key"].as_str().unwrap_or_default().is_empty() && !exists {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            found.push(Problem::invalid(format!("{at}.operator"), &toleration["operator"], why));
        }
        if exists && toleration["value"].as_str().is_some_and(|value| !value.is_empty()) {
            let why = "value must be empty when `operator` is 'Exists'";
            found.push(Problem::invalid(format!("{at}.operator"), toleration, why));
        }
        let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        let effect = toleration["effect"].as_str().unwrap_or_default();
        if !effect.is_empty() && !known.contains(&effect) {
            found.push(Problem::unsupported(format!("{at}.effect"), &toleration["effect"], &known));
        }
    }
}

/// What is wrong with a port's number.
pub(super) fn port(field: &str, value: &Json) -> Option<Problem> {
    let good = value.as_i64().is_none_or(|port| (1..=65535).contains(&port));
    (!good).then(|| Problem::invalid(field, value, "must be between 1 and 65535, inclusive"))
}
