//! The part of YAML that configuration files in ConfigMaps are written in: maps and lists by
//! indentation, scalars plain or quoted, short lists in brackets. JSON is YAML, too.

use serde_json::{Map, Value as Json};

/// One line that says something.
struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

/// Reads a document.
///
/// # Errors
/// The first line that is not understood, in the words of the usual parser.
pub(in crate::lab) fn read(text: &str) -> Result<Json, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("yaml: {error}"));
    }
    let lines: Vec<Line<'_>> = text.lines().enumerate().filter_map(line).collect();
    let mut rest = &lines[..];
    let Some(first) = rest.first() else { return Ok(Json::Null) };
    let value = block(&mut rest, first.indent)?;
    match rest.first() {
        None => Ok(value),
        Some(line) => Err(wrong(line)),
    }
}

fn line((number, whole): (usize, &str)) -> Option<Line<'_>> {
    let text = whole.trim_start();
    let says = !text.is_empty() && !text.starts_with('#') && text.trim_end() != "---";
    says.then(|| Line {
        number: number + 1,
        indent: whole.len() - text.len(),
        text: text.trim_end(),
    })
}

fn wrong(line: &Line<'_>) -> String {
    format!("yaml: line {}: did not find expected key", line.number)
}

/// A map, or a list, whose entries begin at one column.
fn block(rest: &mut &[Line<'_>], indent: usize) -> Result<Json, String> {
    let is_list = rest.first().is_some_and(|line| is_item(line.text));
    let (mut map, mut list) = (Map::new(), Vec::new());
    while let Some((line, after)) = rest.split_first() {
        if line.indent < indent || (line.indent == indent && is_item(line.text) != is_list) {
            break;
        }
        if line.indent > indent {
            return Err(wrong(line));
        }
        if is_list {
            list.push(item(rest, line)?);
            continue;
        }
        let (key, value) = pair(line.text).ok_or_else(|| wrong(line))?;
        *rest = after;
        map.insert(key, after_key(rest, line.indent, value)?);
    }
    Ok(if is_list { Json::Array(list) } else { Json::Object(map) })
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// One item: a scalar, or a map whose first key stands behind the dash.
fn item<'a>(rest: &mut &[Line<'a>], line: &Line<'a>) -> Result<Json, String> {
    let after = line.text.trim_start_matches('-').trim_start();
    let inner = line.indent + (line.text.len() - after.len());
    let next = rest.get(1..).unwrap_or_default();
    match pair(after) {
        Some((key, value)) if !after.starts_with(['"', '\'', '[', '{']) => {
            *rest = next;
            let mut map = Map::new();
            map.insert(key, after_key(rest, inner, value)?);
            if rest.first().is_some_and(|line| line.indent == inner && !is_item(line.text))
                && let Json::Object(more) = block(rest, inner)?
            {
                map.extend(more);
            }
            Ok(Json::Object(map))
        }
        _ => {
            *rest = next;
            if after.is_empty() {
                return nested(rest, line.indent + 1);
            }
            ended(after)
        }
    }
}

fn after_key(rest: &mut &[Line<'_>], indent: usize, value: &str) -> Result<Json, String> {
    match value {
        "" => {
            // A list may begin at the column of its key.
            let listed =
                rest.first().is_some_and(|next| next.indent == indent && is_item(next.text));
            nested(rest, if listed { indent } else { indent + 1 })
        }
        "|" | "|-" | ">" | ">-" => {
            let mut text = String::new();
            while let Some((line, after)) =
                rest.split_first().filter(|(line, _)| line.indent > indent)
            {
                text.push_str(line.text);
                text.push('\n');
                *rest = after;
            }
            Ok(Json::String(text))
        }
        value => ended(value),
    }
}

/// A value on one line, whose quote or bracket ends there.
fn ended(text: &str) -> Result<Json, String> {
    let bare = without_comment(text);
    let has_end = match bare.chars().next() {
        Some('[') => bare.ends_with(']'),
        Some('{') => bare.ends_with('}'),
        Some(quote @ ('"' | '\'')) => bare.rfind(quote).is_some_and(|end| end > 0),
        _ => true,
    };
    // Without the text: it may be a password.
    if has_end { Ok(scalar(text)) } else { Err("yaml: found unexpected end of stream".into()) }
}

fn nested(rest: &mut &[Line<'_>], least: usize) -> Result<Json, String> {
    match rest.first() {
        Some(line) if line.indent >= least => {
            let indent = line.indent;
            block(rest, indent)
        }
        _ => Ok(Json::Null),
    }
}

/// Key and the text behind its colon.
fn pair(text: &str) -> Option<(String, &str)> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote)?;
            return Some((key.to_owned(), without_comment(rest.trim_start().strip_prefix(':')?)));
        }
    }
    let place = text.find(": ").or_else(|| text.ends_with(':').then(|| text.len() - 1))?;
    let (key, rest) = text.split_at(place);
    Some((key.trim().to_owned(), without_comment(&rest[1..])))
}

fn without_comment(text: &str) -> &str {
    let text = text.trim();
    if text.starts_with(['"', '\'']) {
        return text;
    }
    if text.starts_with('#') {
        return "";
    }
    text.split_once(" #").map_or(text, |(text, _)| text.trim_end())
}

fn scalar(text: &str) -> Json {
    let text = without_comment(text);
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let items = inner.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Json::Array(items.map(scalar).collect());
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let inner = rest.rsplit_once('\'').map_or(rest, |(inner, _)| inner);
        return Json::String(inner.replace("''", "'"));
    }
    if text.starts_with('"') {
        let end = text.rfind('"').map_or(text.len(), |end| end + 1);
        let read = text.get(..end).and_then(|quoted| serde_json::from_str(quoted).ok());
        return read.unwrap_or_else(|| Json::String(text.trim_matches('"').to_owned()));
    }
    match text {
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        "" | "~" | "null" | "{}" => Json::Null,
        text => text.parse::<i64>().map_or_else(|_| Json::String(text.to_owned()), Json::from),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, expected: Json) {
        assert_eq!(read(text), Ok(expected), "{text}");
    }

    #[test]
    fn configuration_is_read() {
        check(
            "# a\nglobal:\n  port: 443 # b\n  insecureFlag: false\nvcenter:\n  \"a.b\":\n    server: a.b\n    datacenters:\n      - DC1\n      - 'D''C'\n",
            json!({
                "global": {"port": 443, "insecureFlag": false},
                "vcenter": {"a.b": {"server": "a.b", "datacenters": ["DC1", "D'C"]}},
            }),
        );
        check(
            "a:\n- x: 1\n  y: [p, q]\n- z\nb: \"c\\\"d\"\n",
            json!({
                "a": [{"x": 1, "y": ["p", "q"]}, "z"], "b": "c\"d",
            }),
        );
        check("{\"a\": 1}", json!({"a": 1}));
        check("", Json::Null);
    }

    #[test]
    fn what_is_none_is_told() {
        assert!(read("a: 1\n   b: 2\n").is_err());
        assert!(read("words only").is_err());
        for open in ["a: [b", "a: {b: 1", "a: \"b", "a: 'b", "- \"b"] {
            assert!(read(open).is_err(), "{open}");
        }
        for odd in ["-", "- -", ":", "a:\n  -", "'", "\"a", "a: [", "- a:\n    b\n"] {
            let _ = read(odd);
        }
    }
}
