//! Syntax errors, and what can still be said of a file that has some.

use std::collections::BTreeSet;

use super::source::{Source, Span, Wrong};
use crate::diag::Diagnostic;

/// More syntax errors are mostly echoes of the first ones.
const SHOWN_MAX: usize = 3;

/// The first syntax errors, and of what else was found that which is not near one.
pub(super) fn report(
    source: &Source,
    text: &str,
    errors: &[toml::de::Error],
    found: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut spans: Vec<(Span, &toml::de::Error)> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(text.len()..text.len());
            ((span.start, span.end), error)
        })
        .collect();
    spans.sort_by_key(|(span, _)| *span);
    let broken: Vec<Span> = spans.iter().map(|(span, _)| part_around(text, *span)).collect();
    // What follows a broken header is read as something else than was meant.
    let mut headers = BTreeSet::new();
    spans.retain(|(span, _)| {
        let part = part_around(text, *span);
        let on_header = line_start(text, span.0) == part.0;
        let first = !headers.contains(&part);
        if on_header && text.get(part.0..).is_some_and(|rest| rest.starts_with('[')) {
            headers.insert(part);
        }
        first
    });
    let apart = |diagnostic: &Diagnostic| {
        let at = diagnostic.place.as_ref().map_or(0, |place| place.span.0);
        !broken.iter().any(|(start, end)| (*start..*end).contains(&at))
    };
    let shown = spans.iter().take(SHOWN_MAX).map(|(span, error)| {
        let wrong = Wrong::new(
            format!("the file is not valid TOML: {}", error.message()),
            "here",
            help(error.message()),
        );
        wrong.error(&source.place(*span))
    });
    shown.chain(found.into_iter().filter(apart)).collect()
}

/// From the table header before the error to the one after it.
fn part_around(text: &str, span: Span) -> Span {
    let start = span.0.min(text.len());
    let headers = || {
        let lines = text.match_indices('\n').map(|(at, _)| at + 1);
        lines.filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with('[')))
    };
    let before = headers().take_while(|at| *at <= start).last().unwrap_or(0);
    let after = headers().find(|at| *at > start).unwrap_or(text.len() + 1);
    (before, after)
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at.min(text.len())).unwrap_or("");
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

fn help(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "a key or a table can be written once: remove or rename one of the two"
    } else if message.contains("string") || message.contains("quote") {
        "text stands between quotes, and each quote is closed on its own line"
    } else {
        "mend this line first: what else the file says is checked when it can be read"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use crate::spec::parse;

    fn check(text: &str, expected: &[(u32, &str)]) {
        let parsed = parse("f", text);
        assert!(parsed.spec.is_none());
        let found = parsed
            .diagnostics
            .iter()
            .map(|found| (found.place.as_ref().unwrap().line, found.message.as_str()));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for ((line, message), (expected_line, part)) in found.iter().zip(expected) {
            assert_eq!(line, expected_line, "{message}");
            assert!(message.contains(part), "{message} has no {part}");
        }
    }

    #[test]
    fn a_broken_part_says_nothing_but_its_syntax_error() {
        check(
            "name = \"a\"\n[vcenter]\nserver = \nprot = 443\n[ssh]\nusr = \"x\"\n",
            &[(3, "not valid TOML"), (6, "`usr` is not a key of [ssh]")],
        );
    }

    #[test]
    fn a_table_written_twice_is_one_error() {
        check("[ssh]\nuser = \"a\"\n[ssh]\nuser = \"b\"\n", &[(3, "duplicate key")]);
    }

    #[test]
    fn at_most_three_syntax_errors_show() {
        check("a =\nb =\nc =\nd =\n", &[(1, "TOML"), (2, "TOML"), (3, "TOML")]);
    }
}
