//! The arguments that k3s would start with, from its unit, environment and configuration files.

use std::collections::BTreeMap;

use super::model::Host;
use super::units::Unit;

/// Values by argument name, without dashes.
pub(super) type Arguments = BTreeMap<String, Vec<String>>;

/// Environment variable, argument.
const VARIABLES: &[(&str, &str)] = &[
    ("K3S_TOKEN", "token"),
    ("K3S_TOKEN_FILE", "token-file"),
    ("K3S_AGENT_TOKEN", "agent-token"),
    ("K3S_AGENT_TOKEN_FILE", "agent-token-file"),
    ("K3S_URL", "server"),
    ("K3S_CLUSTER_INIT", "cluster-init"),
    ("K3S_KUBECONFIG_MODE", "write-kubeconfig-mode"),
    ("K3S_NODE_NAME", "node-name"),
];

/// Role and arguments of a unit. The command line wins over files, files over the environment;
/// later files win over earlier ones, and `key+` adds to them.
///
/// # Errors
/// A file that k3s cannot read, in k3s's words.
pub(super) fn effective(host: &Host, unit: &Unit) -> Result<(String, Arguments), String> {
    let command = unit.settings("ExecStart").pop().unwrap_or_default();
    let mut words = super::shell::split(&command).unwrap_or_default().into_iter().skip(1);
    let role = words.next().unwrap_or_default();
    let line = command_line(words.collect());
    let mut all = environment(host, unit);
    let directory = line.get("config").and_then(|paths| paths.first()).cloned();
    let main = directory.unwrap_or_else(|| CONFIG.to_owned());
    let mut found: Vec<(String, String)> = Vec::new();
    found.extend(host.text(&main).map(|text| (main.clone(), text)));
    let folder = format!("{main}.d");
    let drop_ins = host.inside(&folder).filter(|(name, _)| is_yaml(name));
    found.extend(drop_ins.filter_map(|(name, _)| {
        let path = format!("{folder}/{name}");
        Some((path.clone(), host.text(&path)?))
    }));
    let mut files = Arguments::new();
    for (path, text) in found {
        let read = yaml(&text).map_err(|why| format!("yaml: {why} in {path}"))?;
        for (key, values) in read {
            match key.strip_suffix('+') {
                Some(key) => files.entry(key.to_owned()).or_default().extend(values),
                None => {
                    files.insert(key, values);
                }
            }
        }
    }
    all.extend(files);
    all.extend(line);
    for (name, file) in [("token", "token-file"), ("agent-token", "agent-token-file")] {
        let Some(path) = all.get(file).and_then(|paths| paths.first()).cloned() else { continue };
        let text = host.text(&path);
        let text = text.ok_or_else(|| format!("open {path}: no such file or directory"))?;
        all.insert(name.to_owned(), vec![text.trim().to_owned()]);
    }
    Ok((role, all))
}

/// The configuration file that k3s reads where its command line names none.
pub(super) const CONFIG: &str = "/etc/rancher/k3s/config.yaml";

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

fn command_line(words: Vec<String>) -> Arguments {
    let mut arguments = Arguments::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            arguments.entry(word).or_default();
            continue;
        };
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => {
                let value = words.next_if(|next| !next.starts_with('-'));
                (option.to_owned(), value.unwrap_or_else(|| "true".to_owned()))
            }
        };
        arguments.entry(name).or_default().push(value);
    }
    arguments
}

fn environment(host: &Host, unit: &Unit) -> Arguments {
    let mut texts: Vec<String> = unit.settings("Environment");
    for file in unit.settings("EnvironmentFile") {
        texts.extend(host.text(file.trim_start_matches('-')));
    }
    let mut arguments = Arguments::new();
    for line in texts.iter().flat_map(|text| text.lines()) {
        let Some((name, value)) = line.trim().trim_matches('"').split_once('=') else { continue };
        let known = VARIABLES.iter().find(|(variable, _)| *variable == name.trim());
        if let Some((_, argument)) = known {
            let value = value.trim().trim_matches(['"', '\'']).to_owned();
            arguments.insert((*argument).to_owned(), vec![value]);
        }
    }
    arguments
}

/// The part of YAML that k3s's configuration needs: scalars and lists of scalars by key.
fn yaml(text: &str) -> Result<Arguments, String> {
    let mut arguments = Arguments::new();
    let mut last: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed == "---" {
            continue;
        }
        let bad = || format!("line {}: could not find expected ':'", number + 1);
        if let Some(item) = trimmed.strip_prefix("- ").or((trimmed == "-").then_some("")) {
            let key = last.as_ref().ok_or_else(bad)?;
            arguments.entry(key.clone()).or_default().push(scalar(item).ok_or_else(bad)?);
            continue;
        }
        if line.starts_with([' ', '\t']) {
            return Err(bad());
        }
        let (key, value) = trimmed.split_once(':').ok_or_else(bad)?;
        let key = scalar(key).ok_or_else(bad)?;
        let value = value.trim();
        let values = match value.strip_prefix('[').map(|list| list.strip_suffix(']')) {
            Some(Some(list)) if !list.trim().is_empty() => {
                list.split(',').map(scalar).collect::<Option<Vec<_>>>().ok_or_else(bad)?
            }
            Some(Some(_)) => Vec::new(),
            Some(None) => return Err(bad()),
            None if value.is_empty() => Vec::new(),
            None => vec![scalar(value).ok_or_else(bad)?],
        };
        arguments.insert(key.clone(), values);
        last = Some(key);
    }
    Ok(arguments)
}

/// A plain, single-quoted or JSON scalar; `None` for one whose quote does not end.
fn scalar(text: &str) -> Option<String> {
    let text = text.trim();
    if text.starts_with('"') {
        return serde_json::from_str(text).ok();
    }
    if let Some(rest) = text.strip_prefix('\'') {
        return Some(rest.strip_suffix('\'')?.replace("''", "'"));
    }
    let plain = text.split(" #").next().unwrap_or_default().trim();
    (!plain.starts_with(['{', '&', '*', '@', '`'])).then(|| plain.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn configuration_files_are_scalars_and_lists() {
        let text = "# c\nnode-ip: 10.0.0.1\ndisable:\n- \"local-storage\"\n- traefik\ndocker: true\ntls-san: [\"a\", b]\n";
        let read = yaml(text).unwrap();
        assert_eq!(read["disable"], ["local-storage", "traefik"]);
        assert_eq!(
            (&read["docker"][..], &read["tls-san"][..]),
            (&["true".to_owned()][..], &["a".to_owned(), "b".to_owned()][..])
        );
        for text in ["node-ip", "  a: b", "a: \"b", "- x"] {
            assert!(yaml(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_unit_s_lines_may_be_continued_and_quoted() {
        let unit = Unit {
            loaded: "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--docker' \\\n\t'--kubelet-arg=a=b' \\\n\t'--kubelet-arg=c=d'\n".to_owned(),
            ..Unit::default()
        };
        let command = unit.settings("ExecStart").pop().unwrap();
        let words = super::super::shell::split(&command).unwrap();
        let read = command_line(words.into_iter().skip(2).collect());
        assert_eq!((&read["docker"][..], read["kubelet-arg"].len()), (&["true".to_owned()][..], 2));
    }
}
