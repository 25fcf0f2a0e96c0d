//! The one model behind every format, the exit code and the saved file.

use serde::{Deserialize, Serialize};

use super::{Basis, BlockCause, Plan};
use crate::diag::Finding;

/// What reading the world cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadStats {
    /// Requests sent.
    pub requests: u64,
    /// Milliseconds it took.
    pub elapsed_ms: u64,
}

/// A plan with what the rules say about it.
#[derive(Clone, Debug)]
pub struct Review {
    /// The plan.
    pub plan: Plan,
    /// Findings, denials first.
    pub findings: Vec<Finding>,
    /// `None` offline.
    pub read: Option<ReadStats>,
}

impl Review {
    /// What the plan was made from.
    pub fn basis(&self) -> &Basis {
        &self.plan.basis
    }

    /// Whether a rule or an impossible wish refuses the plan (exit code 3).
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(Finding::refuses)
            || self
                .plan
                .blocked
                .iter()
                .any(|blocked| matches!(blocked.cause, BlockCause::Refused { .. }))
    }

    /// Whether something could not be read (exit code 1).
    pub fn has_unread(&self) -> bool {
        self.plan.blocked.iter().any(|blocked| matches!(blocked.cause, BlockCause::Unread(_)))
    }
}
