//! `graph --format json`

use schemars::JsonSchema;
use serde::Serialize;

use super::{PlaceJson, names};
use crate::render::drawing::{Drawing, Line};
use crate::resource::{EdgeKind, Layer};

/// What `boma graph --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "boma graph")]
pub struct GraphJson {
    /// The spec's name.
    pub name: String,
    /// Every resource, by layer, kind and address.
    pub nodes: Vec<NodeJson>,
    /// Every dependency, by its ends.
    pub edges: Vec<NeedJson>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeJson {
    /// Which one.
    pub address: String,
    /// Its kind.
    pub kind: &'static str,
    /// Where the kind stands.
    #[schemars(schema_with = "names::layer")]
    pub layer: Layer,
    /// The spec line that asks for it.
    pub origin: PlaceJson,
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NeedJson {
    /// What needs something.
    pub from: String,
    /// What comes first.
    pub to: String,
    /// Why; at least one.
    #[schemars(schema_with = "names::edges")]
    pub kinds: Vec<EdgeKind>,
    /// A chain of other dependencies says it too; pictures leave it out.
    pub implied: bool,
}

/// The output for one spec.
pub fn graph_json(drawing: &Drawing) -> GraphJson {
    let kinds = drawing.groups.iter().flat_map(|group| &group.kinds);
    let nodes = kinds.flat_map(|(kind, nodes)| {
        nodes.iter().map(|node| NodeJson {
            address: node.address.to_string(),
            kind: kind.name,
            layer: Layer::of(&node.address, *kind),
            origin: PlaceJson::from(&node.origin),
        })
    });
    GraphJson {
        name: drawing.name.clone(),
        nodes: nodes.collect(),
        edges: drawing.lines.iter().map(NeedJson::from).collect(),
    }
}

impl From<&Line> for NeedJson {
    fn from(line: &Line) -> Self {
        Self {
            from: line.from.to_string(),
            to: line.to.to_string(),
            kinds: line.kinds.clone(),
            implied: line.implied,
        }
    }
}
