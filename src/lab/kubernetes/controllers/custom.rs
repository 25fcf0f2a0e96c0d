//! Custom resource definitions: they are served once their names are taken.

use serde_json::{Value as Json, json};

use super::condition::{self, Condition};
use super::json::{is_going, list, text};
use super::work::Work;

/// Establishes definitions, and ends those that are to go with all their objects.
pub(super) fn establish(work: &mut Work<'_>) {
    for (key, definition) in work.list("apiextensions.k8s.io", "customresourcedefinitions") {
        if is_going(&definition) {
            let (group, plural) =
                (text(&definition, "/spec/group"), text(&definition, "/spec/names/plural"));
            let own: Vec<_> = work.list(group, plural).into_iter().map(|(key, _)| key).collect();
            own.iter().for_each(|key| work.delete(key));
            if own.iter().all(|key| !work.has(key)) {
                super::garbage::release(work, &key, "customresourcecleanup.apiextensions.k8s.io");
            }
            continue;
        }
        if !condition::is_true(&definition, "Established") {
            let status = status(work, &definition);
            work.put_status(&key, status);
        }
    }
}

/// A definition whose objects may hold anything.
pub(super) fn definition(
    group: &str,
    version: &str,
    kind: &str,
    plural: &str,
    scope: &str,
) -> Json {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {},
        "spec": {
            "group": group, "scope": scope, "conversion": {"strategy": "None"},
            "names": {
                "kind": kind, "listKind": format!("{kind}List"), "plural": plural,
                "singular": kind.to_lowercase(),
            },
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }},
                "subresources": {"status": {}},
            }],
        },
    })
}

fn status(work: &Work<'_>, definition: &Json) -> Json {
    let stored = list(definition, "/spec/versions").iter().filter(|one| one["storage"] == true);
    let stored: Vec<&Json> = stored.map(|one| &one["name"]).collect();
    let of = |kind, reason, message| Condition { kind, status: true, reason, message };
    let conditions = [
        of("NamesAccepted", "NoConflicts", "no conflicts found"),
        of("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ];
    let mut names = definition["spec"]["names"].clone();
    if names["listKind"].is_null() {
        names["listKind"] = json!(format!("{}List", text(&names, "/kind")));
    }
    json!({
        "conditions": condition::set(list(definition, "/status/conditions"), &conditions, &work.now()),
        "acceptedNames": names,
        "storedVersions": stored,
    })
}
