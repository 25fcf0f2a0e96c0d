//! Remote things as they were just read.

use serde::{Deserialize, Serialize};

use super::{Address, Attributes};

/// boma's sign on an object: VM extraConfig, Kubernetes label, marker file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which state it belongs to.
    pub lineage: String,
    /// Which resource of that state it is.
    pub address: Address,
}

/// One remote thing in the common shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// How the endpoint names it for as long as it lives: instance UUID, moref, uid.
    pub id: String,
    /// Owned and computed fields.
    pub attributes: Attributes,
    /// boma's sign on it. `None` where it has none or its kind cannot carry one.
    pub mark: Option<Mark>,
}

/// What reading one address found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    /// The object.
    Present(Object),
    /// Proof that there is none: looked up by id and by place.
    Absent,
    /// Nobody knows, and why. Never leads to create, replace, delete or forget.
    Unread(String),
}

impl Reading {
    /// The object, where one was read.
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Present(object) => Some(object),
            Self::Absent | Self::Unread(_) => None,
        }
    }
}

/// Where a provider looks for one address, in the order id, mark, place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locator {
    /// The id recorded in the state. `None` where boma never saw the object.
    pub id: Option<String>,
    /// The natural key: the kind's own fields, such as `{"path": "/DC1/vm/cht/server-1"}`.
    pub place: Attributes,
    /// The sign that an interrupted create would have left. `None` where the kind carries none.
    pub mark: Option<Mark>,
    /// What an interrupted run noted about work under way, such as a task id. The reader waits
    /// for it before it looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<serde_json::Value>,
}
