//! The difference of two texts, by line.

use similar::TextDiff;

use super::words::clean;

/// Equal lines around a difference.
const CONTEXT: usize = 3;

/// A unified diff without file names: `@@ … @@` before each hunk, then lines that begin with
/// ` `, `-` or `+`. A text that begins or ends as a whole has no hunk line.
pub fn patch(before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    let mut lines = Vec::new();
    for hunk in unified.context_radius(CONTEXT).iter_hunks() {
        if !before.is_empty() && !after.is_empty() {
            lines.push(hunk.header().to_string());
        }
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches(['\n', '\r']);
            lines.push(format!("{}{}", change.tag(), clean(line)));
        }
    }
    lines
}

/// Whether a text is shown by lines: it has more than one.
pub fn is_text(text: &str) -> bool {
    text.trim_end().contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, expected: &[&str]) {
        assert_eq!(patch(before, after), expected);
    }

    #[test]
    fn only_what_differs_is_shown() {
        check("a\nb\nc\n", "a\nx\nc\n", &["@@ -1,3 +1,3 @@", " a", "-b", "+x", " c"]);
        check("", "a\nb\n", &["+a", "+b"]);
        check("a\nb", "", &["-a", "-b"]);
        check("a\n", "a\n", &[]);
    }

    #[test]
    fn a_text_has_lines() {
        assert!(is_text("a\nb"));
        assert!(!is_text("a\n"));
    }
}
