//! `import --format json`

use schemars::JsonSchema;
use serde::Serialize;

use super::AttributeJson;
use crate::plan::Change;

/// What `boma import --format json` prints. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma import")]
pub struct ImportJson {
    /// Which resource.
    pub address: String,
    /// Its kind.
    pub kind: &'static str,
    /// How the endpoint names the object that was recorded.
    pub id: String,
    /// Where it is not as the spec wants it; the next plan changes that.
    pub attributes: Vec<AttributeJson>,
}

/// The output for one recorded object.
pub fn import_json(change: &Change, id: &str) -> ImportJson {
    ImportJson {
        address: change.address.to_string(),
        kind: change.kind.name,
        id: id.to_owned(),
        attributes: change.attributes.iter().map(AttributeJson::from).collect(),
    }
}
