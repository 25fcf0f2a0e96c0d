//! Somebody at the cluster's API beside boma, with the administrator's kubeconfig.

use boma::lab::{FaultRule, StagedFault};
use serde_json::Value as Json;
use tokio::runtime::Runtime;

use crate::cli::hosts::rig::Rig;
use crate::kubernetes::client::Client;

/// A served lab with the whole cluster in it, and a hand in that cluster.
pub struct Hand {
    pub rig: Rig,
    api: Client,
    runtime: Runtime,
}

impl Hand {
    pub fn new() -> Self {
        Self::of(Rig::applied())
    }

    /// The same in a lab whose cluster is there.
    pub fn of(rig: Rig) -> Self {
        let kubeconfig = rig.env.read("state/lab/small/world/kubeconfig");
        let api = Client::of_kubeconfig(&String::from_utf8(kubeconfig).unwrap());
        Self { rig, api, runtime: Runtime::new().unwrap() }
    }

    /// The object, or the list.
    #[track_caller]
    pub fn get(&self, path: &str) -> Json {
        self.runtime.block_on(self.api.get(path)).ok()
    }

    /// Whether there is such an object.
    pub fn has(&self, path: &str) -> bool {
        self.runtime.block_on(self.api.find(path)).is_some()
    }

    /// Patches as `kubectl edit` does.
    #[track_caller]
    pub fn edit(&self, path: &str, patch: &Json) {
        let path = format!("{path}?fieldManager=kubectl-edit");
        self.runtime.block_on(self.api.merge(&path, patch)).ok();
    }

    /// Applies with server-side apply as another manager, by force.
    #[track_caller]
    pub fn apply_as(&self, manager: &str, path: &str, manifest: &Json) {
        let path = format!("{path}?force=true");
        self.runtime.block_on(self.api.apply(&path, manager, manifest)).ok();
    }

    /// Says how many replicas there are, through the API's own way for that.
    #[track_caller]
    pub fn scale_as(&self, manager: &str, path: &str, replicas: u64) {
        let path = format!("{path}/scale?fieldManager={manager}");
        let patch = serde_json::json!({"spec": {"replicas": replicas}});
        self.runtime.block_on(self.api.merge(&path, &patch)).ok();
    }

    #[track_caller]
    pub fn make(&self, collection: &str, object: &Json) {
        self.runtime.block_on(self.api.post(collection, object)).ok();
    }

    #[track_caller]
    pub fn delete(&self, path: &str) {
        self.runtime.block_on(self.api.delete(path)).ok();
    }

    /// How many requests the API heard of that sort, `PATCH storageclasses`.
    pub fn heard(&self, request: &str) -> u64 {
        let counts = self.rig.status().requests;
        counts.get(&format!("Kubernetes:{request}")).copied().unwrap_or_default()
    }

    /// Hits requests of that sort, `* pods` or `*`, one after the other.
    pub fn stage(&self, request: &str, fault: StagedFault, times: u64) {
        let method = format!("Kubernetes:{request}");
        self.rig.stage(&[FaultRule::next(&method, fault).times(times)]);
    }
}
