//! What k3s on a host would load at its next start, and where each setting stands.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::config::CONFIG;
use super::settings::{self, Settings};
use super::unit::{self, Role};
use crate::provider::host::{Probe, yaml};

/// boma's drop-in of config.yaml.d: how the machine joins.
pub const JOIN_FILE: &str = "50-boma-join.yaml";

/// The settings of one host, in k3s's order: environment, then config.yaml, then its drop-ins by
/// name, then the command line, each winning over the ones before.
#[derive(Default)]
pub struct Disk {
    /// What the unit runs. `None` where there is no unit.
    pub role: Option<Role>,
    /// All of them, tokens included.
    pub settings: Settings,
    /// Those that the unit's command line or environment gives.
    pub in_unit: Settings,
    /// Those that a drop-in of somebody else gives, with its file name.
    pub dropped_in: BTreeMap<String, String>,
}

impl Disk {
    /// Reads them.
    ///
    /// # Errors
    /// The file and line, or the word, that is not understood.
    pub fn of(probe: &Probe) -> Result<Self, String> {
        if let Some(path) = probe.text("odd-file") {
            return Err(format!("{path:?} has a name that boma does not read"));
        }
        let (role, flags) = command_line(probe)?;
        let environment = environment(probe);
        let mut settings = environment.clone();
        let mut dropped_in = BTreeMap::new();
        let files = probe.text("config").map(|text| (CONFIG.to_owned(), text)).into_iter();
        let more =
            probe.under("config-d/").map(|(name, text)| (format!("{CONFIG}.d/{name}"), text));
        for (path, text) in files.chain(more) {
            let file = yaml::read(&path, text).map_err(|error| error.to_string())?;
            if path != CONFIG && !path.ends_with(JOIN_FILE) {
                let keys = file.keys().map(|key| key.trim_end_matches('+').to_owned());
                dropped_in.extend(keys.map(|key| (key, path.clone())));
            }
            settings::lay_over(&mut settings, file);
        }
        settings.extend(flags.clone());
        let in_unit = environment.into_iter().chain(flags).collect();
        Ok(Self { role, settings, in_unit, dropped_in })
    }

    /// The name under which the machine is a node.
    pub fn node_name(&self, probe: &Probe) -> String {
        let set = self.settings.get("node-name").and_then(Json::as_str);
        set.or_else(|| probe.word("hostname")).unwrap_or_default().to_ascii_lowercase()
    }
}

/// The settings that a running node has loaded, from its annotations `k3s.io/node-args` (role and
/// flags) and `k3s.io/node-env`. `None` where they are not understood.
pub fn loaded(arguments: &[String], environment: &BTreeMap<String, String>) -> Option<Settings> {
    let (role, flags) = arguments.split_first()?;
    Role::named(role)?;
    let variables = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut settings = settings::of_environment(variables);
    settings.extend(settings::of_flags(flags).ok()?);
    Some(settings)
}

/// Whether a restart would change nothing: how a machine joins counts for none that has joined, and
/// what k3s masks is not known.
pub fn same(disk: &Settings, loaded: &Settings) -> bool {
    let masked = |key: &str| loaded.get(key).is_some_and(|value| value == "********");
    let counts = |key: &str| !settings::JOINING.contains(&key) && !masked(key);
    let part = |settings: &Settings| -> Settings {
        let own = settings.iter().filter(|(key, value)| counts(key) && !means_nothing(value));
        own.map(|(key, value)| (key.clone(), unordered(value))).collect()
    };
    part(disk) == part(loaded)
}

/// The order of a list means nothing to k3s.
fn unordered(value: &Json) -> Json {
    let Some(items) = value.as_array() else { return value.clone() };
    let mut texts: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
    texts.sort_unstable();
    texts.into()
}

/// A switch that is off, and an empty list: as good as not there.
fn means_nothing(value: &Json) -> bool {
    *value == Json::Bool(false) || value.as_array().is_some_and(Vec::is_empty)
}

fn command_line(probe: &Probe) -> Result<(Option<Role>, Settings), String> {
    let Some(text) = probe.text("unit-text") else { return Ok((None, Settings::new())) };
    let more: Vec<&str> = probe.under("unit-d/").map(|(_, text)| text).collect();
    let text = [&[text][..], &more].concat().join("\n");
    let words = unit::exec_start(&text).ok_or("the unit starts nothing")?;
    let role = words.get(1).and_then(|word| Role::named(word));
    let role = role.ok_or_else(|| format!("the unit starts {:?}, not k3s", words.join(" ")))?;
    let flags = settings::of_flags(words.get(2..).unwrap_or_default())
        .map_err(|problem| format!("in the unit's command line {problem}"))?;
    Ok((Some(role), flags))
}

fn environment(probe: &Probe) -> Settings {
    let of_unit =
        probe.text("unit-text").into_iter().chain(probe.under("unit-d/").map(|(_, text)| text));
    let of_unit =
        of_unit.flat_map(|text| text.lines()).filter(|line| line.starts_with("Environment="));
    let files = ["unit-default", "unit-sysconfig", "unit-env"].map(|item| probe.text(item));
    let texts = of_unit.chain(files.into_iter().flatten());
    let pairs: Vec<(String, String)> = texts.flat_map(unit::environment).collect();
    settings::of_environment(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const GUIDE: &str = "[Service]\nEnvironmentFile=-/etc/systemd/system/k3s.service.env\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--docker' \\\n\t'--token' \\\n\t'secret' \\\n\t'--cluster-init' \\\n\t'--kubelet-arg=cloud-provider=external' \\\n";

    fn check(items: &[(&str, &str)], expected: Json, in_unit: bool) {
        let disk = Disk::of(&Probe::with(items)).unwrap();
        assert_eq!(Json::Object(disk.settings), expected);
        assert_eq!(!disk.in_unit.is_empty(), in_unit);
    }

    #[test]
    fn each_place_wins_over_the_one_before() {
        let expected = json!({"docker": true, "token": "secret", "cluster-init": true,
            "kubelet-arg": ["cloud-provider=external"], "write-kubeconfig-mode": "0644"});
        let items = [("unit-text", GUIDE), ("unit-env", "K3S_KUBECONFIG_MODE='644'\n")];
        check(&items, expected, true);
        let unit = unit::render(Role::Server);
        let items = [
            ("unit-text", unit.as_str()),
            ("config", "docker: false\ntls-san: [a]\nwrite-kubeconfig-mode: \"0600\"\n"),
            ("config-d/50-boma-join.yaml", "server: \"https://10.0.0.1:6443\"\n"),
            ("config-d/90-x.yaml", "docker: true\ntls-san+: [b]\n"),
        ];
        let expected = json!({"docker": true, "tls-san": ["a", "b"], "server": "https://10.0.0.1:6443", "write-kubeconfig-mode": "0600"});
        check(&items, expected, false);
        let dropped = Disk::of(&Probe::with(&items)).unwrap().dropped_in;
        assert_eq!(dropped["docker"], "/etc/rancher/k3s/config.yaml.d/90-x.yaml");
        assert_eq!(dropped.len(), 2);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let problem = |items| Disk::of(&Probe::with(items)).err().unwrap();
        let nested = problem(&[("config", "a:\n  b: 1\n")]);
        assert_eq!(nested, "/etc/rancher/k3s/config.yaml:2: nested maps are not k3s settings");
        let shell = problem(&[("unit-text", "ExecStart=/bin/sh -c k3s\n")]);
        assert_eq!(shell, "the unit starts \"/bin/sh -c k3s\", not k3s");
    }

    #[test]
    fn a_restart_matters_only_for_what_is_loaded() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let environment = [("K3S_KUBECONFIG_MODE".to_owned(), "644".to_owned())].into();
        let running =
            "server --docker --token ******** --cluster-init --kubelet-arg cloud-provider=external";
        let running = loaded(&words(running), &environment).unwrap();
        let disk = Disk::of(&Probe::with(&[("config", "docker: true\nkubelet-arg: [cloud-provider=external]\nwrite-kubeconfig-mode: \"0644\"\ntoken-file: /x\n")])).unwrap();
        assert!(same(&disk.settings, &running));
        let other = Disk::of(&Probe::with(&[("config", "docker: false\n")])).unwrap();
        assert!(!same(&other.settings, &running));
        assert_eq!(loaded(&words("etcd-snapshot save"), &environment), None);
    }
}
