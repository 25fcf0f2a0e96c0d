//! What happened to a cluster, in order, so that tests can ask whether it was done right.

use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Audited {
    pub at_ms: u64,
    pub node: String,
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) enum Happened {
    /// A server made the cluster.
    Born,
    /// A node came up that was not there before.
    Joined {
        server: bool,
        version: String,
    },
    /// k3s was stopped, restarted, or its machine went away.
    Stopped {
        server: bool,
        /// Whether it was cordoned.
        cordoned: bool,
        /// Pods that a drain would have moved away.
        pods_left: usize,
        voters: usize,
        /// Voters that were still up afterwards.
        voters_up: usize,
        /// All servers that were down afterwards, itself included.
        servers_down: Vec<String>,
    },
    /// A node that was there came up again.
    Started {
        server: bool,
        version: String,
    },
    SkippedMinor {
        from: String,
        to: String,
    },
    Downgraded {
        from: String,
        to: String,
    },
    /// A kubelet that is newer than a server, or a server two minors away from another one.
    Skew {
        version: String,
        other: String,
    },
    /// Critical flags changed while no other server was up.
    CriticalChanged {
        flags: Vec<String>,
    },
    Cordoned,
    Uncordoned,
    Drained,
    /// A drain that did not come to its end.
    DrainFailed,
    Deleted,
    SnapshotSaved,
    TokenRotated,
}
