//! What a whole project is held to: a ResourceQuota, and a LimitRange before it.
//!
//! Under a quota the API takes no pod without limits, so containers that the spec gives none get
//! an equal share of what the others leave. A pod that comes before the one it replaces has gone
//! counts twice, or a project at its quota could never be changed.

use serde_json::{Map, Value as Json, json};

use super::claim::size;
use super::form::Form;
use crate::resource::{Address, Resource};
use crate::spec::{Milli, Quota};

const LIMITS: &str = "cht-limits";
const QUOTA: &str = "cht-quota";

/// The quota's address; it comes after the limits. `None` where the project has none.
pub fn address(form: &Form<'_>) -> Option<Address> {
    form.project.quota.as_ref().map(|_| form.address("ResourceQuota", QUOTA))
}

/// Lowers limits and quota.
pub fn limits(form: &Form<'_>) -> Vec<Resource> {
    let Some(quota) = &form.project.quota else { return Vec::new() };
    let limits = form.resource(range(form, quota), &[]);
    let after = [limits.address.clone()];
    vec![limits, form.resource(hard(form, quota), &after)]
}

fn hard(form: &Form<'_>, quota: &Quota) -> Json {
    let hard = json!({
        "limits.cpu": quota.cpu.to_string(),
        "limits.memory": size(quota.memory_mib.value),
    });
    json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": form.metadata(QUOTA, None),
        "spec": { "hard": hard },
    })
}

fn range(form: &Form<'_>, quota: &Quota) -> Json {
    let share = form.project.share(quota);
    let given = [
        ("cpu", share.cpu.each().map(|cpu| Milli(cpu).to_string())),
        ("memory", share.memory.each().map(size)),
    ];
    let given = given.into_iter().filter_map(|(name, amount)| Some((name, amount?)));
    let amounts: Map<String, Json> =
        given.map(|(name, amount)| (name.to_owned(), amount.into())).collect();
    let limit = json!({ "type": "Container", "default": amounts, "defaultRequest": amounts });
    json!({
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": form.metadata(LIMITS, None),
        "spec": { "limits": [limit] },
    })
}
