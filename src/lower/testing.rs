//! A small spec for the tests of this folder.

use crate::spec::{Spec, parse};

/// 3 servers and 2 agents, cloned; 2 projects of one volume each.
const SMALL: &str = include_str!("../../tests/fixtures/small.toml");

/// The small spec with one text after the other replaced.
pub fn spec(edits: &[(&str, &str)]) -> Spec {
    let mut text = SMALL.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from:?} is not in the small spec");
        text = text.replacen(from, to, 1);
    }
    let parsed = parse("small.toml", &text);
    parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
}
