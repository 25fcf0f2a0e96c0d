//! Text in, diagnostics and perhaps a spec out.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::check::Checker;
use super::keys::ROOT;
use super::source::Source;
use super::{Pins, Spec, cross, read, syntax};
use crate::diag::{Diagnostic, Severity};

/// What came of a spec's text.
#[derive(Debug)]
pub struct Parsed {
    /// `None` if and only if a diagnostic is an error.
    pub spec: Option<Spec>,
    /// Everything that is wrong or odd, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a spec. `file` is what places call it; nothing is read from disk.
pub fn parse(file: &str, text: &str) -> Parsed {
    parse_pinned(file, text, &Pins::default())
}

/// Reads a spec where pins stand in for what it leaves open, as far as they hold.
pub fn parse_pinned(file: &str, text: &str, pins: &Pins) -> Parsed {
    let source = Source::new(file, text);
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut checker = Checker::new(&source);
    let table = checker.table("", (0, 0), ROOT, tree.get_ref());
    let Checker { mut found, missing, .. } = checker;
    if !errors.is_empty() {
        // Half a file: what is said of the other half would mostly be noise.
        return ended(None, syntax::report(&source, text, &errors, found));
    }
    found.extend(missing);
    let spec = read::read(&source, &table, pins, &mut found);
    cross::check(&spec, &mut found);
    ended(Some(spec), found)
}

fn ended(spec: Option<Spec>, mut diagnostics: Vec<Diagnostic>) -> Parsed {
    let span = |found: &Diagnostic| found.place.as_ref().map(|place| place.span);
    diagnostics.sort_by_key(span);
    // What a group says is said for each of its machines.
    let mut said = BTreeSet::new();
    diagnostics.retain(|found| said.insert((span(found), found.message.clone())));
    let refused = diagnostics.iter().any(|found| found.severity == Severity::Error);
    Parsed { spec: spec.filter(|_| !refused), diagnostics }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::cross::testing::SOUND;

    const NATIONAL: &str = include_str!("../../examples/national-50-counties.toml");

    /// What a value of the example is changed to.
    const VALUE: &str =
        r#"([0-9]{1,20}|"[ -~]{0,12}"|\[\]|\{ [a-z]{1,5} = 1 \}|true|-1|1979-05-27)"#;

    fn no_files() -> ProptestConfig {
        ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
    }

    /// The example's text up to a byte, or to the character before it.
    fn floor(at: usize) -> usize {
        NATIONAL.floor_char_boundary(at)
    }

    /// Checks what holds for every text.
    fn check(text: &str) {
        let parsed = parse("f", text);
        let refused = parsed.diagnostics.iter().any(|found| found.severity == Severity::Error);
        assert_eq!(parsed.spec.is_none(), refused);
        assert!(parsed.diagnostics.is_sorted_by_key(|found| found.place.as_ref().unwrap().span.0));
        for found in &parsed.diagnostics {
            let (start, end) = found.place.as_ref().unwrap().span;
            assert!(text.get(start..end).is_some(), "{found:?}");
            assert!(!found.message.ends_with('.') && !found.help.is_empty());
        }
    }

    proptest! {
        // Cases that fail are printed; nothing is left beside the source.
        #![proptest_config(no_files())]

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn any_toml_is_read_or_refused(text in "(\\[{1,2}[a-c.]{1,3}\\]{1,2}\n|[a-c.\"]{1,4} = \
            ([0-9'\"{}\\[\\],=a.-]{0,6})\n){0,8}") {
            check(&text);
        }

        #[test]
        fn a_cut_spec_is_read_or_refused(at in 0..NATIONAL.len(), more in 0..200_usize) {
            let (start, end) = (floor(at), floor(at + more));
            check(&NATIONAL[..start]);
            check(&format!("{}{}", &NATIONAL[..start], &NATIONAL[end..]));
        }

        #[test]
        fn a_spec_with_a_changed_value_is_read_or_refused(line in 0..200_usize, value in VALUE) {
            let lines = NATIONAL.lines().enumerate().map(|(at, text)| match text.split_once(" = ") {
                Some((key, _)) if at == line => format!("{key} = {value}\n"),
                _ => format!("{text}\n"),
            });
            check(&lines.collect::<String>());
        }
    }

    #[test]
    fn all_diagnostics_come_at_once_in_order() {
        let text = SOUND
            .replace("cpus = 4", "cpu = 4")
            .replace("8GiB", "8")
            .replace("count = 3\nname = \"county", "count = 0\nname = \"county");
        let found = parse("f", &text).diagnostics;
        let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`cpu` is not a key of [servers]",
                "`servers.memory` is not a size",
                "`projects.count` is out of range",
            ]
        );
    }

    #[test]
    fn defaults_and_overrides_keep_their_places() {
        let text = SOUND.replace(
            "[projects.defaults]",
            "[projects.overrides.county-2]\ncht = \"4.22.0\"\n[projects.defaults]",
        );
        let spec = parse("f", &text).spec.unwrap();
        let line_of = |part: &str| {
            u32::try_from(text.lines().position(|line| line == part).unwrap() + 1).unwrap()
        };
        let releases: Vec<(&str, u32)> = spec
            .projects
            .iter()
            .map(|project| (project.cht.as_str(), project.cht.place.line))
            .collect();
        let (common, own) = (line_of("cht = \"5.3.1\""), line_of("cht = \"4.22.0\""));
        assert_eq!(releases, [("5.3.1", common), ("4.22.0", own), ("5.3.1", common)]);
        assert_eq!(spec.k3s.cluster_cidr.place.line, line_of("[k3s]"));
        assert_eq!(spec.agents[1].cpus.place.line, line_of("cpus = 8"));
    }
}
