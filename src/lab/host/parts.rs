//! A program's words, taken apart as getopt does.

use std::collections::{BTreeMap, BTreeSet};

use super::session::Output;

/// Options without and with a value, and the rest.
#[derive(Default)]
pub(super) struct Parts {
    pub flags: BTreeSet<char>,
    pub values: BTreeMap<char, String>,
    pub rest: Vec<String>,
}

/// Reads short options: `flags` have no value, `valued` have one.
///
/// # Errors
/// An option that the model does not know is refused in GNU's words: nothing may be ignored.
pub(super) fn parts(
    program: &str,
    words: &[String],
    flags: &str,
    valued: &str,
) -> Result<Parts, Output> {
    let mut parts = Parts::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parts.rest.extend(words.cloned());
            break;
        }
        let Some(options) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            parts.rest.push(word.clone());
            continue;
        };
        if let Some(long) = options.strip_prefix('-') {
            let message = format!("{program}: unrecognized option '--{long}'");
            return Err(Output::failed(1, message));
        }
        let mut options = options.chars();
        while let Some(option) = options.next() {
            if flags.contains(option) {
                parts.flags.insert(option);
            } else if valued.contains(option) {
                let joined: String = options.by_ref().collect();
                let value = if joined.is_empty() { words.next().cloned() } else { Some(joined) };
                let value = value.ok_or_else(|| {
                    let message = format!("{program}: option requires an argument -- '{option}'");
                    Output::failed(1, message)
                })?;
                parts.values.insert(option, value);
            } else {
                let message = format!("{program}: invalid option -- '{option}'");
                return Err(Output::failed(1, message));
            }
        }
    }
    Ok(parts)
}
