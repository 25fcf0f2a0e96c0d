//! Where something has changed that controllers have not seen yet.

use std::collections::BTreeSet;

/// The namespaces to look at, or everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lab) struct Unsettled {
    pub everywhere: bool,
    pub namespaces: BTreeSet<String>,
}

/// Of a change: what has to be looked at again because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lab) enum Reach {
    Namespace(String),
    Everywhere,
}

/// Nothing is known of a cluster that was just made or read.
impl Default for Unsettled {
    fn default() -> Self {
        Self { everywhere: true, namespaces: BTreeSet::new() }
    }
}

impl Unsettled {
    /// Takes what there is and leaves nothing.
    pub(in crate::lab) fn take(&mut self) -> Self {
        let nothing = Self { everywhere: false, namespaces: BTreeSet::new() };
        std::mem::replace(self, nothing)
    }

    pub(in crate::lab) fn is_nothing(&self) -> bool {
        !self.everywhere && self.namespaces.is_empty()
    }

    pub(in crate::lab) fn has(&self, namespace: &str) -> bool {
        self.everywhere || self.namespaces.contains(namespace)
    }

    pub(super) fn add(&mut self, reach: Reach) {
        match reach {
            Reach::Everywhere => self.everywhere = true,
            Reach::Namespace(_) if self.everywhere => {}
            Reach::Namespace(name) => {
                self.namespaces.insert(name);
            }
        }
    }
}
