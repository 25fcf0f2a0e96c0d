//! Diagnostics of a spec with the lines they are about.

use std::fmt;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use crate::diag::{Diagnostic, Severity};
use crate::spec::SECRET_LABEL;

/// Keys after which a text may be a secret written out.
const SECRET_WORDS: [&str; 5] = ["password", "token", "secret", "key", "uuid"];

/// Renders each diagnostic with an excerpt of `text`, an arrow and its help, a blank line
/// between two. Without colour the bytes depend on the arguments alone.
///
/// Excerpts go to logs: what may be a secret in them is masked.
pub fn diagnostics(
    text: &str,
    file: &str,
    list: &[Diagnostic],
    color: bool,
    width: usize,
) -> String {
    let theme = match color {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler =
        GraphicalReportHandler::new_themed(theme).with_width(width.max(40)).with_links(false);
    let source = NamedSource::new(file, Arc::<str>::from(mask(text, list)));
    let mut out = String::new();
    for found in list {
        if !out.is_empty() {
            out.push('\n');
        }
        let report = Report { found, source: &source, text };
        let mut one = String::new();
        match handler.render_report(&mut one, &report) {
            Ok(()) => push_trimmed(&mut out, &one),
            Err(_) => out.push_str(&plain(found)),
        }
    }
    out
}

/// One diagnostic as miette wants it.
#[derive(Debug)]
struct Report<'a> {
    found: &'a Diagnostic,
    source: &'a NamedSource<Arc<str>>,
    text: &'a str,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.found.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.found.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.found.place.as_ref().map(|_| self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        // A place may be older than the text.
        let (start, end) = self.found.place.as_ref()?.span;
        let [start, end] = [start, end].map(|at| self.text.floor_char_boundary(at));
        let label = Some(self.found.label.clone());
        let span = LabeledSpan::new(label, start, end.saturating_sub(start));
        Some(Box::new(std::iter::once(span)))
    }
}

/// Replaces what may be a secret by stars, byte for byte, so that spans stay right.
fn mask(text: &str, list: &[Diagnostic]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let reported = list.iter().filter(|found| found.label == SECRET_LABEL);
    let spans = reported.filter_map(|found| found.place.as_ref().map(|place| place.span));
    for (start, end) in spans.chain(written_out(text)) {
        let masked = bytes.iter_mut().take(end).skip(start);
        for byte in masked.filter(|byte| !b"\r\n".contains(byte)) {
            *byte = b'*';
        }
    }
    // Spans lie on character boundaries, so this is the text or stars.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Quoted texts that a secret's key is given: `password = "…"`. Found without parsing, since
/// the text may not be TOML.
fn written_out(text: &str) -> Vec<(usize, usize)> {
    let given = |(at, _)| {
        let (before, value) = (text.get(..at)?, text.get(at + 1..)?);
        let key = before.trim_end_matches([' ', '\t', '"', '\'']).as_bytes();
        let start = text.len() - value.trim_start_matches([' ', '\t']).len();
        let quoted = text.get(start..)?;
        let quote =
            ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| quoted.starts_with(quote))?;
        // A host key is public, and worth seeing where it is wrong.
        if key.ends_with(b"host_key") {
            return None;
        }
        let ends = |word: &str| {
            let tail = key.len().checked_sub(word.len()).and_then(|at| key.get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word.as_bytes()))
        };
        SECRET_WORDS.into_iter().find(|word| ends(word))?;
        let inside = quoted.get(quote.len()..)?;
        // One quote closes on its line or not at all.
        let line = inside.find('\n').filter(|_| quote.len() == 1).unwrap_or(inside.len());
        let closed = inside.get(..line)?.find(quote).map_or(line, |at| at + quote.len());
        Some((start, start + quote.len() + closed))
    };
    text.match_indices('=').filter_map(given).collect()
}

/// miette pads lines with spaces; logs and pinned files are better without.
fn push_trimmed(out: &mut String, report: &str) {
    for line in report.trim_matches('\n').lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn plain(found: &Diagnostic) -> String {
    format!("{}\n  help: {}\n", found.message, found.help)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::parse;

    /// Some text, then what makes TOML and secrets.
    const TEXT: &str = "\\PC{0,9}(\n| = |password|\"|'|é|[a-c]|\\[|\\]|\t){0,30}";

    fn no_files() -> ProptestConfig {
        ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
    }

    fn check(text: &str, present: &[&str], absent: &[&str]) {
        let list = parse("s.toml", text).diagnostics;
        let shown = diagnostics(text, "s.toml", &list, false, 100);
        for part in present {
            assert!(shown.contains(part), "{part:?} is not in\n{shown}");
        }
        for part in absent {
            assert!(!shown.contains(part), "{part:?} is in\n{shown}");
        }
    }

    #[test]
    fn shows_the_line_and_the_way_out() {
        check("nme = \"a\"\n", &["s.toml:1:1", "nme = \"a\"", "did you mean `name`?"], &["\u{1b}"]);
    }

    #[test]
    fn never_shows_a_secret_that_was_written_out() {
        check(
            "[vcenter]\npassword = \"hunter2\"\nport = 0\n",
            &["must say where the secret is"],
            &["hunter2"],
        );
        check(
            "[vcenter]\npassword = { value = \"hunter2\" }\n",
            &["not a reference"],
            &["hunter2"],
        );
        check("[k3s]\ntoken = \"hunter2\nversion = 1\n", &["not valid TOML"], &["hunter2"]);
        check(
            "[vcenter]\nstorage_account = { password = \"hunter2\", principal = 1\nport = 0\n",
            &["not valid TOML"],
            &["hunter2"],
        );
        check("[k3s]\nport = 1\ntoken = 'hunter2'\n", &["`port` is not a key"], &["hunter2"]);
        check(
            "[vcenter]\npassword = '''\nhunter2\n'''\nport = 0\n",
            &["out of range"],
            &["hunter2"],
        );
        check(
            "[vcenter]\npassword = { env = \"hunter-2!\" }\n",
            &["not a reference"],
            &["hunter-2!"],
        );
    }

    #[test]
    fn shows_host_keys() {
        check("[ssh.jump]\nhost_key = \"MD5:aa\"\n", &["MD5:aa"], &[]);
    }

    proptest! {
        #![proptest_config(no_files())]

        #[test]
        fn any_text_is_rendered(text in TEXT, width in 0..200_usize) {
            let list = parse("f", &text).diagnostics;
            assert!(!diagnostics(&text, "f", &list, false, width).is_empty());
        }
    }

    #[test]
    fn survives_any_span() {
        let mut found = parse("f", "nme = 1\n").diagnostics.remove(0);
        found.place.as_mut().unwrap().span = (90, 4000);
        assert!(diagnostics("nme = 1\n", "f", &[found], false, 0).contains("nme"));
    }
}
