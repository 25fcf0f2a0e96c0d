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
    /// Removes the object.
    Delete,
    /// Turns a machine off: through its guest where it listens, else hard.
    PowerOff,
    /// Raises a machine's virtual hardware to the version asked for.
    UpgradeHardware,
    /// Turns a machine on.
    PowerOn,
    /// Calls nothing: waits until the step's condition holds.
    Wait,
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
    /// The top-level attributes it writes; empty means none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Checked on the object just before; where it does not hold the change fails and nothing
    /// is called. A guard may only stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Condition>,
    /// Ends the step. Where it holds before the call, the call is not made.
    pub done: Condition,
    /// How long `done` may take, in seconds.
    pub deadline_s: u64,
}
