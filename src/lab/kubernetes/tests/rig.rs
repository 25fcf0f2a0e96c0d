//! A cluster of one server, and a client of its API.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::lab::k3s::{self, Cluster, Clusters, Role, Start};
use crate::lab::kubernetes::request::Request;
use crate::lab::kubernetes::{Answer, answer};

pub(super) struct Rig {
    pub clusters: Clusters,
    pub id: String,
    pub now_ms: u64,
    pub agent: String,
}

pub(super) const APPLY: &str = "application/apply-patch+yaml";
pub(super) const MERGE: &str = "application/merge-patch+json";

impl Rig {
    /// With the namespace `default`.
    pub(super) fn new() -> Self {
        let arguments = BTreeMap::from([("token".to_owned(), vec!["secret".to_owned()])]);
        let start = Start {
            host: "node-1",
            hostname: "node-1",
            address: "10.20.0.11",
            machine_uuid: "4211aaaa-0000-4000-8000-000000000001",
            machine_id: "0123456789abcdef0123456789abcdef",
            role: Role::Server,
            docker: None,
            version: "v1.35.9+k3s1",
            arguments: &arguments,
            data: None,
            node_password: "p",
            can_reach: &|_| true,
            now_ms: 1_795_380_375_000,
        };
        let mut clusters = Clusters::default();
        let started = k3s::start(&clusters, &start, 7).unwrap();
        started.effects.iter().for_each(|effect| clusters.apply(effect));
        let (id, now_ms) = (started.data, start.now_ms + 1_000);
        let mut rig = Self { clusters, id, now_ms, agent: "kubectl/v1.35".to_owned() };
        let (status, _) = rig.post("/api/v1/namespaces", json!({"metadata": {"name": "default"}}));
        assert_eq!(status, 201);
        rig
    }

    pub(super) fn cluster(&self) -> &Cluster {
        self.clusters.get(&self.id).unwrap()
    }

    pub(super) fn send(&mut self, method: &str, path: &str, media: &str, body: &str) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            content_type: media.to_owned(),
            user_agent: self.agent.clone(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        };
        let answer = answer(self.cluster(), &request, self.now_ms);
        answer.effects.iter().for_each(|effect| self.clusters.apply(effect));
        answer
    }

    fn json(&mut self, method: &str, path: &str, media: &str, body: &str) -> (u16, Json) {
        let answer = self.send(method, path, media, body);
        let body = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
        (answer.status, body)
    }

    pub(super) fn get(&mut self, path: &str) -> (u16, Json) {
        self.json("GET", path, "", "")
    }

    pub(super) fn post(&mut self, path: &str, body: Json) -> (u16, Json) {
        self.json("POST", path, "application/json", &body.to_string())
    }

    pub(super) fn put(&mut self, path: &str, body: &Json) -> (u16, Json) {
        self.json("PUT", path, "application/json", &body.to_string())
    }

    pub(super) fn patch(&mut self, path: &str, media: &str, body: Json) -> (u16, Json) {
        self.json("PATCH", path, media, &body.to_string())
    }

    pub(super) fn delete(&mut self, path: &str, body: Json) -> (u16, Json) {
        self.json("DELETE", path, "application/json", &body.to_string())
    }

    /// Applies as a manager, strictly.
    pub(super) fn apply(&mut self, path: &str, manager: &str, body: Json) -> (u16, Json) {
        let path = format!("{path}?fieldManager={manager}&fieldValidation=Strict");
        self.patch(&path, APPLY, body)
    }
}

pub(super) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

/// A Deployment as somebody writes it.
pub(super) fn deployment(name: &str) -> Json {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "main", "image": "registry/x:1",
                    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                }]},
            },
        },
    })
}
