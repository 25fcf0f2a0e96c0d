//! The part of YAML that k3s configuration consists of: one map of scalars and lists of scalars.
//! Whatever else a file has is refused by its line: a setting that is misread would be lost when
//! the file is written again.

use serde_json::{Map, Number, Value as Json};
use thiserror::Error;

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {problem}")]
pub struct YamlError {
    /// The file as named by the caller.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What is the matter with it.
    pub problem: String,
}

/// Writes a map: scalars as JSON scalars, which YAML reads alike.
pub fn write(map: &Map<String, Json>) -> String {
    let mut text = String::new();
    for (key, value) in map {
        match value {
            Json::Array(items) if items.is_empty() => text += &format!("{key}: []\n"),
            Json::Array(items) => {
                text += &format!("{key}:\n");
                items.iter().for_each(|item| text += &format!("- {item}\n"));
            }
            value => text += &format!("{key}: {value}\n"),
        }
    }
    text
}

/// Reads a map. Plain scalars become what they look like: `true`, a whole number, else text.
///
/// # Errors
/// The first line that is neither a comment, nor a key with a scalar, nor an item of a list.
pub fn read(file: &str, text: &str) -> Result<Map<String, Json>, YamlError> {
    let mut map = Map::new();
    let mut open: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let refuse = |problem: &str| YamlError {
            file: file.to_owned(),
            line: index + 1,
            problem: problem.to_owned(),
        };
        let content = without_comment(line).ok_or_else(|| refuse("a quote is not closed"))?;
        let trimmed = content.trim();
        if trimmed.is_empty() || (trimmed == "---" && map.is_empty()) {
            continue;
        }
        if let Some(item) = trimmed.strip_prefix('-').filter(|rest| starts_value(rest)) {
            let key = open.as_ref().ok_or_else(|| refuse("an item without a list"))?;
            let item = scalar(item.trim()).map_err(refuse)?;
            push(&mut map, key, item).ok_or_else(|| refuse("an item without a list"))?;
            continue;
        }
        if content.starts_with([' ', '\t']) {
            return Err(refuse("nested maps are not k3s settings"));
        }
        let (key, value) = entry(trimmed).ok_or_else(|| refuse("this is no `key: value`"))?;
        let value = match value {
            "" => Json::Null,
            value => inline(value).map_err(refuse)?,
        };
        open = value.is_null().then(|| key.clone());
        if map.insert(key, value).is_some() {
            return Err(refuse("the key is there twice"));
        }
    }
    Ok(map)
}

/// A line up to its comment. `None` where a quote is not closed.
fn without_comment(line: &str) -> Option<&str> {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (Some('"'), '"') if before == '\\' => {}
            (Some(open), letter) if open == letter => quote = None,
            (None, '"' | '\'') if matches!(before, ' ' | '\t' | '[' | ',' | ':') => {
                quote = Some(letter);
            }
            (None, '#') if matches!(before, ' ' | '\t') => return Some(&line[..at]),
            _ => {}
        }
        // Two backslashes are one: the second one escapes nothing.
        before = if before == '\\' && letter == '\\' { ' ' } else { letter };
    }
    quote.is_none().then_some(line)
}

fn starts_value(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\t'])
}

fn push(map: &mut Map<String, Json>, key: &str, item: Json) -> Option<()> {
    match map.get_mut(key)? {
        Json::Array(items) => items.push(item),
        slot if slot.is_null() => *slot = Json::Array(vec![item]),
        _ => return None,
    }
    Some(())
}

/// `key: value`, the key plain or quoted; a value may be missing.
fn entry(line: &str) -> Option<(String, &str)> {
    let (key, value) = match line.find(": ") {
        Some(at) => (&line[..at], &line[at + 2..]),
        None => (line.strip_suffix(':')?, ""),
    };
    let key = key.trim().trim_matches(['"', '\'']);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_+.".contains(letter);
    (!key.is_empty() && key.chars().all(plain)).then(|| (key.to_owned(), value.trim()))
}

fn inline(value: &str) -> Result<Json, &'static str> {
    let Some(items) = value.strip_prefix('[') else { return scalar(value) };
    let items = items.strip_suffix(']').ok_or("a list in brackets must end on its line")?;
    if items.trim().is_empty() {
        return Ok(Json::Array(Vec::new()));
    }
    split(items).into_iter().map(|item| scalar(item.trim())).collect()
}

/// Splits at commas outside quotes.
fn split(items: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, letter) in items.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, ',') => {
                parts.push(&items[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&items[start..]);
    parts
}

fn scalar(text: &str) -> Result<Json, &'static str> {
    match text.chars().next() {
        Some('"') => {
            serde_json::from_str::<String>(text).map(Json::from).map_err(|_| "a bad quoted text")
        }
        Some('\'') => text[1..]
            .strip_suffix('\'')
            .filter(|inner| !inner.replace("''", "").contains('\''))
            .map(|inner| inner.replace("''", "'").into())
            .ok_or("a bad quoted text"),
        Some('&' | '*' | '!' | '|' | '>' | '{' | '[' | '%' | '@' | '`') => {
            Err("only plain and quoted values and lists of them are understood")
        }
        _ if text.contains(": ") || text.ends_with(':') => Err("nested maps are not k3s settings"),
        _ => Ok(plain(text)),
    }
}

fn plain(text: &str) -> Json {
    match text {
        "" | "~" | "null" => Json::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        // A leading zero is kept as text: a file mode is no number to compute with.
        _ if text.len() > 1 && text.starts_with('0') => text.into(),
        _ => text.parse::<i64>().map_or_else(|_| text.into(), |number| Number::from(number).into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, expected: Json) {
        assert_eq!(Json::Object(read("config.yaml", text).unwrap()), expected, "{text}");
    }

    fn refused(text: &str, line: usize) {
        assert_eq!(read("config.yaml", text).unwrap_err().line, line, "{text}");
    }

    #[test]
    fn what_people_write_by_hand_is_read() {
        check("# nothing\n---\n\n", json!({}));
        check("docker: true # old\nv: 2\n", json!({"docker": true, "v": 2}));
        check("write-kubeconfig-mode: \"0644\"\n", json!({"write-kubeconfig-mode": "0644"}));
        check("write-kubeconfig-mode: 0644\n", json!({"write-kubeconfig-mode": "0644"}));
        check("tls-san:\n  - a.example\n  - 'it''s'\n", json!({"tls-san": ["a.example", "it's"]}));
        check(
            "tls-san:\n- \"x # y\"\nkey+: [a, \"b,c\"]\n",
            json!({"tls-san": ["x # y"], "key+": ["a", "b,c"]}),
        );
        check("server: https://10.0.0.1:6443\n", json!({"server": "https://10.0.0.1:6443"}));
        check(
            "kubelet-arg: provider-id=vsphere://4230\n",
            json!({"kubelet-arg": "provider-id=vsphere://4230"}),
        );
        check("node-label: []\ncluster-init:\n", json!({"node-label": [], "cluster-init": null}));
    }

    #[test]
    fn what_is_not_understood_is_named_by_its_line() {
        refused("a: 1\na: 2\n", 2);
        refused("a: 1\nb:\n  c: 1\n", 3);
        refused("- a\n", 1);
        refused("a: |\n  text\n", 1);
        refused("a: \"x\n", 1);
        refused("a: &anchor 1\n", 1);
        refused("just words\n", 1);
        refused("a: [1,\n", 1);
    }

    #[test]
    fn what_is_written_reads_back() {
        let tree = json!({"a": "it's \"q\" # no\nnew $(x)", "b": true, "c": ["-", "x: y", ""], "d": 7, "e": []});
        let text = write(tree.as_object().unwrap());
        check(&text, tree);
    }
}
