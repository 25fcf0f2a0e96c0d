//! What goes because its owner, its namespace or its node is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::json::{Stored, is_going, list, text, uid};
use super::pod;
use super::work::Work;
use crate::lab::kubernetes::Key;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Removes what nothing holds any more.
pub(super) fn run(work: &mut Work<'_>) {
    for (key, object) in due(work) {
        if key.group.is_empty() && key.plural == "nodes" {
            // What is stored beside a Node goes with it.
            if !is_node(work, uid(&object)) {
                work.gone(&key);
            }
            continue;
        }
        if key.plural == "events" {
            if !stands(work, text(&object, "/involvedObject/uid")) {
                work.gone(&key);
            }
            continue;
        }
        let owners = list(&object, "/metadata/ownerReferences");
        if !owners.is_empty() && owners.iter().all(|owner| !stands(work, text(owner, "/uid"))) {
            remove(work, &key, &object);
        } else if is_lost(work, &key, &object) {
            work.gone(&key);
        } else if is_going(&object) {
            finish(work, &key, &object);
        }
    }
    namespaces(work);
}

/// All objects that this round is about, those that belong to no namespace only where it is about
/// everything.
fn due(work: &Work<'_>) -> Vec<Stored> {
    let store = &work.cluster().store;
    let own = |(key, object): (&Key, &Arc<Json>)| (key.clone(), Arc::clone(object));
    if work.scope.everywhere {
        return store.iter().map(own).collect();
    }
    let names = work.scope.namespaces.iter();
    let inside = names.flat_map(|name| store.namespace(name)).map(own);
    inside.chain(work.due_volumes()).collect()
}

/// Whether there is an object of that uid still.
fn stands(work: &Work<'_>, uid: &str) -> bool {
    work.cluster().store.has_uid(uid) || is_node(work, uid)
}

fn is_node(work: &Work<'_>, uid: &str) -> bool {
    work.cluster().nodes.values().any(|node| node.uid == uid)
}

/// A pod whose node is no longer there.
fn is_lost(work: &Work<'_>, key: &Key, object: &Json) -> bool {
    let node = pod::node(object);
    key.group.is_empty()
        && key.plural == "pods"
        && !node.is_empty()
        && !work.cluster().nodes.contains_key(node)
}

fn remove(work: &mut Work<'_>, key: &Key, object: &Json) {
    if key.plural == "pods" {
        super::drains::evict(work, key);
    } else if !is_going(object) {
        work.delete(key);
    }
}

/// Goes on with an object that somebody asked to end.
fn finish(work: &mut Work<'_>, key: &Key, object: &Json) {
    let below: Vec<Key> = work.cluster().store.owned(uid(object)).cloned().collect();
    let finalizers = list(object, "/metadata/finalizers");
    let has = |name: &str| finalizers.iter().any(|one| one == name);
    if has(FOREGROUND) {
        let mut left = false;
        for key in &below {
            if let Some(dependent) = work.get(key) {
                left |= blocks(&dependent, uid(object));
                remove(work, key, &dependent);
            }
        }
        let still = below.iter().any(|key| work.has(key));
        if !(left && still) {
            release(work, key, FOREGROUND);
        }
    } else if has(ORPHAN) {
        for key in &below {
            let Some(dependent) = work.get(key) else { continue };
            let mut free = (*dependent).clone();
            let owners = list(&dependent, "/metadata/ownerReferences").iter();
            let rest: Vec<&Json> = owners.filter(|owner| owner["uid"] != uid(object)).collect();
            free["metadata"]["ownerReferences"] = json!(rest);
            work.put(key, free);
        }
        release(work, key, ORPHAN);
    } else if finalizers.is_empty() {
        // A namespace goes when it is empty, a pod when its kubelet says so.
        let waits = match key.plural.as_str() {
            "namespaces" => true,
            "pods" => !pod::node(object).is_empty(),
            _ => false,
        };
        if !waits {
            work.gone(key);
        }
    }
}

fn blocks(dependent: &Json, owner: &str) -> bool {
    let mut owners = list(dependent, "/metadata/ownerReferences").iter();
    owners.any(|known| known["uid"] == owner && known["blockOwnerDeletion"] == true)
}

/// Takes one finalizer off; the object goes with the last one.
pub(super) fn release(work: &mut Work<'_>, key: &Key, finalizer: &str) {
    let Some(object) = work.get(key) else { return };
    let kept = list(&object, "/metadata/finalizers").iter().filter(|one| *one != finalizer);
    let kept: Vec<Json> = kept.cloned().collect();
    if kept.len() == list(&object, "/metadata/finalizers").len() {
        return;
    }
    if kept.is_empty() && is_going(&object) {
        return work.gone(key);
    }
    let mut changed = (*object).clone();
    changed["metadata"]["finalizers"] = json!(kept);
    if kept.is_empty()
        && let Some(metadata) = changed["metadata"].as_object_mut()
    {
        metadata.remove("finalizers");
    }
    work.put(key, changed);
}

/// Empties namespaces that are to go, and lets them go once they are empty.
fn namespaces(work: &mut Work<'_>) {
    for (key, space) in work.due_namespaces() {
        if !is_going(&space) {
            continue;
        }
        let inside = work.cluster().store.namespace(&key.name);
        let left: Vec<Key> = inside.map(|(key, _)| key.clone()).collect();
        for key in &left {
            if key.plural == "pods" {
                super::drains::evict(work, key);
            } else {
                work.delete(key);
            }
        }
        let left: Vec<Key> = left.into_iter().filter(|key| work.has(key)).collect();
        if left.is_empty() {
            work.gone(&key);
        } else {
            work.put_status(&key, terminating(work, &space, &left));
        }
    }
}

fn terminating(work: &Work<'_>, space: &Json, left: &[Key]) -> Json {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for key in left {
        *counts.entry(format!("{}.{}", key.plural, key.group)).or_default() += 1;
        let object = work.get(key).unwrap_or_default();
        for finalizer in list(&object, "/metadata/finalizers").iter().filter_map(Json::as_str) {
            *finalizers.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
    let told = |counts: &BTreeMap<String, usize>, word: &str| {
        let parts: Vec<String> =
            counts.iter().map(|(name, count)| format!("{name} {word} {count}")).collect();
        parts.join(", ")
    };
    let content =
        format!("Some resources are remaining: {}", told(&counts, "has resource instances:"));
    let held = format!(
        "Some content in the namespace has finalizers remaining: {}",
        told(&finalizers, "in resource instances:")
    );
    let conditions = [
        super::condition::Condition {
            kind: "NamespaceContentRemaining",
            status: true,
            reason: "SomeResourcesRemain",
            message: &content,
        },
        super::condition::Condition {
            kind: "NamespaceFinalizersRemaining",
            status: !finalizers.is_empty(),
            reason: "SomeFinalizersRemain",
            message: &held,
        },
    ];
    let before = list(space, "/status/conditions");
    json!({
        "phase": "Terminating",
        "conditions": super::condition::set(before, &conditions, &work.now()),
    })
}
