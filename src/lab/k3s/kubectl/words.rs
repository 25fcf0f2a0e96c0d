//! Words of a kubectl command line.

use std::collections::BTreeMap;

use super::super::reply::Reply;

/// Words without a dash, and flags with their values. A flag that takes none has `true`.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub plain: Vec<String>,
    flags: BTreeMap<String, String>,
}

/// What every command takes. A trailing `=` marks a flag that takes a value.
const GLOBAL: [&str; 7] =
    ["namespace=", "n=", "kubeconfig=", "context=", "request-timeout=", "server=", "v="];

impl Words {
    /// Reads the words after the command's name. Flags that `known` does not have are refused.
    pub(super) fn read(command: &str, args: &[String], known: &[&str]) -> Result<Self, Reply> {
        let mut words = Self::default();
        let mut rest = args.iter();
        while let Some(word) = rest.next() {
            let Some(flag) = word.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                words.plain.push(word.clone());
                continue;
            };
            if flag == "-" {
                words.plain.extend(rest.by_ref().cloned());
                break;
            }
            let (name, given) = split(flag);
            let takes = takes_value(name, known).ok_or_else(|| unknown(command, flag, name))?;
            let value = match (given, takes) {
                (Some(value), _) => value.to_owned(),
                (None, false) => "true".to_owned(),
                (None, true) => {
                    let text = format!(
                        "error: flag needs an argument: {word}\nSee 'kubectl {command} --help' for usage."
                    );
                    rest.next().cloned().ok_or_else(|| Reply::fail(text))?
                }
            };
            words.flags.insert(long(name).to_owned(), value);
        }
        Ok(words)
    }

    pub(super) fn text(&self, flag: &str) -> Option<&str> {
        self.flags.get(flag).map(String::as_str)
    }

    pub(super) fn flag(&self, flag: &str) -> bool {
        self.text(flag).is_some_and(|value| value != "false")
    }
}

/// A duration such as `90s`, `5m` or `1m30s`, in milliseconds. Zero is no limit.
pub(super) fn duration_ms(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    if rest == "0" {
        return Some(0);
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let (unit, factor) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = rest.get(unit.len()..)?;
        total = total.checked_add(number.checked_mul(factor)?)?;
    }
    (!text.is_empty()).then_some(total)
}

/// A duration as Go prints it: `1m30s`.
pub(super) fn go_duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Name and value of `-name=value`, `--name=value` or `-ovalue`.
fn split(flag: &str) -> (&str, Option<&str>) {
    let (name, given) = match flag.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (flag, None),
    };
    if let Some(name) = name.strip_prefix('-') {
        return (name, given);
    }
    let short = name.char_indices().nth(1).map_or(name.len(), |(index, _)| index);
    let (name, rest) = name.split_at(short);
    (name, if rest.is_empty() { given } else { flag.get(short..) })
}

fn takes_value(name: &str, known: &[&str]) -> Option<bool> {
    let mut all = known.iter().chain(&GLOBAL);
    all.find_map(|flag| match flag.strip_suffix('=') {
        Some(flag) => (flag == name || flag == long(name)).then_some(true),
        None => (*flag == name || *flag == long(name)).then_some(false),
    })
}

/// The long form of a short flag.
fn long(name: &str) -> &str {
    match name {
        "o" => "output",
        "l" => "selector",
        "A" => "all-namespaces",
        "n" => "namespace",
        other => other,
    }
}

fn unknown(command: &str, flag: &str, name: &str) -> Reply {
    let what = match flag.starts_with('-') {
        true => format!("unknown flag: --{name}"),
        false => format!("unknown shorthand flag: '{name}' in -{flag}"),
    };
    Reply::fail(format!("error: {what}\nSee 'kubectl {command} --help' for usage."))
}
