//! One call that a change consists of, as data.

use serde::{Deserialize, Serialize};

use crate::resource::{Address, Condition, Endpoint, Kind};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Makes the object.
    Create,
    /// Writes the fields that differ.
    Update,
    /// Removes the object. A provider refuses it for what holds data.
    Delete,
    /// Removes an object that holds data, which the user gave up by name.
    Abandon,
    /// Turns a machine off: through its guest where it listens, else hard.
    PowerOff,
    /// Raises a machine's virtual hardware to the version asked for.
    UpgradeHardware,
    /// Turns a machine on.
    PowerOn,
    /// Calls nothing: waits until the step's condition holds.
    Wait,
    /// Starts a new k3s cluster on a server.
    InitCluster,
    /// Starts k3s on a machine and makes it part of the cluster that the other servers are.
    Join,
    /// Starts a service that was stopped.
    Start,
    /// Starts a service anew, with what is on disk.
    Restart,
    /// Keeps new pods off a node and moves the ones it has.
    Drain,
    /// Lets pods on a node again, where boma kept them off.
    Uncordon,
    /// Saves the cluster's data on a server's disk.
    EtcdSnapshot,
    /// Takes a node, its etcd member and its password out of the cluster.
    Expel,
    /// Makes the cluster accept another server token.
    RotateToken,
}

impl Operation {
    /// Whether it takes the object away.
    pub fn removes(self) -> bool {
        matches!(self, Self::Delete | Self::Abandon)
    }

    /// In words, as in `power off server-1`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Abandon => "delete for good",
            Self::PowerOff => "power off",
            Self::UpgradeHardware => "upgrade the hardware of",
            Self::PowerOn => "power on",
            Self::Wait => "wait for",
            Self::InitCluster => "begin a cluster on",
            Self::Join => "join",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Drain => "drain",
            Self::Uncordon => "uncordon",
            Self::EtcdSnapshot => "save etcd on",
            Self::Expel => "expel",
            Self::RotateToken => "rotate the token of",
        }
    }
}

/// One call, with what must hold before it and what ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The resource it works on.
    pub address: Address,
    /// The resource's kind.
    pub kind: Kind,
    /// Who is called.
    pub endpoint: Endpoint,
    /// What is done.
    pub operation: Operation,
    /// The attributes it writes, those at the top; of an object that is applied whole
    /// ([`crate::resource::Lifecycle::Applied`]) the paths that the plan says change. Empty means
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Checked on the object just before; where it does not hold the change fails and nothing
    /// is called. A guard may only stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Condition>,
    /// How long the guard may take to hold, in seconds; 0 where waiting would change nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub guard_s: u64,
    /// Ends the step. Where it holds before the call, the call is not made.
    pub done: Condition,
    /// How long `done` may take, in seconds.
    pub deadline_s: u64,
}

fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}
