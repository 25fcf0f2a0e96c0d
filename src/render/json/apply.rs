//! The result of `apply` and `destroy` as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::{Failure, Halted, Outcome, Report};
use crate::plan::Disk;

/// What `boma apply --format json` and `boma destroy --format json` print at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "boma apply")]
pub struct ApplyJson {
    /// What it came to.
    pub outcome: OutcomeJson,
    /// What failed, in the order of failing.
    pub failures: Vec<FailureJson>,
    /// The rollout that ended before every project had its turn. Null where none did.
    pub halted: Option<HaltedJson>,
    /// Disks with data that stay on the datastore although the cluster, or their project, is gone.
    /// Empty where none do, and where something failed.
    pub disks_left: Vec<DiskJson>,
}

/// A disk that holds a project's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiskJson {
    /// The project, or the namespace where that is no project's.
    pub project: String,
    /// The claim that it was made for.
    pub claim: String,
    /// The volume.
    pub volume: String,
    /// Its id in vCenter's container volumes. Null where the driver says none.
    pub disk: Option<String>,
    /// As in `50Gi`.
    pub size: String,
}

/// A rollout that ended before every project had its turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HaltedJson {
    /// The projects that failed.
    pub failed: Vec<String>,
    /// The projects that nothing was done to.
    pub unreached: Vec<String>,
}

/// What an apply came to. A replace counts twice: its delete and its create.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeJson {
    /// Done.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Not begun because of a failure or an interruption.
    pub skipped: usize,
    /// Somebody interrupted it.
    pub interrupted: bool,
}

/// One change that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailureJson {
    /// Which resource.
    pub address: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub help: String,
}

/// The output of one run, which leaves these disks behind.
pub fn apply_json(report: &Report, left: &[Disk]) -> ApplyJson {
    let failure = |failure: &Failure| FailureJson {
        address: failure.address.to_string(),
        message: failure.message.clone(),
        help: failure.help.clone(),
    };
    let halted = |halted: &Halted| HaltedJson {
        failed: halted.failed.clone(),
        unreached: halted.unreached.clone(),
    };
    ApplyJson {
        outcome: (&report.outcome).into(),
        failures: report.failures.iter().map(failure).collect(),
        halted: report.halted.as_ref().map(halted),
        disks_left: left.iter().map(DiskJson::from).collect(),
    }
}

impl From<&Disk> for DiskJson {
    fn from(disk: &Disk) -> Self {
        let Disk { project, claim, volume, id, size, .. } = disk.clone();
        Self { project, claim, volume, disk: id, size }
    }
}

impl From<&Outcome> for OutcomeJson {
    fn from(outcome: &Outcome) -> Self {
        let Outcome { done, failed, skipped, interrupted } = *outcome;
        Self { done, failed, skipped, interrupted }
    }
}
