//! `default-class`: with two default classes, or with k3s' own, a claim that names none may get a
//! volume on one machine's disk, which is lost with the machine.

use serde_json::Value as Json;

use super::words::names;
use super::{Facts, Problem, Rule, cluster};
use crate::spec::LocalPath;

/// See the file's head.
pub const RULE: Rule = Rule::deny("default-class", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    report.extend(others(facts));
    report.extend(asked_for(facts));
    let storage = &facts.spec.storage;
    let local = storage.local_path.value == LocalPath::Default;
    let (class, ours) = (&storage.class, &storage.default);
    report.extend(match (ours.value, local) {
        (true, false) => None,
        (true, true) => {
            let message = format!("`{class}` and k3s' local-path are both default classes");
            let help = "set `local_path` in [storage] to \"disabled\" or \"not-default\"";
            Some(Problem::at(&storage.local_path.place, message, help))
        }
        (false, _) => {
            let instead = if local { "k3s' local-path is" } else { "no class is" };
            let message = format!("`{class}` is not the default class; {instead}");
            let help = "set `default` in [storage] to true, and `local_path` to \"disabled\"";
            Some(Problem::at(&ours.place, message, help).warn())
        }
    });
}

/// What a class says of itself where it is a default. The second is what clusters before 1.6 had,
/// and the API still takes it.
const MARKS: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

/// Default classes that the spec's own manifests have besides its class.
fn asked_for(facts: &Facts<'_>) -> Option<Problem> {
    let storage = &facts.spec.storage;
    let other = facts.desired.resources.values().find(|resource| {
        resource.kind.name == "kubernetes/StorageClass"
            && resource.address.name() != storage.class.value
            && is_default(&resource.attributes.tree())
    });
    other.filter(|_| storage.default.value).map(|other| {
        let message = format!("it is a default class, and so is `{}`", storage.class);
        let help = "leave the class out of the manifest, or set `default` in [storage] to false";
        Problem::at(&other.origin, message, help).about(&other.address)
    })
}

fn is_default(class: &Json) -> bool {
    MARKS.iter().any(|mark| class["annotations"][*mark] == "true")
}

/// Default classes that stand besides the spec's, and that this plan leaves.
fn others(facts: &Facts<'_>) -> Option<Problem> {
    let storage = &facts.spec.storage;
    // Where the spec says so, that is a finding of its own.
    let is_told =
        |name: &str| name == "local-path" && storage.local_path.value == LocalPath::Default;
    let classes: Vec<_> = cluster::live(facts, "StorageClass")
        .filter(|(address, class)| address.name() != storage.class.value && is_default(class))
        .filter(|(address, _)| !is_told(address.name()))
        .filter(|(address, _)| !cluster::is_changed(facts, address))
        .filter(|(address, _)| !facts.desired.resources.contains_key(*address))
        .collect();
    let others: Vec<&str> = classes.iter().map(|(address, _)| address.name()).collect();
    (!others.is_empty() && storage.default.value).then(|| {
        let message = format!(
            "`{}` is not the only default class: {} is one too",
            storage.class,
            names(&others)
        );
        let help = "take the annotation storageclass.kubernetes.io/is-default-class off the others";
        Problem::at(&storage.default.place, message, help).warn()
    })
}
