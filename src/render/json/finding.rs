//! A finding, and where something is said, as several outputs have them.

use schemars::JsonSchema;
use serde::Serialize;

use super::names;
use crate::diag::{Finding, Level};
use crate::resource::Place;

/// A place in a spec file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaceJson {
    /// The file as the user named it.
    pub file: String,
    /// 1-based.
    pub line: u32,
}

impl From<&Place> for PlaceJson {
    fn from(place: &Place) -> Self {
        Self { file: place.file.to_string(), line: place.line }
    }
}

/// What a rule says about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FindingJson {
    /// The rule's name, as used in waivers.
    pub rule: &'static str,
    /// `deny` refuses the plan unless waived.
    #[schemars(schema_with = "names::level")]
    pub level: Level,
    /// The spec file. Null where no line of the spec causes it.
    pub file: Option<String>,
    /// 1-based line in it. Null where no line of the spec causes it.
    pub line: Option<u32>,
    /// The resource. Null where the finding is about the spec as a whole.
    pub address: Option<String>,
    /// What is risky.
    pub message: String,
    /// The fix.
    pub help: String,
    /// The reason that the spec gives for accepting it. Null where it is not waived.
    pub waived: Option<String>,
}

impl From<&Finding> for FindingJson {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule,
            level: finding.level,
            file: finding.place.as_ref().map(|place| place.file.to_string()),
            line: finding.place.as_ref().map(|place| place.line),
            address: finding.address.as_ref().map(ToString::to_string),
            message: finding.message.clone(),
            help: finding.help.clone(),
            waived: finding.waived.clone(),
        }
    }
}
