//! Which key a host should have shown.

use std::fmt;

/// The keys of a host, as somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Fingerprints, with their algorithm where it is known, joined by `or`.
    pub keys: String,
    /// Who says so.
    pub source: KeySource,
}

/// Who says which key a host has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `[ssh]` of the spec.
    Spec,
    /// The machine itself, through its guest info.
    Machine,
    /// A line of known_hosts, such as `/home/a/.ssh/known_hosts:12`.
    KnownHosts(String),
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} says {}", self.source, self.keys)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec => formatter.write_str("[ssh] in the spec"),
            Self::Machine => formatter.write_str("the machine's own guest info"),
            Self::KnownHosts(place) => formatter.write_str(place),
        }
    }
}
