//! One node of a project's CouchDB, and what its objects are called.

/// A node: the only one, or one of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// From 1; `None` where it is the only one.
    pub number: Option<u32>,
}

impl Member {
    /// All nodes of a CouchDB, the first one first.
    pub fn all(count: u32) -> Vec<Self> {
        match count {
            0 | 1 => vec![Self { number: None }],
            count => (1..=count).map(|number| Self { number: Some(number) }).collect(),
        }
    }

    /// Whether the others join it.
    pub fn is_first(&self) -> bool {
        self.number.is_none_or(|number| number == 1)
    }

    /// Its position, from 0.
    pub fn index(&self) -> usize {
        let number = self.number.unwrap_or(1);
        usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX)
    }

    /// Its Service, and what the label of its pod says: `couchdb-2`, or `couchdb`.
    pub fn service(&self) -> String {
        self.numbered("couchdb", "-")
    }

    /// Its Deployment and its container.
    pub fn deployment(&self) -> String {
        format!("cht-{}", self.service())
    }

    /// Its claim.
    pub fn claim(&self) -> String {
        format!("{}-claim0", self.service())
    }

    /// What its port is called.
    pub fn port(&self) -> String {
        format!("{}-service", self.numbered("couchdb", ""))
    }

    /// The Service of the Nouveau beside it, where every node has one.
    pub fn nouveau(&self) -> String {
        self.numbered("nouveau", "-")
    }

    fn numbered(&self, name: &str, separator: &str) -> String {
        match self.number {
            Some(number) => format!("{name}{separator}{number}"),
            None => name.to_owned(),
        }
    }
}
