//! What answers for objects.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Address;

/// One thing that can be asked and told: `vcenter`, `host/server-1`, `kubernetes`.
///
/// The first segment picks the provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Endpoint(String);

impl Endpoint {
    /// The one vCenter of a spec.
    pub fn vcenter() -> Self {
        Self("vcenter".into())
    }

    /// The one Kubernetes cluster of a spec.
    pub fn kubernetes() -> Self {
        Self("kubernetes".into())
    }

    /// Takes the printed name.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The printed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which provider answers: the part before the first `/`.
    pub fn provider(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What planning and applying must know about an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointFacts {
    /// How many calls may be under way at once.
    pub limit: usize,
    /// The resources that make it exist, of which one is enough: a host's VM, the k3s servers.
    /// Empty where it stands already.
    pub opened_by: Vec<Address>,
}
