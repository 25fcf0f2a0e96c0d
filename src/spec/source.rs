//! The text of a spec and how byte offsets in it become places.

use std::sync::Arc;

use crate::diag::{Diagnostic, Place, Severity};

/// A byte range in the text.
pub(super) type Span = (usize, usize);

/// The text and where its lines start.
pub(super) struct Source {
    file: Arc<str>,
    /// Byte offset of each line's first character.
    lines: Vec<usize>,
    /// For columns: character widths differ.
    text: Arc<str>,
}

impl Source {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file: file.into(),
            lines: std::iter::once(0).chain(starts).collect(),
            text: text.into(),
        }
    }

    /// Line and column of the span's start. Offsets past the end count as the end.
    pub(super) fn place(&self, span: Span) -> Place {
        let start = span.0.min(self.text.len());
        let line = self.lines.partition_point(|begin| *begin <= start).max(1);
        let begin = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(begin..start).unwrap_or("");
        Place {
            file: self.file.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
            span: (start, span.1.clamp(start, self.text.len())),
        }
    }

    /// The place of something that is not written: the start of what could hold it.
    pub(super) fn absent(&self, within: Span) -> Place {
        self.place((within.0, within.0))
    }
}

/// What a diagnostic says, before it has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
}

impl Wrong {
    pub(super) fn new(
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { message: message.into(), label: label.into(), help: help.into() }
    }

    pub(super) fn error(self, place: &Place) -> Diagnostic {
        self.at(Severity::Error, place)
    }

    pub(super) fn warning(self, place: &Place) -> Diagnostic {
        self.at(Severity::Warning, place)
    }

    fn at(self, severity: Severity, place: &Place) -> Diagnostic {
        Diagnostic {
            severity,
            message: self.message,
            label: self.label,
            help: self.help,
            place: Some(place.clone()),
        }
    }
}

/// The known name nearest to what was written, where one is near enough.
///
/// Below a likeness of 0.8 suggestions mislead more often than they help.
pub(super) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written: String = written.chars().take(64).collect();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&written, name), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// Untrusted text in a message: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(text: &str, offset: usize, line: u32, column: u32) {
        let place = Source::new("f", text).place((offset, offset));
        assert_eq!((place.line, place.column), (line, column), "{text:?} {offset}");
    }

    #[test]
    fn places_count_lines_and_characters() {
        check("", 0, 1, 1);
        check("ab\ncd", 3, 2, 1);
        check("ab\ncd", 2, 1, 3);
        check("é=1", 2, 1, 2);
        check("é=1", 1, 1, 1);
        check("a\n", 99, 2, 1);
    }

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["memory", "cpus", "datastore"];
        assert_eq!(nearest("memroy", known), Some("memory"));
        assert_eq!(nearest("data_store", known), Some("datastore"));
        assert_eq!(nearest("zzz", known), None);
    }
}
