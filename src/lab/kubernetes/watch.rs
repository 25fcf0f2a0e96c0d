//! Watches: what has changed since the last look.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::call::Call;
use super::key::Key;
use super::refusal::Refusal;
use super::resource::Resource;
use super::selector::Selector;
use super::view;
use crate::lab::k3s::Cluster;

/// One watch, with what its client knows.
#[derive(Debug)]
pub(in crate::lab) struct Watch {
    resource: Resource,
    namespace: String,
    selector: Selector,
    known: BTreeMap<Key, Arc<Json>>,
    /// Whether the client wants bookmarks.
    bookmarks: bool,
    /// Whether the client waits to be told that it has seen everything there was, as kubectl and
    /// other clients do from 1.35 on.
    initial: bool,
    /// The last revision that was told.
    revision: u64,
    /// Until when the client watches.
    pub until_ms: u64,
    waiting: Vec<Json>,
}

/// Without a timeout of the client's, a watch ends after this.
const TIMEOUT_MS: u64 = 3_600_000;

impl Watch {
    /// Begins after a revision, or with everything there is.
    pub(super) fn begin(call: &Call<'_>, selector: Selector) -> Result<Self, Refusal> {
        let seconds = call.query.get("timeoutSeconds").parse::<u64>().ok();
        let timeout = seconds.map_or(TIMEOUT_MS, |seconds| seconds.saturating_mul(1_000));
        let mut watch = Self {
            resource: call.resource.clone(),
            namespace: call.target.namespace.clone(),
            selector,
            known: BTreeMap::new(),
            bookmarks: call.query.flag("allowWatchBookmarks"),
            initial: call.query.flag("sendInitialEvents"),
            revision: call.cluster.revision,
            until_ms: call.now_ms.saturating_add(timeout),
            waiting: Vec::new(),
        };
        let text = call.query.get("resourceVersion");
        let since: u64 = text.parse().unwrap_or(0);
        if since > 0 && !watch.initial {
            watch.resume(call, since)?;
        }
        Ok(watch)
    }

    /// Takes as known what stood at a revision already, and tells what went since.
    fn resume(&mut self, call: &Call<'_>, since: u64) -> Result<(), Refusal> {
        let store = &call.cluster.store;
        let gone = store.gone_since(since).ok_or_else(|| {
            let current = call.cluster.revision;
            Refusal::expired(format!("too old resource version: {since} ({current})"))
        })?;
        for gone in gone {
            let mine = gone.key.group == self.resource.group
                && gone.key.plural == self.resource.plural
                && (self.namespace.is_empty() || gone.key.namespace == self.namespace)
                && self.selector.meets(&gone.key, &gone.object);
            if mine {
                let mut object = (*gone.object).clone();
                object["metadata"]["resourceVersion"] = json!(gone.revision.to_string());
                self.waiting.push(json!({"type": "DELETED", "object": object}));
            }
        }
        for (key, object) in self.objects(call.cluster, call.now_ms) {
            let version = object["metadata"]["resourceVersion"].as_str();
            if version.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) <= since {
                self.known.insert(key, object);
            }
        }
        Ok(())
    }

    /// The events since the last call.
    pub(in crate::lab) fn events(&mut self, cluster: &Cluster, now_ms: u64) -> Vec<Json> {
        let mut events = std::mem::take(&mut self.waiting);
        let current: BTreeMap<Key, Arc<Json>> = self.objects(cluster, now_ms).into_iter().collect();
        for (key, object) in &current {
            match self.known.get(key) {
                Some(known) if same(known, object) => {}
                known => {
                    let kind = if known.is_some() { "MODIFIED" } else { "ADDED" };
                    events.push(json!({"type": kind, "object": **object}));
                }
            }
        }
        for (key, object) in self.known.iter().filter(|(key, _)| !current.contains_key(*key)) {
            let mut object = (**object).clone();
            if let Some(last) = super::view::object(cluster, key, now_ms) {
                object = (*last).clone();
            }
            object["metadata"]["resourceVersion"] = json!(cluster.revision.to_string());
            events.push(json!({"type": "DELETED", "object": object}));
        }
        self.known = current;
        if std::mem::take(&mut self.initial) {
            let mut bookmark = self.bookmark(cluster);
            bookmark["object"]["metadata"]["annotations"] = json!({INITIAL_END: "true"});
            events.push(bookmark);
        } else if self.bookmarks && cluster.revision > self.revision + BOOKMARK && events.is_empty()
        {
            events.push(self.bookmark(cluster));
        }
        if !events.is_empty() {
            self.revision = cluster.revision;
        }
        events
    }

    fn bookmark(&self, cluster: &Cluster) -> Json {
        json!({"type": "BOOKMARK", "object": {
            "apiVersion": self.resource.api(), "kind": self.resource.kind,
            "metadata": {"resourceVersion": cluster.revision.to_string(),
                "creationTimestamp": null},
        }})
    }

    fn objects(&self, cluster: &Cluster, now_ms: u64) -> Vec<(Key, Arc<Json>)> {
        let (group, plural) = (&self.resource.group, &self.resource.plural);
        let mut all = view::objects(cluster, group, plural, &self.namespace, now_ms);
        all.retain(|(key, object)| self.selector.meets(key, object));
        all
    }
}

/// The annotation of the bookmark after everything that stood when a watch began (KEP-3157).
const INITIAL_END: &str = "k8s.io/initial-events-end";

/// After how many changes elsewhere a bookmark is sent.
const BOOKMARK: u64 = 100;

/// Whether nothing has changed that a watch tells: heartbeats of Nodes are not told.
fn same(known: &Arc<Json>, object: &Arc<Json>) -> bool {
    if Arc::ptr_eq(known, object) {
        return true;
    }
    if object["kind"] != "Node" {
        return known == object;
    }
    let still = |object: &Json| {
        let mut object = object.clone();
        for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
            condition["lastHeartbeatTime"] = Json::Null;
        }
        object
    };
    still(known) == still(object)
}
