//! `state list` and `state show` as JSON.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::names;
use crate::render::value::masked;
use crate::resource::{Address, Attributes, Edge, EdgeKind, Endpoint, Kind};

/// What `boma state list --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "boma state list")]
pub struct StateListJson {
    /// The spec's name.
    pub name: String,
    /// Made with the first state; marks on objects carry it.
    pub lineage: String,
    /// Counts the times the state was written.
    pub serial: u64,
    /// What is recorded, by address.
    pub resources: Vec<StateItemJson>,
}

/// One recorded resource, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateItemJson {
    /// Which resource.
    pub address: String,
    /// Its kind.
    pub kind: &'static str,
    /// How the endpoint names it.
    pub id: String,
}

/// What `boma state show --format json` prints. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma state show")]
pub struct StateShowJson {
    /// Which resource.
    pub address: String,
    /// Its kind.
    pub kind: &'static str,
    /// Who answers for it.
    pub endpoint: String,
    /// How the endpoint names it.
    pub id: String,
    /// The owned fields as last written; null stands for a secret.
    pub attributes: Json,
    /// Computed fields, which others refer to.
    pub outputs: Json,
    /// What it depended on.
    pub edges: Vec<EdgeJson>,
    /// Never deleted, only forgotten.
    pub protected: bool,
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EdgeJson {
    /// Why the other comes first.
    #[schemars(schema_with = "names::edge")]
    pub kind: EdgeKind,
    /// The other.
    pub to: String,
}

/// One recorded resource.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// Which one.
    pub address: &'a Address,
    /// Its kind.
    pub kind: Kind,
    /// Who answers for it.
    pub endpoint: &'a Endpoint,
    /// How the endpoint names it.
    pub id: &'a str,
    /// Owned fields.
    pub attributes: &'a Attributes,
    /// Computed fields.
    pub outputs: &'a Attributes,
    /// What it depended on.
    pub edges: &'a [Edge],
    /// Never deleted.
    pub protected: bool,
}

/// The output for one resource.
pub fn state_show_json(recorded: &Recorded<'_>) -> StateShowJson {
    let shown =
        |attributes: &Attributes| masked(&without_sensitive(recorded.kind, "", &attributes.tree()));
    StateShowJson {
        address: recorded.address.to_string(),
        kind: recorded.kind.name,
        endpoint: recorded.endpoint.to_string(),
        id: recorded.id.to_owned(),
        attributes: shown(recorded.attributes),
        outputs: shown(recorded.outputs),
        edges: recorded.edges.iter().map(EdgeJson::from).collect(),
        protected: recorded.protected,
    }
}

impl From<&Edge> for EdgeJson {
    fn from(edge: &Edge) -> Self {
        Self { kind: edge.kind, to: edge.to.to_string() }
    }
}

/// Digests of secrets are not printed either: they could be compared.
fn without_sensitive(kind: Kind, path: &str, tree: &Json) -> Json {
    if !path.is_empty() && kind.field(path).sensitive {
        return Json::Null;
    }
    let Json::Object(map) = tree else { return tree.clone() };
    let below = |key: &String| if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
    let pairs =
        map.iter().map(|(key, value)| (key.clone(), without_sensitive(kind, &below(key), value)));
    Json::Object(pairs.collect::<Map<_, _>>())
}
