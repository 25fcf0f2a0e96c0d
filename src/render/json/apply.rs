//! The result of `apply` and `destroy` as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::{Failure, Halted, Outcome, Report};

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

/// The output of one run.
pub fn apply_json(report: &Report) -> ApplyJson {
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
    }
}

impl From<&Outcome> for OutcomeJson {
    fn from(outcome: &Outcome) -> Self {
        let Outcome { done, failed, skipped, interrupted } = *outcome;
        Self { done, failed, skipped, interrupted }
    }
}
