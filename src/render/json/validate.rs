//! `validate --format json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{FindingJson, names};
use crate::diag::{Diagnostic, Finding, Severity};

/// What `boma validate --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "boma validate")]
pub struct ValidateJson {
    /// No diagnostic is an error and no finding refuses the spec.
    pub valid: bool,
    /// Everything that cannot be read as meant.
    pub diagnostics: Vec<DiagnosticJson>,
    /// What the rules say; empty where the spec could not be read.
    pub findings: Vec<FindingJson>,
}

/// One thing wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiagnosticJson {
    /// An `error` refuses the spec.
    #[schemars(schema_with = "names::severity")]
    pub severity: Severity,
    /// The spec file. Null where it could not be read.
    pub file: Option<String>,
    /// 1-based. Null where the file could not be read.
    pub line: Option<u32>,
    /// 1-based, in characters. Null where the file could not be read.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl From<&Diagnostic> for DiagnosticJson {
    fn from(diagnostic: &Diagnostic) -> Self {
        let place = diagnostic.place.as_ref();
        Self {
            severity: diagnostic.severity,
            file: place.map(|place| place.file.to_string()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// The output for one spec.
pub fn validate_json(diagnostics: &[Diagnostic], findings: &[Finding]) -> ValidateJson {
    let broken = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    ValidateJson {
        valid: !broken && !findings.iter().any(Finding::refuses),
        diagnostics: diagnostics.iter().map(DiagnosticJson::from).collect(),
        findings: findings.iter().map(FindingJson::from).collect(),
    }
}
