//! The recorded world.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::resource::{Address, Attributes, Digest, Edge, Endpoint, Kind, Locator, Mark, hex};

/// The format this version writes. Every older one still loads; a newer one is refused.
pub const FORMAT: u32 = 1;

/// All that boma recorded under one name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// See [`FORMAT`].
    pub format: u32,
    /// Random text made with the first state; marks on objects carry it.
    pub lineage: String,
    /// Counts the times `state.json` was written.
    pub serial: u64,
    /// Key of the digests that stand for secrets, hexadecimal. Never printed.
    pub digest_key: String,
    /// Who answered behind each endpoint, by endpoint name: the vCenter's instance UUID. Another
    /// one behind the same name is refused.
    #[serde(default)]
    pub identities: BTreeMap<String, String>,
    /// What stands, as last written or read by boma.
    pub resources: BTreeMap<Address, Record>,
    /// What an interrupted or failed run may have done.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<Address, Open>,
}

/// Everything but the digest key.
impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("lineage", &self.lineage)
            .field("serial", &self.serial)
            .field("identities", &self.identities)
            .field("resources", &self.resources)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl State {
    /// An empty state. Entropy comes from the caller.
    pub fn new(lineage: String, digest_key: &[u8; 32]) -> Self {
        Self {
            format: FORMAT,
            lineage,
            serial: 0,
            digest_key: hex(digest_key),
            identities: BTreeMap::new(),
            resources: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// Whether boma never recorded anything here.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.open.is_empty()
    }

    /// Every address that is recorded, sorted, then those that are only open.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        let open_only = self.open.keys().filter(|address| !self.resources.contains_key(*address));
        self.resources.keys().chain(open_only)
    }

    /// Where to look for an address that is recorded or open. `None` where it is neither.
    pub fn locator(&self, address: &Address) -> Option<Locator> {
        let record = self.resources.get(address);
        let open = self.open.get(address);
        let place = record.map(|record| &record.place).or(open.map(|open| &open.place))?;
        Some(Locator {
            id: record.map(|record| record.id.clone()),
            place: place.clone(),
            mark: Some(self.mark(address)),
            notes: open.map(|open| open.notes.clone()).unwrap_or_default(),
        })
    }

    /// The sign that boma leaves on the object of an address.
    pub fn mark(&self, address: &Address) -> Mark {
        Mark { lineage: self.lineage.clone(), address: address.clone() }
    }
}

/// One resource as boma last left or saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its kind.
    pub kind: Kind,
    /// Who answers for it.
    pub endpoint: Endpoint,
    /// How the endpoint names it.
    pub id: String,
    /// Its natural key when it was recorded.
    pub place: Attributes,
    /// The owned fields, as they were on the object after the last write; a digest stands for a
    /// secret.
    pub attributes: Attributes,
    /// Computed fields, which others refer to.
    pub outputs: Attributes,
    /// Digest of the whole object as read after the last write: equal means nobody touched it.
    #[serde(with = "digest_text")]
    pub seen: Digest,
    /// What it depended on, which orders its deletion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// Never deleted, only forgotten.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
}

/// A call whose outcome is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Kind of the resource.
    pub kind: Kind,
    /// Who was called.
    pub endpoint: Endpoint,
    /// The natural key of the object.
    pub place: Attributes,
    /// Whether the call was to remove it. Older states do not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removing: bool,
    /// What was noted on the way, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Json>,
}

mod digest_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::resource::Digest;

    pub fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(digest)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        Digest::parse(&text).ok_or_else(|| D::Error::custom("not a SHA-256 digest"))
    }
}
