//! What an object is stored under.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// API group, plural, namespace and name. Written as one text, `apps/deployments/kube-system/x`:
/// the core group and the namespace of what has none are empty.
///
/// Ordered so that a kind's objects, and of those a namespace's, stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::lab) struct Key {
    pub group: String,
    pub plural: String,
    pub namespace: String,
    pub name: String,
}

impl Key {
    /// An object in a namespace; an empty namespace for what lives in none.
    pub(in crate::lab) fn new(group: &str, plural: &str, namespace: &str, name: &str) -> Self {
        Self {
            group: group.to_owned(),
            plural: plural.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// `deployments.apps`, or `pods`: the resource as the server names it in messages.
    pub(in crate::lab) fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.group, self.plural, self.namespace, self.name)
    }
}

/// A text that is no key.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not group/plural/namespace/name")]
pub(in crate::lab) struct NoKey(String);

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let mut parts = text.splitn(4, '/');
        let mut part = || parts.next();
        match (part(), part(), part(), part()) {
            (Some(group), Some(plural), Some(namespace), Some(name)) => {
                Ok(Self::new(group, plural, namespace, name))
            }
            _ => Err(NoKey(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Key {
    type Error = NoKey;

    fn try_from(text: String) -> Result<Self, NoKey> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}
