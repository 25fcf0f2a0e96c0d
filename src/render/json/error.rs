//! An error as JSON, where an output is asked for as JSON and there is none.

use schemars::JsonSchema;
use serde::Serialize;

/// What any command prints with `--format json` when it fails as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "boma error")]
pub struct ErrorJson {
    /// What happened.
    pub error: FaultJson,
}

/// One failure of a whole command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FaultJson {
    /// What happened, with its causes.
    pub message: String,
    /// What to do next. Null where the message says it.
    pub help: Option<String>,
    /// The exit code.
    pub code: u8,
}
