//! Trees as YAML text, for settings that a program inside the cluster reads.

use serde_json::Value as Json;

use crate::resource::{Escape, SecretSource, TextPart, Value, as_secret};

/// Writes a tree as a block mapping, two spaces a level, every text in double quotes: no user or
/// password is a number, a boolean or a comment by accident. Where the tree has an encoded secret
/// in it, the whole text is one.
pub fn text(tree: &Json) -> Value {
    let mut writer = Writer::default();
    writer.block(tree, 0);
    if writer.parts.is_empty() {
        return writer.text.into();
    }
    writer.flush();
    Value::Secret(SecretSource::Text(writer.parts))
}

#[derive(Default)]
struct Writer {
    parts: Vec<TextPart>,
    /// What comes after the last part.
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
        let nested = match value {
            Json::Object(map) => !map.is_empty() && as_secret(value).is_none(),
            Json::Array(items) => !items.is_empty(),
            _ => false,
        };
        if nested {
            self.text.push('\n');
            self.block(value, depth + 1);
        } else {
            self.text.push(' ');
            self.scalar(value);
            self.text.push('\n');
        }
    }

    fn scalar(&mut self, value: &Json) {
        match (as_secret(value), value) {
            (Some(source), _) => {
                self.flush();
                self.parts.push(TextPart::Secret(source, Escape::Yaml));
            }
            (None, Json::String(text)) => self.text.push_str(&Escape::Yaml.write(text)),
            (None, other) => self.text.push_str(&other.to_string()),
        }
    }

    fn flush(&mut self) {
        self.parts.push(TextPart::Plain(std::mem::take(&mut self.text)));
    }
}

/// A key as it stands where no reader can take it for something else.
fn key_of(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let word = key.bytes().all(plain) && key.starts_with(|first: char| first.is_ascii_lowercase());
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    if word && !reserved.contains(&key) { key.to_owned() } else { Escape::Yaml.write(key) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(tree: &Json) -> String {
        let Value::Literal(Json::String(text)) = text(tree) else { panic!("{tree}") };
        text
    }

    fn check(tree: &Json, expected: &str) {
        assert_eq!(plain(tree), expected);
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
        let expected = r#"empty:
  list: []
  map: {}
global:
  insecureFlag: false
  none: null
  port: 443
vcenter:
  "vc.example.org":
    datacenters:
      - "DC1"
      - "a/b c"
"#;
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
            let written = plain(&json!({ "key": text }));
            let read: Json = serde_saphyr::from_str(&written).unwrap();
            assert_eq!(read, json!({ "key": text }), "{written}");
        }
        check(&json!({"y": 1, "10.0.0.1": 2, "10": 3}), "\"10\": 3\n\"10.0.0.1\": 2\n\"y\": 1\n");
    }

    #[test]
    fn a_secret_makes_the_whole_text_one() {
        let source = SecretSource::Env("P".into());
        let tree = json!({"a": 1, "b": Value::Secret(source.clone()).encode(), "c": 2});
        let Value::Secret(SecretSource::Text(parts)) = text(&tree) else { panic!() };
        let odd = "a\"b\\c: #\n";
        let joined = SecretSource::join(&parts, &|asked| (*asked == source).then(|| odd.into()));
        let read: Json = serde_saphyr::from_str(&joined.unwrap()).unwrap();
        assert_eq!(read, json!({"a": 1, "b": odd, "c": 2}));
    }
}
