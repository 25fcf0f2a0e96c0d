//! Words that several rules share.

use std::collections::BTreeMap;

use crate::diag::Place;
use crate::spec::{Sp, Subnet};

/// `a`, `a and b`, or `a and 49 more`.
pub fn names(all: &[&str]) -> String {
    match all {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} and {other}"),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}

/// `1 volume`, `3 volumes`.
pub fn count(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// Names of projects or machines by the line that says something of them, so that fifty
/// projects with one default are one finding.
pub fn by_place<'a>(
    named: impl IntoIterator<Item = (&'a Place, &'a Sp<String>)>,
) -> BTreeMap<&'a Place, Vec<&'a str>> {
    let mut groups: BTreeMap<&Place, Vec<&str>> = BTreeMap::new();
    for (place, name) in named {
        groups.entry(place).or_default().push(name);
    }
    groups
}

/// Whether a network is all of IPv4.
pub fn is_anywhere(network: &Subnet) -> bool {
    network.prefix == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_counted() {
        assert_eq!(names(&["a"]), "a");
        assert_eq!(names(&["a", "b"]), "a and b");
        assert_eq!(names(&["a", "b", "c"]), "a and 2 more");
        assert_eq!(count(1, "pod"), "1 pod");
        assert_eq!(count(0, "pod"), "0 pods");
    }
}
