//! What a machine that is to join finds where it shall join, asked before anything is written.

use futures_util::future::join_all;
use serde_json::{Value as Json, json};

use super::join::Join;
use super::provider::Machines;
use super::unit::Role;
use crate::provider::Retry;
use crate::provider::host::{Failure, Probe, Remote, Target};

/// A machine that is up and not in the cluster yet.
pub struct Candidate {
    /// Its name and address.
    pub target: Target,
    /// Its kind: `k3s/server` or `k3s/agent`.
    pub kind: &'static str,
    /// Everything desired of it, secrets resolved.
    pub attributes: Json,
}

impl Machines {
    /// Has machines ask what joining will ask: `/ping`, `/cacerts`, and `/v1-k3s/readyz` with the
    /// token. The answers come in the machines' order, as attributes of `host/machine`:
    ///
    /// - `join`: `ready`, `silent`, `not-ready`, `another-cluster` or `token-refused`; with
    ///   `join_problem` where it is not `ready`;
    /// - `token_accepted`, where a server said yes or no.
    ///
    /// `None` where it cannot be asked: no server was seen that runs, so that nobody knows which
    /// cluster should answer; or the machine itself is cut off.
    pub async fn preflight(&self, candidates: &[Candidate]) -> Vec<Option<Json>> {
        join_all(candidates.iter().map(|candidate| self.knock(candidate))).await
    }

    async fn knock(&self, candidate: &Candidate) -> Option<Json> {
        let known_hashes = self.ca_hashes(&candidate.target);
        let role = Role::of_kind(candidate.kind)?;
        if known_hashes.is_empty() {
            return None;
        }
        // The token is the desired one: what lies on a host that never joined is half an
        // installation, which is written anew.
        let (probe, attributes) = (Probe::default(), &candidate.attributes);
        let remote = Remote { hosts: self.hosts(), target: &candidate.target };
        let join = Join { remote, role, probe: &probe, attributes, known_hashes };
        let token = attributes["token"].as_str()?;
        let address = match join.server().await {
            Ok((address, _)) => address,
            Err(failure) => return problem(&failure, "another-cluster", "silent"),
        };
        match join.try_token(&address, token).await {
            Ok(()) => Some(json!({"join": "ready", "token_accepted": true})),
            Err(failure) => problem(&failure, "token-refused", "not-ready"),
        }
    }
}

/// What was found: one thing where it stays so, another where it may pass. The machine's own
/// connection says nothing of the cluster.
fn problem(failure: &Failure, stays: &str, passes: &str) -> Option<Json> {
    let Failure::Refused { message, retry, .. } = failure else { return None };
    let what = if *retry == Retry::Never { stays } else { passes };
    let mut found = json!({"join": what, "join_problem": message});
    if what == "token-refused" {
        found["token_accepted"] = false.into();
    }
    Some(found)
}
