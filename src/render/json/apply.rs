//! The result of `apply` and `destroy` as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::{Event, Outcome};

/// What `boma apply --format json` and `boma destroy --format json` print at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "boma apply")]
pub struct ApplyJson {
    /// What it came to.
    pub outcome: OutcomeJson,
    /// What failed, in the order of failing.
    pub failures: Vec<FailureJson>,
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

/// The output of one run: what it came to, and the failures among its events.
pub fn apply_json<'a>(outcome: &Outcome, events: impl IntoIterator<Item = &'a Event>) -> ApplyJson {
    let failure = |event: &Event| match event {
        Event::Failed { address, message, help } => Some(FailureJson {
            address: address.to_string(),
            message: message.clone(),
            help: help.clone(),
        }),
        _ => None,
    };
    ApplyJson {
        outcome: outcome.into(),
        failures: events.into_iter().filter_map(failure).collect(),
    }
}

impl From<&Outcome> for OutcomeJson {
    fn from(outcome: &Outcome) -> Self {
        let Outcome { done, failed, skipped, interrupted } = *outcome;
        Self { done, failed, skipped, interrupted }
    }
}
