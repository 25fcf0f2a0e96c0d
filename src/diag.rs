//! What boma tells people about a spec: diagnostics (it cannot be read as meant) and
//! findings (it can, and a rule says what is risky about it).

use serde::{Deserialize, Serialize};

use crate::resource::Address;
pub use crate::resource::Place;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The spec cannot be used.
    Error,
    /// The spec can be used; somebody probably meant something else.
    Warning,
}

/// One thing wrong with a spec, at its place, with the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Errors refuse the spec.
    pub severity: Severity,
    /// What is wrong: a lower-case sentence without a full stop.
    pub message: String,
    /// What the excerpt's arrow says; a few words.
    pub label: String,
    /// What to do next.
    pub help: String,
    /// Where. `None` where the file itself could not be read.
    pub place: Option<Place>,
}

/// What happens when a rule does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not even printed.
    Allow,
    /// Printed.
    Warn,
    /// Printed, and the plan is refused (exit code 3) unless waived.
    Deny,
}

/// What a rule says about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, as used in waivers: `data-loss`.
    pub rule: &'static str,
    /// Warn or deny.
    pub level: Level,
    /// What is risky: a lower-case sentence without a full stop.
    pub message: String,
    /// The fix.
    pub help: String,
    /// The spec line that causes it. `None` where no line of the spec does.
    pub place: Option<Place>,
    /// The resource it is about. `None` where it is about the spec as a whole.
    pub address: Option<Address>,
    /// The reason given in the spec's waiver, where one applies today.
    pub waived: Option<String>,
}

impl Finding {
    /// Whether this alone refuses the plan.
    pub fn refuses(&self) -> bool {
        self.level == Level::Deny && self.waived.is_none()
    }
}
