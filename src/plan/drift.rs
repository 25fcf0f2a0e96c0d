//! What somebody changed outside boma: prior against live, owned fields only. A spec edit that
//! is not yet applied is no drift.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::resource::{Address, Kind};

/// The path of the one attribute of an object that was deleted: recorded `true`, live `false`.
pub const EXISTS: &str = "exists";

/// Everything found by one look at the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftReport {
    /// The spec's name.
    pub name: String,
    /// What differs, by address.
    pub drifted: Vec<Drifted>,
    /// What could not be read, by address, and why.
    pub unread: Vec<Unread>,
    /// How many resources were compared; unread ones are not.
    pub checked: usize,
}

/// One resource that is not as boma left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drifted {
    /// Which resource.
    pub address: Address,
    /// Its kind.
    pub kind: Kind,
    /// What differs, by path; at least one.
    pub attributes: Vec<DriftAttribute>,
    /// Whether the object is still there.
    pub exists_live: bool,
}

impl Drifted {
    /// An object that is gone.
    pub fn deleted(address: Address, kind: Kind) -> Self {
        let attribute = DriftAttribute {
            path: EXISTS.into(),
            recorded: Some(true.into()),
            live: Some(false.into()),
            sensitive: false,
            changed_by: None,
        };
        Self { address, kind, attributes: vec![attribute], exists_live: false }
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftAttribute {
    /// Keys joined by dots.
    pub path: String,
    /// What boma wrote. `None` where it wrote nothing there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Json>,
    /// What is there now. `None` where the field is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Json>,
    /// Both values are secret: print neither.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// Who wrote the live value, by the endpoint's own books. `None` where it keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// One resource about which nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Which resource.
    pub address: Address,
    /// Why, and what to do.
    pub reason: String,
}
