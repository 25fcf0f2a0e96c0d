//! The objects of a cluster, except its Nodes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::index::Index;
use super::key::Key;

/// All objects, each whole. Changed only through [`StoreEffect`], so that every change is logged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "OnDisk")]
pub(in crate::lab) struct Store {
    objects: BTreeMap<Key, Arc<Json>>,
    /// Of the last change.
    revision: u64,
    /// The last objects that went, oldest first: what watches that begin late still hear of.
    #[serde(skip)]
    gone: VecDeque<Gone>,
    /// What went at or before this revision may be forgotten.
    #[serde(skip)]
    floor: u64,
    #[serde(skip)]
    index: Index,
}

/// One change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) enum StoreEffect {
    /// The object stands as a whole. The store writes `metadata.resourceVersion`.
    Put(Key, Arc<Json>),
    /// The object is no longer there.
    Gone(Key),
}

/// An object that went.
#[derive(Clone, Debug)]
pub(in crate::lab) struct Gone {
    pub revision: u64,
    pub key: Key,
    /// As it was last.
    pub object: Arc<Json>,
}

/// How many gone objects are remembered.
const GONE_MAX: usize = 1024;

/// What is kept of a store.
#[derive(Deserialize)]
struct OnDisk {
    objects: BTreeMap<Key, Arc<Json>>,
    revision: u64,
}

impl From<OnDisk> for Store {
    fn from(OnDisk { objects, revision }: OnDisk) -> Self {
        let mut index = Index::default();
        objects.iter().for_each(|(key, object)| index.add(key, object));
        Self { objects, revision, gone: VecDeque::new(), floor: revision, index }
    }
}

impl Store {
    pub(in crate::lab) fn get(&self, key: &Key) -> Option<&Arc<Json>> {
        self.objects.get(key)
    }

    pub(in crate::lab) fn has(&self, key: &Key) -> bool {
        self.objects.contains_key(key)
    }

    /// Every object, in the order of keys.
    pub(in crate::lab) fn iter(&self) -> impl Iterator<Item = (&Key, &Arc<Json>)> {
        self.objects.iter()
    }

    /// The objects of a resource in all namespaces, by namespace and name.
    pub(in crate::lab) fn list(
        &self,
        group: &str,
        plural: &str,
    ) -> impl Iterator<Item = (&Key, &Arc<Json>)> {
        self.from(group, plural, "").take_while(same(group, plural))
    }

    /// The objects of a resource in one namespace, by name.
    pub(in crate::lab) fn list_in(
        &self,
        group: &str,
        plural: &str,
        namespace: &str,
    ) -> impl Iterator<Item = (&Key, &Arc<Json>)> {
        let inside = move |(key, _): &(&Key, &Arc<Json>)| key.namespace == namespace;
        self.from(group, plural, namespace).take_while(same(group, plural)).take_while(inside)
    }

    /// All objects in a namespace, in the order of keys.
    pub(in crate::lab) fn namespace(&self, name: &str) -> impl Iterator<Item = (&Key, &Arc<Json>)> {
        self.index.namespace(name).filter_map(|key| self.objects.get_key_value(key))
    }

    pub(in crate::lab) fn has_uid(&self, uid: &str) -> bool {
        self.index.has_uid(uid)
    }

    /// What names an object as one of its owners.
    pub(in crate::lab) fn owned(&self, uid: &str) -> impl Iterator<Item = &Key> {
        self.index.owned(uid)
    }

    /// What went after a revision, oldest first; `None` where that is no longer known.
    pub(in crate::lab) fn gone_since(&self, revision: u64) -> Option<impl Iterator<Item = &Gone>> {
        let after = move |gone: &&Gone| gone.revision > revision;
        (revision >= self.floor).then(|| self.gone.iter().filter(after))
    }

    /// Carries out one change at a revision of the cluster.
    pub(in crate::lab) fn apply(&mut self, effect: &StoreEffect, revision: u64) {
        self.revision = revision;
        match effect {
            StoreEffect::Put(key, object) => {
                let mut object = (**object).clone();
                object["metadata"]["resourceVersion"] = json!(revision.to_string());
                match self.objects.get_mut(key) {
                    Some(known) => {
                        self.index.change(key, known, &object);
                        *known = Arc::new(object);
                    }
                    None => {
                        self.index.add(key, &object);
                        self.objects.insert(key.clone(), Arc::new(object));
                    }
                }
            }
            StoreEffect::Gone(key) => {
                if let Some(object) = self.objects.remove(key) {
                    self.index.remove(key, &object);
                    self.forget(Gone { revision, key: key.clone(), object });
                }
            }
        }
    }

    fn forget(&mut self, gone: Gone) {
        self.gone.push_back(gone);
        if self.gone.len() > GONE_MAX
            && let Some(oldest) = self.gone.pop_front()
        {
            self.floor = oldest.revision;
        }
    }

    fn from(
        &self,
        group: &str,
        plural: &str,
        namespace: &str,
    ) -> impl Iterator<Item = (&Key, &Arc<Json>)> {
        self.objects.range(Key::new(group, plural, namespace, "")..)
    }
}

impl StoreEffect {
    pub(in crate::lab) fn put(key: Key, object: Json) -> Self {
        Self::Put(key, Arc::new(object))
    }
}

fn same(group: &str, plural: &str) -> impl FnMut(&(&Key, &Arc<Json>)) -> bool {
    move |(key, _)| key.group == group && key.plural == plural
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn put(store: &mut Store, revision: u64, namespace: &str, name: &str) {
        let key = Key::new("", "secrets", namespace, name);
        store.apply(&StoreEffect::put(key, json!({"metadata": {"name": name}})), revision);
    }

    fn names<'a>(found: impl Iterator<Item = (&'a Key, &'a Arc<Json>)>) -> Vec<String> {
        found.map(|(key, _)| format!("{}/{}", key.namespace, key.name)).collect()
    }

    #[test]
    fn objects_are_listed_by_kind_and_namespace() {
        let mut store = Store::default();
        put(&mut store, 1, "b", "y");
        put(&mut store, 2, "a", "x");
        put(&mut store, 3, "ab", "z");
        store.apply(&StoreEffect::put(Key::new("", "services", "a", "s"), json!({})), 4);
        assert_eq!(names(store.list("", "secrets")), ["a/x", "ab/z", "b/y"]);
        assert_eq!(names(store.list_in("", "secrets", "a")), ["a/x"]);
        let found = store.get(&Key::new("", "secrets", "b", "y")).unwrap();
        assert_eq!(found["metadata"]["resourceVersion"], "1");
    }

    #[test]
    fn what_went_is_told_until_it_is_forgotten() {
        let mut store = Store::default();
        put(&mut store, 1, "a", "x");
        store.apply(&StoreEffect::Gone(Key::new("", "secrets", "a", "x")), 2);
        let gone = |store: &Store, since| {
            store.gone_since(since).map(|gone| gone.map(|one| one.key.name.clone()).collect())
        };
        assert_eq!(gone(&store, 1), Some(vec!["x".to_owned()]));
        assert_eq!(gone(&store, 2), Some(vec![]));
        let text = serde_json::to_string(&store).unwrap();
        let read: Store = serde_json::from_str(&text).unwrap();
        assert_eq!((gone(&read, 1), gone(&read, 2)), (None, Some(vec![])));
    }
}
