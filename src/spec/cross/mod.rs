//! What no single key shows: names, addresses and sizes that contradict each other.
//!
//! Fillers of broken values (0.0.0.0, /0, empty text) pass every check here, so nothing is
//! reported twice.

mod cluster;
mod k3s;
mod machines;
mod projects;

use super::Spec;
use crate::diag::Diagnostic;

/// Reports contradictions.
pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    machines::check(spec, found);
    k3s::check(spec, found);
    cluster::check(spec, found);
    projects::check(spec, found);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub(super) mod testing {
    use crate::diag::Severity;
    use crate::spec::parse;

    /// A small spec without any diagnostic.
    pub(crate) const SOUND: &str = include_str!("sound.toml");

    /// Replaces texts in the sound spec and expects exactly these messages (in part).
    pub(crate) fn check(edits: &[(&str, &str)], expected: &[&str]) {
        let mut text = SOUND.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from:?} is not in the sound spec");
            text = text.replacen(from, to, 1);
        }
        let parsed = parse("f", &text);
        let found: Vec<String> =
            parsed.diagnostics.iter().map(|found| found.message.clone()).collect();
        assert_eq!(found.len(), expected.len(), "{:#?}", parsed.diagnostics);
        for (message, part) in found.iter().zip(expected) {
            assert!(message.contains(part), "{message:?} has no {part:?}");
        }
        let refused = parsed.diagnostics.iter().any(|found| found.severity == Severity::Error);
        assert_eq!(parsed.spec.is_none(), refused);
    }

    #[test]
    fn the_sound_spec_is_sound() {
        check(&[], &[]);
    }
}
