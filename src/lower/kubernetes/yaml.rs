//! Trees as YAML text, for settings that a program inside the cluster reads.

use serde_json::Value as Json;

use crate::resource::{SecretSource, as_secret};

/// A piece of such a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Plain(String),
    /// A secret between double quotes.
    Secret(SecretSource),
}

/// Writes a tree as a block mapping, two spaces a level, every text in double quotes: no user or
/// password is a number, a boolean or a comment by accident. An encoded secret becomes a piece of
/// its own, its quotes in the plain pieces around it.
pub fn pieces(tree: &Json) -> Vec<Piece> {
    let mut writer = Writer::default();
    writer.block(tree, 0);
    writer.pieces.push(Piece::Plain(writer.text));
    writer.pieces
}

/// Writes a tree without secrets.
pub fn text(tree: &Json) -> String {
    let plain = pieces(tree).into_iter().filter_map(|piece| match piece {
        Piece::Plain(text) => Some(text),
        Piece::Secret(_) => None,
    });
    plain.collect()
}

#[derive(Default)]
struct Writer {
    pieces: Vec<Piece>,
    text: String,
}

impl Writer {
    fn block(&mut self, tree: &Json, depth: usize) {
        let indent = "  ".repeat(depth);
        match tree {
            Json::Object(map) => {
                for (key, value) in map {
                    self.text.push_str(&format!("{indent}{}:", key_of(key)));
                    self.value(value, depth);
                }
            }
            Json::Array(items) => {
                for item in items {
                    self.text.push_str(&format!("{indent}-"));
                    self.value(item, depth);
                }
            }
            scalar => self.scalar(scalar),
        }
    }

    fn value(&mut self, value: &Json, depth: usize) {
        match value {
            Json::Object(map) if !map.is_empty() && as_secret(value).is_none() => {
                self.text.push('\n');
                self.block(value, depth + 1);
            }
            Json::Array(items) if !items.is_empty() => {
                self.text.push('\n');
                self.block(value, depth + 1);
            }
            scalar => {
                self.text.push(' ');
                self.scalar(scalar);
                self.text.push('\n');
            }
        }
    }

    fn scalar(&mut self, value: &Json) {
        match (as_secret(value), value) {
            (Some(source), _) => {
                self.text.push('"');
                self.pieces.push(Piece::Plain(std::mem::take(&mut self.text)));
                self.pieces.push(Piece::Secret(source));
                self.text.push('"');
            }
            (None, Json::String(text)) => self.text.push_str(&quoted(text)),
            (None, other) => self.text.push_str(&other.to_string()),
        }
    }
}

/// A key as it stands where no reader can take it for something else.
fn key_of(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let word = key.bytes().all(plain) && key.starts_with(|first: char| first.is_ascii_lowercase());
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    if word && !reserved.contains(&key) { key.to_owned() } else { quoted(key) }
}

/// A text in double quotes. Besides JSON's escapes: what YAML does not count as printable, and the
/// line separators that YAML 1.1 folds (yaml.org/spec/1.1, 5.1 and 5.4).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for one in text.chars() {
        match one {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                escape(one, &mut quoted)
            }
            one if one.is_control() => escape(one, &mut quoted),
            one => quoted.push(one),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(one: char, quoted: &mut String) {
    quoted.push_str(&format!("\\u{:04x}", u32::from(one)));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(tree: &Json, expected: &str) {
        assert_eq!(text(tree), expected);
        let read: Json = serde_saphyr::from_str(expected).unwrap();
        assert_eq!(read, *tree, "{expected}");
    }

    #[test]
    fn a_tree_comes_back_as_it_was() {
        let tree = json!({
            "global": {"port": 443, "insecureFlag": false, "none": null},
            "vcenter": {"vc.example.org": {"datacenters": ["DC1", "a/b c"]}},
            "empty": {"list": [], "map": {}},
        });
        let expected = "empty:\n  list: []\n  map: {}\nglobal:\n  insecureFlag: false\n  none: null\n  port: 443\nvcenter:\n  \"vc.example.org\":\n    datacenters:\n      - \"DC1\"\n      - \"a/b c\"\n";
        check(&tree, expected);
    }

    #[test]
    fn no_text_is_taken_for_something_else() {
        for text in [
            "yes",
            "0x1f",
            "~",
            "a: b",
            "- a",
            "# a",
            "\"",
            "\\",
            "%",
            "é\u{1f600}",
            "a\nb\r",
            "",
            "\u{7f}\u{85}\u{2028}\u{feff}\u{1}",
            " a ",
            "*a",
            "&a",
            "!a",
            "@",
            "{{a}}",
            "$X",
        ] {
            let written = self::text(&json!({ "key": text }));
            let read: Json = serde_saphyr::from_str(&written).unwrap();
            assert_eq!(read, json!({ "key": text }), "{written}");
        }
        check(&json!({"y": 1, "10.0.0.1": 2, "10": 3}), "\"10\": 3\n\"10.0.0.1\": 2\n\"y\": 1\n");
    }

    #[test]
    fn a_secret_is_a_piece_between_quotes() {
        let source = SecretSource::Env("P".into());
        let secret = crate::resource::Value::Secret(source.clone()).encode();
        let expected = [
            Piece::Plain("a: 1\nb: \"".into()),
            Piece::Secret(source),
            Piece::Plain("\"\nc: 2\n".into()),
        ];
        assert_eq!(pieces(&json!({"a": 1, "b": secret, "c": 2})), expected);
    }
}
