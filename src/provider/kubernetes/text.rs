//! Text that others wrote, and text for paths.

use std::fmt::Write;

/// How much of a message is shown.
const SHOWN: usize = 400;

/// What the cluster said, on one line, without what could move a terminal's cursor, and not
/// endless.
pub fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let line: String = words.join(" ").chars().map(shown).take(SHOWN + 1).collect();
    match line.chars().count() > SHOWN {
        true => line.chars().take(SHOWN).chain(['…']).collect(),
        false => line,
    }
}

/// Percent-encodes whatever is not safe in a segment of a path. The library encodes queries, and
/// takes names as they are.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_text_is_one_harmless_line() {
        assert_eq!(plain("a\n  b\u{1b}[31m"), "a b\u{fffd}[31m");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn a_name_is_one_segment_and_no_query() {
        assert_eq!(encode("a/b?c=d ü"), "a%2Fb%3Fc%3Dd%20%C3%BC");
    }
}
