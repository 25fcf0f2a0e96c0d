//! `csi-vsphere.conf`: sections, and keys with values, in git's form.

use std::collections::BTreeMap;

/// What the driver reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CsiConfig {
    /// `[Global]`
    pub global: BTreeMap<String, String>,
    /// `[VirtualCenter "host"]`, in order.
    pub centers: Vec<(String, BTreeMap<String, String>)>,
}

/// Reads the file.
///
/// # Errors
/// The line that is wrong.
pub(super) fn read(text: &str) -> Result<CsiConfig, String> {
    let mut config = CsiConfig::default();
    let mut section = String::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("{}:{}: {what}", number + 1, 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let head = rest.split_once(']').ok_or_else(|| wrong("expected right bracket"))?.0;
            let (kind, name) = head.split_once(' ').unwrap_or((head, ""));
            kind.trim().clone_into(&mut section);
            if section == "VirtualCenter" {
                let name = value(name.trim()).map_err(|why| wrong(&why))?;
                config.centers.push((name, BTreeMap::new()));
            }
            continue;
        }
        if section.is_empty() {
            return Err(wrong("expected section header"));
        }
        let (key, rest) = line.split_once('=').unwrap_or((line, "true"));
        let value = value(rest.trim()).map_err(|why| wrong(&why))?;
        let key = key.trim().to_lowercase();
        match section.as_str() {
            "Global" => config.global.insert(key, value),
            "VirtualCenter" => config.centers.last_mut().and_then(|(_, it)| it.insert(key, value)),
            _ => None,
        };
    }
    Ok(config)
}

/// A value, quoted or not. Within quotes a backslash escapes a quote or a backslash, and nothing
/// else but `n` and `t`.
fn value(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut quoted = false;
    // Up to here even blanks belong to the value.
    let mut kept = 0;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                quoted = !quoted;
                kept = out.len();
            }
            '\\' => match letters.next() {
                Some(next @ ('"' | '\\')) => out.push(next),
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                _ => return Err("unknown escape sequence".to_owned()),
            },
            '#' | ';' if !quoted => break,
            letter => out.push(letter),
        }
    }
    if quoted {
        return Err("string not terminated".to_owned());
    }
    out.truncate(out.trim_end().len().max(kept));
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_the_driver_does() {
        let text = "[Global]\ncluster-id = \"national\" # c\n\n[VirtualCenter \"vc.example.org\"]\nuser = \"VSPHERE.LOCAL\\\\cht\"\npassword = \"a\\\"b#c\"\nport = 443 ; d\n";
        let config = read(text).unwrap();
        assert_eq!(config.global["cluster-id"], "national");
        let (name, center) = &config.centers[0];
        assert_eq!(name, "vc.example.org");
        assert_eq!(center["user"], r"VSPHERE.LOCAL\cht");
        assert_eq!(center["password"], "a\"b#c");
        assert_eq!(center["port"], "443");
    }

    #[test]
    fn what_is_not_escaped_is_refused() {
        for (text, says) in [
            ("[Global]\nuser = \"A\\cht\"", "2:1: unknown escape sequence"),
            ("[Global]\nuser = \"a", "string not terminated"),
            ("user = a", "expected section header"),
            ("[Global", "expected right bracket"),
        ] {
            assert!(read(text).unwrap_err().contains(says), "{text}");
        }
    }
}
