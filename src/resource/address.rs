//! The printed identity of a resource, and globs over it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Names one resource for people, plans, state and targets.
///
/// Shape: segments joined by `/`, the first ones being the kind:
/// `vsphere/vm/server-1`, `cluster/cpi/DaemonSet/vsphere-cloud-controller-manager`.
/// Order is by text, which is the order of everything printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Arc<str>);

impl Address {
    /// Joins a kind and a name.
    pub fn of(kind: &str, name: &str) -> Self {
        Self(format!("{kind}/{name}").into())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The project whose resource it is: `county-07` of `project/county-07/Deployment/cht-api`.
    pub fn project(&self) -> Option<&str> {
        self.0.strip_prefix("project/")?.split('/').next()
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pattern over addresses: `*` stands for any text within one segment, `**` for any
/// number of whole segments. `project/county-0*/**` is every object of ten projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Glob(String);

impl Glob {
    /// Takes any text: a pattern without stars matches just that address.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern covers the whole address.
    pub fn matches(&self, address: &Address) -> bool {
        if !self.frames(&address.0) {
            return false;
        }
        let pattern: Vec<&str> = self.0.split('/').collect();
        let segments: Vec<&str> = address.0.split('/').collect();
        match_segments(&pattern, &segments)
    }

    /// Whether an address begins and ends as the pattern does outside its stars: most addresses do
    /// not, and are told apart without taking anything to pieces.
    fn frames(&self, address: &str) -> bool {
        let (head, tail) = match (self.0.split_once('*'), self.0.rsplit_once('*')) {
            (Some((head, _)), Some((_, tail))) => (head, tail),
            _ => return self.0 == address,
        };
        // A `**` may stand for nothing, and then its slash does.
        let (head, tail) = (head.trim_end_matches('/'), tail.trim_start_matches('/'));
        address.starts_with(head) && address.ends_with(tail)
    }
}

fn match_segments(pattern: &[&str], segments: &[&str]) -> bool {
    match (pattern.split_first(), segments.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            (0..=segments.len()).any(|skipped| match_segments(rest, &segments[skipped..]))
        }
        (Some((first, rest)), Some((segment, more))) => {
            match_text(first, segment) && match_segments(rest, more)
        }
        _ => false,
    }
}

/// Takes for each star as little as it can: what fits later fits then, too, so that no pattern
/// takes more than its length times the text's.
fn match_text(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let (between, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text.strip_prefix(head).and_then(|text| text.strip_suffix(tail));
    let Some(mut inner) = inner else { return false };
    between.split('*').all(|part| match inner.split_once(part) {
        Some((_, after)) => {
            inner = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, address: &str, expected: bool) {
        assert_eq!(
            Glob::new(pattern).matches(&Address::from(address)),
            expected,
            "{pattern} on {address}"
        );
    }

    #[test]
    fn globs_cover_segments_and_whole_tails() {
        check("vsphere/vm/server-1", "vsphere/vm/server-1", true);
        check("vsphere/vm/*", "vsphere/vm/server-1", true);
        check("vsphere/*", "vsphere/vm/server-1", false);
        check("vsphere/**", "vsphere/vm/server-1", true);
        check("project/county-0*/**", "project/county-07/Deployment/cht-api", true);
        check("project/county-0*/**", "project/county-17/Deployment/cht-api", false);
        check("**/server-*", "vsphere/vm/server-1", true);
        check("**", "a", true);
        check("a*c", "abbc", true);
        check("a*c", "abbcd", false);
        check("a*a", "a", false);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c-b", false);
        check("*-*-*", "a-b", false);
        check("a/**", "a", true);
        check("**/a", "a", true);
        check("a/**/b", "a/b", true);
        check("a/**/b", "a", false);
        check("*", "", true);
    }

    #[test]
    fn many_stars_take_no_longer_than_few() {
        let pattern = "*a".repeat(40) + "*b";
        check(&pattern, &"a".repeat(400), false);
        check(&(pattern + "*"), &("a".repeat(400) + "b"), true);
    }
}
