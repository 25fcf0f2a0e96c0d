//! `sed` as scripts use it to quote: `s/[\\"]/\\&/g; s/^/user = "/; s/$/"/`.

/// What a substitution looks for.
enum Pattern {
    Begin,
    End,
    /// One letter out of several.
    Among(Vec<char>),
}

/// Edits each line; `None` for a script that the lab does not know.
pub(super) fn edit(words: &[String], text: &str) -> Option<String> {
    let [script] = words else { return None };
    let edits = script.split(';').map(|edit| substitution(edit.trim()));
    let edits: Vec<(Pattern, String)> = edits.collect::<Option<_>>()?;
    let lines = text.lines().map(|line| {
        edits.iter().fold(line.to_owned(), |line, (pattern, to)| replaced(&line, pattern, to))
    });
    let mut out = lines.collect::<Vec<_>>().join("\n");
    if text.ends_with('\n') {
        out.push('\n');
    }
    Some(out)
}

fn substitution(text: &str) -> Option<(Pattern, String)> {
    let (pattern, rest) = text.strip_prefix("s/")?.split_once('/')?;
    let (to, flags) = rest.rsplit_once('/')?;
    let pattern = match pattern {
        "^" => Pattern::Begin,
        "$" => Pattern::End,
        set if flags == "g" => {
            let inner = set.strip_prefix('[')?.strip_suffix(']')?;
            Pattern::Among(inner.chars().collect())
        }
        _ => return None,
    };
    Some((pattern, to.to_owned()))
}

fn replaced(line: &str, pattern: &Pattern, to: &str) -> String {
    match pattern {
        Pattern::Begin => format!("{}{line}", written(to, "")),
        Pattern::End => format!("{line}{}", written(to, "")),
        Pattern::Among(set) => {
            let each = |letter: char| {
                let own = letter.to_string();
                if set.contains(&letter) { written(to, &own) } else { own }
            };
            line.chars().map(each).collect()
        }
    }
}

/// The new text: `&` is what was found, and a backslash takes its meaning from the next letter.
fn written(to: &str, found: &str) -> String {
    let mut out = String::new();
    let mut letters = to.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => out.push_str(found),
            '\\' => out.extend(letters.next()),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(script: &str, text: &str, expected: Option<&str>) {
        assert_eq!(edit(&[script.to_owned()], text).as_deref(), expected, "{script}");
    }

    #[test]
    fn text_is_quoted_for_curl() {
        let script = r#"s/[\\"]/\\&/g; s/^/user = "/; s/$/"/"#;
        check(script, r#"a:b"c\d"#, Some(r#"user = "a:b\"c\\d""#));
        check("s/a*/b/", "a", None);
        check("y/a/b/", "a", None);
    }
}
