//! Taints of machines that a project is pinned to: whoever keeps others off a machine for the sake
//! of a project means the project to run there.

use serde_json::{Value as Json, json};

use super::form::Form;
use crate::spec::{Taint, TaintEffect};

/// What all pods of the project tolerate, sorted. Empty where it is pinned to no tainted machine.
/// An adopted project's pods tolerate what they did: a word more would start them anew.
pub fn tolerations(form: &Form<'_>) -> Vec<Json> {
    let is_named = |name: &str| form.project.agents.iter().any(|agent| agent.as_str() == name);
    let pinned = form.spec.all_machines().filter(|machine| is_named(&machine.name));
    let mut taints: Vec<&Taint> =
        pinned.flat_map(|machine| &machine.taints).map(|taint| &taint.value).collect();
    taints.sort();
    taints.dedup();
    let wanted = taints.into_iter().filter(|_| !form.is_adopted());
    wanted.map(toleration).collect()
}

fn toleration(taint: &Taint) -> Json {
    let effect = match taint.effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    };
    match taint.value.is_empty() {
        true => json!({ "key": taint.key, "operator": "Exists", "effect": effect }),
        false => {
            json!({ "key": taint.key, "operator": "Equal", "value": taint.value, "effect": effect })
        }
    }
}
