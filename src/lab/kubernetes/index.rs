//! Ways to objects other than by key: by namespace, by uid, by owner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::key::Key;

/// Follows every change of a store.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Of namespaced objects only.
    namespaces: BTreeMap<String, BTreeSet<Key>>,
    uids: BTreeSet<String>,
    /// What names an owner, by the owner's uid.
    owned: BTreeMap<String, BTreeSet<Key>>,
}

impl Index {
    pub(super) fn add(&mut self, key: &Key, object: &Json) {
        if !key.namespace.is_empty() {
            self.namespaces.entry(key.namespace.clone()).or_default().insert(key.clone());
        }
        if let Some(uid) = uid(object) {
            self.uids.insert(uid.to_owned());
        }
        for owner in owners(object) {
            self.owned.entry(owner.to_owned()).or_default().insert(key.clone());
        }
    }

    pub(super) fn remove(&mut self, key: &Key, object: &Json) {
        take(&mut self.namespaces, &key.namespace, key);
        if let Some(uid) = uid(object) {
            self.uids.remove(uid);
        }
        for owner in owners(object) {
            take(&mut self.owned, owner, key);
        }
    }

    /// Keeps up with an object that stands already.
    pub(super) fn change(&mut self, key: &Key, before: &Json, after: &Json) {
        let same = |path| before.pointer(path) == after.pointer(path);
        if !(same("/metadata/uid") && same("/metadata/ownerReferences")) {
            self.remove(key, before);
            self.add(key, after);
        }
    }

    pub(super) fn namespace(&self, name: &str) -> impl Iterator<Item = &Key> {
        self.namespaces.get(name).into_iter().flatten()
    }

    pub(super) fn has_uid(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }

    pub(super) fn owned(&self, uid: &str) -> impl Iterator<Item = &Key> {
        self.owned.get(uid).into_iter().flatten()
    }
}

fn uid(object: &Json) -> Option<&str> {
    object.pointer("/metadata/uid")?.as_str()
}

fn owners(object: &Json) -> impl Iterator<Item = &str> {
    let all = object.pointer("/metadata/ownerReferences").and_then(Json::as_array);
    all.into_iter().flatten().filter_map(|owner| owner["uid"].as_str())
}

fn take(sets: &mut BTreeMap<String, BTreeSet<Key>>, name: &str, key: &Key) {
    if let Some(set) = sets.get_mut(name) {
        set.remove(key);
        if set.is_empty() {
            sets.remove(name);
        }
    }
}
