//! How a POSIX shell splits a command line that holds nothing but words.

/// Splits a line into words and takes quotes away.
///
/// # Errors
/// What a shell would say of an operator, or of anything it would expand: a client that quotes what
/// it sends never has one.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => single(&mut chars, word.get_or_insert_default())?,
            '"' => double(&mut chars, word.get_or_insert_default())?,
            '\\' => escaped(&mut chars, word.get_or_insert_default())?,
            '\n' => return Err(unexpected("newline")),
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' | '[' => {
                return Err(unexpected(&char.to_string()));
            }
            '~' | '#' if word.is_none() => return Err(unexpected(&char.to_string())),
            '=' if words.is_empty() && word.as_deref().is_some_and(is_name) => {
                return Err(unexpected("="));
            }
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), String> {
    for char in chars {
        match char {
            '\'' => return Ok(()),
            _ => word.push(char),
        }
    }
    Err(UNTERMINATED.to_owned())
}

fn double(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), String> {
    while let Some(char) = chars.next() {
        match char {
            '"' => return Ok(()),
            '$' | '`' => return Err(unexpected(&char.to_string())),
            '\\' => match chars.next() {
                Some(next @ ('$' | '`' | '"' | '\\')) => word.push(next),
                Some('\n') => {}
                Some(next) => word.extend(['\\', next]),
                None => return Err(UNTERMINATED.to_owned()),
            },
            _ => word.push(char),
        }
    }
    Err(UNTERMINATED.to_owned())
}

fn escaped(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), String> {
    match chars.next() {
        Some('\n') => {}
        Some(char) => word.push(char),
        None => return Err(unexpected("end of file")),
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

const UNTERMINATED: &str = "sh: 1: Syntax error: Unterminated quoted string";

fn unexpected(what: &str) -> String {
    format!("sh: 1: Syntax error: \"{what}\" unexpected")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(line: &str, words: &[&str]) {
        assert_eq!(split(line).unwrap(), words, "{line}");
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        check("a  b", &["a", "b"]);
        check("a 'b c'\"d e\" ''", &["a", "b cd e", ""]);
        check(r#"x 'it'\''s' "\$\"\n""#, &["x", "it's", "$\"\\n"]);
        check("x 'a\nb' '$(y)' '-*'", &["x", "a\nb", "$(y)", "-*"]);
        check("x a=b a~ a#b", &["x", "a=b", "a~", "a#b"]);
    }

    #[test]
    fn what_a_shell_would_interpret_is_refused() {
        for line in
            ["a | b", "a; b", "a $x", "a \"$x\"", "a `b`", "ls *", "cd ~", "a\nb", "x=1 y", "a > b"]
        {
            assert!(split(line).is_err(), "{line}");
        }
        assert_eq!(split("a 'b").unwrap_err(), UNTERMINATED);
    }
}
