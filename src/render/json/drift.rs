//! `drift --format json`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::plan::{DriftAttribute, DriftReport, Drifted, Unread};
use crate::render::value::masked;

/// What `boma drift --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma drift")]
pub struct DriftJson {
    /// The spec's name.
    pub name: String,
    /// What somebody changed, by address.
    pub drift: Vec<DriftedJson>,
    /// What could not be read.
    pub unread: Vec<UnreadJson>,
    /// How many resources were compared.
    pub checked: usize,
}

/// One resource that is not as boma left it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DriftedJson {
    /// Which resource.
    pub address: String,
    /// Its kind.
    pub kind: &'static str,
    /// What differs; of a deleted object the one path `exists`.
    pub attributes: Vec<DriftAttributeJson>,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DriftAttributeJson {
    /// Keys joined by dots.
    pub path: String,
    /// What boma wrote. Null where it wrote nothing or the field is sensitive.
    pub recorded: Option<Json>,
    /// What is there now. Null where the field is gone or is sensitive.
    pub live: Option<Json>,
    /// Both values are secret and are not printed.
    pub sensitive: bool,
    /// Who wrote the live value, by the endpoint's own books. Absent where it keeps none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// One resource about which nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnreadJson {
    /// Which resource.
    pub address: String,
    /// Why, and what to do.
    pub reason: String,
}

/// The output for one look at the world.
pub fn drift_json(report: &DriftReport) -> DriftJson {
    DriftJson {
        name: report.name.clone(),
        drift: report.drifted.iter().map(DriftedJson::from).collect(),
        unread: report.unread.iter().map(UnreadJson::from).collect(),
        checked: report.checked,
    }
}

impl From<&Drifted> for DriftedJson {
    fn from(drifted: &Drifted) -> Self {
        Self {
            address: drifted.address.to_string(),
            kind: drifted.kind.name,
            attributes: drifted.attributes.iter().map(DriftAttributeJson::from).collect(),
        }
    }
}

impl From<&DriftAttribute> for DriftAttributeJson {
    fn from(attribute: &DriftAttribute) -> Self {
        let shown =
            |value: &Option<Json>| value.as_ref().filter(|_| !attribute.sensitive).map(masked);
        Self {
            path: attribute.path.clone(),
            recorded: shown(&attribute.recorded),
            live: shown(&attribute.live),
            sensitive: attribute.sensitive,
            changed_by: attribute.changed_by.clone(),
        }
    }
}

impl From<&Unread> for UnreadJson {
    fn from(unread: &Unread) -> Self {
        Self { address: unread.address.to_string(), reason: unread.reason.clone() }
    }
}
