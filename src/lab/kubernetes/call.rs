//! One request with all that it is answered from.

use std::sync::Arc;

use serde_json::Value as Json;

use super::key::Key;
use super::managed::Writer;
use super::refusal::Refusal;
use super::request::{Query, Request, Target};
use super::resource::Resource;
use super::view;
use crate::lab::k3s::{Change, Changed, Cluster, ClusterEffect, ids};

/// A request about a resource.
pub(super) struct Call<'a> {
    pub cluster: &'a Cluster,
    pub request: &'a Request,
    pub query: Query,
    pub target: Target,
    pub resource: Resource,
    pub now_ms: u64,
    /// `apps/v1`.
    pub api: String,
    /// Now, as Kubernetes writes times.
    pub time: String,
    manager: String,
}

/// What is answered.
#[derive(Debug, Default)]
pub(in crate::lab) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// The media type of the body.
    pub media: &'static str,
    pub retry_after: Option<u64>,
    /// What the request changes; nothing of it has happened.
    pub effects: Vec<ClusterEffect>,
    /// The body is what a watch begins with.
    pub watch: Option<super::watch::Watch>,
}

impl Answer {
    pub(super) fn json(status: u16, body: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, body, media: "application/json", ..Self::default() }
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        let media = "text/plain; charset=utf-8";
        Self { status, body: body.as_bytes().to_vec(), media, ..Self::default() }
    }

    pub(super) fn with(self, effects: Vec<ClusterEffect>) -> Self {
        Self { effects, ..self }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let retry_after = refusal.retry_after;
        Self { retry_after, ..Self::json(refusal.code, &refusal.to_json()) }
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(
        cluster: &'a Cluster,
        request: &'a Request,
        target: Target,
        resource: Resource,
        now_ms: u64,
    ) -> Self {
        let query = request.query();
        let manager = request.manager();
        let (api, time) = (resource.api(), ids::time(now_ms));
        Self { cluster, request, query, target, resource, now_ms, api, time, manager }
    }

    /// The key of the object in the path.
    pub(super) fn key(&self) -> Key {
        self.resource.key(&self.target.namespace, &self.target.name)
    }

    pub(super) fn live(&self, key: &Key) -> Option<Arc<Json>> {
        view::object(self.cluster, key, self.now_ms)
    }

    /// # Errors
    /// 404.
    pub(super) fn found(&self) -> Result<(Key, Arc<Json>), Refusal> {
        let key = self.key();
        let live = self.live(&key).ok_or_else(|| Refusal::not_found(&key))?;
        Ok((key, live))
    }

    /// Whoever owns what this request writes.
    pub(super) fn writer(&self) -> Writer<'_> {
        Writer {
            name: &self.manager,
            api: &self.api,
            subresource: &self.target.subresource,
            time: &self.time,
        }
    }

    pub(super) fn is_dry(&self) -> bool {
        self.query.get("dryRun") == "All"
    }

    pub(super) fn invalid(&self, name: &str, problems: &[super::refusal::Problem]) -> Refusal {
        Refusal::invalid(&self.resource.group, &self.resource.kind, name, problems)
    }

    pub(super) fn change(&self, change: Changed) -> ClusterEffect {
        ClusterEffect::In { cluster: self.cluster.id.clone(), change: Change(change) }
    }

    /// An answer with effects, which a dry run has not.
    pub(super) fn done(&self, answer: Answer, effects: Vec<ClusterEffect>) -> Answer {
        if self.is_dry() { answer } else { answer.with(effects) }
    }
}
