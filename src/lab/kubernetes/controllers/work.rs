//! A cluster at work: read, and changed through effects.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::json::{Stored, text, uid};
use super::site::Site;
use crate::lab::k3s::{Changed, Cluster, Draft, Node, Unsettled, ids};
use crate::lab::kubernetes::{Key, StoreEffect};
use crate::lab::vsphere::{Entry, World};

/// One cluster while its controllers run.
pub(super) struct Work<'a> {
    pub draft: Draft,
    pub world: Cow<'a, World>,
    /// What the vCenter was made to do.
    pub entries: Vec<Entry>,
    pub site: &'a Site,
    pub now_ms: u64,
    /// When something changes by the passing of time.
    pub due_ms: Option<u64>,
    /// What controllers look at in this round.
    pub scope: Unsettled,
}

impl<'a> Work<'a> {
    /// Goes on with a cluster in place; the first scope is everything.
    pub(super) fn new(cluster: Cluster, world: &'a World, site: &'a Site, now_ms: u64) -> Self {
        Self {
            draft: Draft::on(cluster),
            world: Cow::Borrowed(world),
            entries: Vec::new(),
            site,
            now_ms,
            due_ms: None,
            scope: Unsettled::default(),
        }
    }

    /// Has the next round look at what has changed since the last one began. Whether there is any.
    pub(super) fn advance(&mut self) -> bool {
        let mut scope = self.draft.cluster.unsettled.take();
        let store = &self.cluster().store;
        let central = |name: &String| {
            let mut pods = store.list_in("", "pods", name);
            pods.any(|(_, pod)| super::is_central(pod))
        };
        scope.everywhere |= scope.namespaces.iter().any(central);
        self.scope = scope;
        !self.scope.is_nothing()
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.draft.cluster
    }

    /// Now, as objects carry it.
    pub(super) fn now(&self) -> String {
        ids::time(self.now_ms)
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Json>> {
        self.cluster().store.get(key).cloned()
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.cluster().store.has(key)
    }

    /// All objects of a resource.
    pub(super) fn list(&self, group: &str, plural: &str) -> Vec<Stored> {
        let found = self.cluster().store.list(group, plural);
        found.map(|(key, object)| (key.clone(), Arc::clone(object))).collect()
    }

    pub(super) fn pods(&self) -> Vec<Stored> {
        self.list("", "pods")
    }

    /// The objects of a namespaced resource that this round is about.
    pub(super) fn due(&self, group: &str, plural: &str) -> Vec<Stored> {
        if self.scope.everywhere {
            return self.list(group, plural);
        }
        let store = &self.cluster().store;
        let spaces = self.scope.namespaces.iter();
        let found = spaces.flat_map(|name| store.list_in(group, plural, name));
        found.map(|(key, object)| (key.clone(), Arc::clone(object))).collect()
    }

    pub(super) fn due_pods(&self) -> Vec<Stored> {
        self.due("", "pods")
    }

    /// The namespaces that this round is about.
    pub(super) fn due_namespaces(&self) -> Vec<Stored> {
        if self.scope.everywhere {
            return self.list("", "namespaces");
        }
        let key = |name: &String| Key::new("", "namespaces", "", name);
        let names = self.scope.namespaces.iter().map(key);
        names.filter_map(|key| self.get(&key).map(|space| (key, space))).collect()
    }

    /// The volumes whose claims this round is about.
    pub(super) fn due_volumes(&self) -> Vec<Stored> {
        let all = self.cluster().store.list("", "persistentvolumes");
        let due =
            all.filter(|(_, volume)| self.scope.has(text(volume, "/spec/claimRef/namespace")));
        due.map(|(key, volume)| (key.clone(), Arc::clone(volume))).collect()
    }

    /// What is attached, or to be, of the volumes that this round is about.
    pub(super) fn due_attachments(&self) -> Vec<Stored> {
        let mut all = self.list("storage.k8s.io", "volumeattachments");
        if !self.scope.everywhere {
            let due: BTreeSet<String> =
                self.due_volumes().into_iter().map(|(key, _)| key.name).collect();
            all.retain(|(_, one)| due.contains(text(one, "/spec/source/persistentVolumeName")));
        }
        all
    }

    /// Something will be different at that time.
    pub(super) fn wake(&mut self, at_ms: u64) {
        if at_ms > self.now_ms {
            self.due_ms = Some(self.due_ms.map_or(at_ms, |due| due.min(at_ms)));
        }
    }

    /// Writes an object where it differs from what is stored. A changed spec is a new generation.
    pub(super) fn put(&mut self, key: &Key, mut object: Json) {
        let before = self.get(key);
        if let Some(before) = &before {
            let version = before["metadata"]["resourceVersion"].clone();
            object["metadata"]["resourceVersion"] = version;
            if **before == object {
                return;
            }
            if before["spec"] != object["spec"] {
                let generation = before["metadata"]["generation"].as_i64().unwrap_or(1);
                object["metadata"]["generation"] = json!(generation + 1);
            }
        }
        self.draft.change(Changed::Object(StoreEffect::put(key.clone(), object)));
    }

    /// Writes the status of an object where it differs.
    pub(super) fn put_status(&mut self, key: &Key, status: Json) {
        let Some(before) = self.get(key) else { return };
        if before["status"] != status {
            let mut object = (*before).clone();
            object["status"] = status;
            self.put(key, object);
        }
    }

    /// Makes an object that is not there yet; gives what is stored then.
    pub(super) fn create(&mut self, key: &Key, mut object: Json) -> Arc<Json> {
        let cluster = self.cluster();
        let since = self.now_ms.to_string();
        let id = [cluster.id.as_str(), "object", &key.to_string(), &since];
        let uid = ids::uuid(cluster.seed, &id);
        let metadata = &mut object["metadata"];
        metadata["name"] = json!(key.name);
        if !key.namespace.is_empty() {
            metadata["namespace"] = json!(key.namespace);
        }
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(uid);
        }
        metadata["creationTimestamp"] = json!(ids::time(self.now_ms));
        if object.get("spec").is_some() {
            object["metadata"]["generation"] = json!(1);
        }
        self.draft.change(Changed::Object(StoreEffect::put(key.clone(), object)));
        self.get(key).unwrap_or_default()
    }

    /// Makes an object where there is none of that name.
    pub(super) fn ensure(&mut self, key: &Key, object: impl FnOnce() -> Json) {
        if !self.has(key) {
            self.create(key, object());
        }
    }

    pub(super) fn gone(&mut self, key: &Key) {
        if self.has(key) {
            self.draft.change(Changed::Object(StoreEffect::Gone(key.clone())));
        }
    }

    /// Asks for an object's end: it goes at once where nothing holds it.
    pub(super) fn delete(&mut self, key: &Key) {
        let Some(object) = self.get(key) else { return };
        if super::json::list(&object, "/metadata/finalizers").is_empty() {
            return self.gone(key);
        }
        if !super::json::is_going(&object) {
            let mut object = (*object).clone();
            object["metadata"]["deletionTimestamp"] = json!(self.now());
            object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            self.put(key, object);
        }
    }

    pub(super) fn put_node(&mut self, node: Node) {
        if self.cluster().nodes.get(&node.name) != Some(&node) {
            self.draft.change(Changed::Node(Box::new(node)));
        }
    }

    /// Tells of something, once: the same words about the same object are one Event.
    pub(super) fn event(&mut self, about: &About<'_>, reason: &str, message: &str) {
        let object = about.object;
        let (name, namespace) = (text(object, "/metadata/name"), about.namespace());
        let seed = self.cluster().seed;
        let hash = ids::short(seed, &["event", uid(object), reason, message], 16);
        let key = Key::new("", "events", namespace, &format!("{name}.{hash}"));
        if self.has(&key) {
            return;
        }
        let now = self.now();
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {},
            "involvedObject": {
                "apiVersion": about.api, "kind": about.kind, "name": name, "uid": uid(object),
                "namespace": namespace,
            },
            "reason": reason, "message": message,
            "type": if about.warns { "Warning" } else { "Normal" },
            "count": 1, "firstTimestamp": now, "lastTimestamp": now,
            "source": {"component": about.by}, "reportingComponent": about.by,
            "reportingInstance": "", "eventTime": null,
        });
        self.create(&key, event);
    }

    /// Has the vCenter do something.
    pub(super) fn enter(&mut self, entry: Entry) {
        self.world.to_mut().apply(&entry);
        self.entries.push(entry);
    }
}

/// What an Event is about, and who tells.
pub(super) struct About<'a> {
    pub object: &'a Json,
    pub api: &'a str,
    pub kind: &'a str,
    pub by: &'a str,
    pub warns: bool,
}

impl<'a> About<'a> {
    pub(super) fn pod(object: &'a Json, by: &'a str) -> Self {
        Self { object, api: "v1", kind: "Pod", by, warns: true }
    }

    pub(super) fn claim(object: &'a Json, by: &'a str) -> Self {
        Self { object, api: "v1", kind: "PersistentVolumeClaim", by, warns: true }
    }

    /// Events of what has no namespace are in `default`.
    fn namespace(&self) -> &'a str {
        match text(self.object, "/metadata/namespace") {
            "" => "default",
            namespace => namespace,
        }
    }
}
