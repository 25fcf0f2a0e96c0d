//! `lab drift` and `lab status` as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// What `boma lab drift` prints: what was changed behind boma's back.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma lab drift")]
pub struct LabDriftJson {
    /// What was changed, in the order of changing.
    pub drifted: Vec<LabDriftedJson>,
}

/// One thing that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LabDriftedJson {
    /// Which resource.
    pub address: String,
    /// Which of its attributes; `exists` where the object was deleted.
    pub attribute: String,
    /// The value until then.
    pub before: Json,
    /// The value from then on.
    pub after: Json,
}

/// What `boma lab status --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma lab status")]
pub struct LabStatusJson {
    /// The spec's name.
    pub name: String,
    /// The address of the vCenter of a `lab serve` in another process. Null where none runs.
    pub served_at: Option<String>,
    /// How many objects the world has, by type.
    pub objects: BTreeMap<String, u64>,
    /// Sessions of its clients.
    pub sessions: LabSessionsJson,
    /// Requests since the process began, by method.
    pub requests: BTreeMap<String, u64>,
    /// Tasks under way.
    pub running_tasks: u64,
    /// SHA-256 of what is in the world, without histories: equal worlds have equal digests.
    pub digest: String,
}

/// Sessions of a lab's clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabSessionsJson {
    /// Logged in now.
    pub open: u64,
    /// Ever logged in.
    pub total: u64,
}
