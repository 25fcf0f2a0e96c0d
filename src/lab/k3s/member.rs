//! Members of the embedded etcd.

use serde::{Deserialize, Serialize};

/// One etcd member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Member {
    /// The machine it runs on.
    pub host: String,
    /// Its node's name.
    pub node: String,
    /// Its own name: the node's, a hyphen and eight letters.
    pub name: String,
    pub address: String,
    /// When it was added.
    pub since_ms: u64,
    /// When it stops being a learner; `None` where it was stopped before that.
    pub voter_from_ms: Option<u64>,
    /// Whether its process runs.
    pub up: bool,
}

impl Member {
    pub(super) fn is_voter(&self, now_ms: u64) -> bool {
        self.voter_from_ms.is_some_and(|from_ms| from_ms <= now_ms)
    }
}
