//! `/etc/rancher/k3s/config.yaml`: from boma's attributes, and back to them.

use serde_json::Value as Json;

use super::settings::{JOINING, Settings};
use crate::provider::host::{Content, RootFile, yaml};

/// The file.
pub const CONFIG: &str = "/etc/rancher/k3s/config.yaml";
/// The token that the machine joins with.
pub const TOKEN: &str = "/etc/rancher/k3s/token";
/// On servers: the token that agents join with.
pub const AGENT_TOKEN: &str = "/etc/rancher/k3s/agent-token";

/// How boma's file begins; the keys that boma set follow. Others in the file are somebody's own.
const HEADER: &str = "# written by boma:";

const KUBELET: &str = "kubelet-arg";
const PROVIDER_ID: &str = "provider-id=";

/// What config.yaml is made of.
#[derive(Clone, Default, PartialEq)]
pub struct Config {
    /// The attribute `config`.
    pub settings: Settings,
    /// The attribute `provider_id`.
    pub provider_id: Option<String>,
    /// Whether there is a token file.
    pub token: bool,
    /// Whether there is an agent token file.
    pub agent_token: bool,
    /// The settings that are boma's; the others stay as somebody else set them.
    pub own: Vec<String>,
}

impl Config {
    /// Takes effective settings apart.
    pub fn of(mut settings: Settings) -> Self {
        let [token, agent_token] = ["token", "agent-token"]
            .map(|key| settings.contains_key(key) || settings.contains_key(&format!("{key}-file")));
        settings.retain(|key, _| !JOINING.contains(&key.as_str()));
        let arguments = settings.get(KUBELET).and_then(Json::as_array).cloned().unwrap_or_default();
        let provider =
            |argument: &Json| argument.as_str()?.strip_prefix(PROVIDER_ID).map(str::to_owned);
        let provider_id = arguments.iter().filter_map(provider).next_back();
        let others: Vec<Json> =
            arguments.into_iter().filter(|argument| provider(argument).is_none()).collect();
        match others.is_empty() {
            true => settings.remove(KUBELET),
            false => settings.insert(KUBELET.into(), others.into()),
        };
        Self { settings, provider_id, token, agent_token, own: Vec::new() }
    }

    /// Says which settings boma set in the file as it was read.
    pub fn owned_in(mut self, file: Option<&str>) -> Self {
        let header = file.and_then(|text| text.lines().next()?.strip_prefix(HEADER));
        self.own = header.into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect();
        self
    }

    /// Lays the attributes of a step over it. A setting goes away where it is null, or where boma
    /// set it before and the attributes lack it now.
    pub fn overlay(&mut self, attributes: &Json) {
        if let Some(config) = attributes["config"].as_object() {
            let wanted = super::settings::normal(config.clone());
            let goes = |key: &String| config.contains_key(key) || self.own.contains(key);
            self.settings.retain(|key, _| !goes(key));
            self.own = wanted.keys().cloned().collect();
            self.settings.extend(wanted);
        }
        if let Some(provider_id) = attributes["provider_id"].as_str() {
            self.provider_id = Some(provider_id.to_owned());
        }
        self.token |= attributes["token"].is_string();
        self.agent_token |= attributes["agent_token"].is_string();
    }

    /// All settings as k3s shall load them.
    pub fn effective(&self) -> Settings {
        let mut settings = self.settings.clone();
        if let Some(provider_id) = &self.provider_id {
            let mut arguments =
                settings.get(KUBELET).and_then(Json::as_array).cloned().unwrap_or_default();
            arguments.push(format!("{PROVIDER_ID}{provider_id}").into());
            settings.insert(KUBELET.into(), arguments.into());
        }
        if self.token {
            settings.insert("token-file".into(), TOKEN.into());
        }
        if self.agent_token {
            settings.insert("agent-token-file".into(), AGENT_TOKEN.into());
        }
        settings
    }

    /// The file. Its owner alone reads it: settings such as `datastore-endpoint` hold passwords.
    pub fn file(&self) -> RootFile {
        let (own, settings) = (self.own.join(" "), yaml::write(&self.effective()));
        let text = format!("{HEADER} {own}\n{settings}");
        RootFile { path: CONFIG.into(), mode: 0o600, content: Content::Plain(text.into_bytes()) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_config_comes_apart_and_together_again() {
        let mut config = Config::default();
        config.overlay(&json!({
            "config": {"docker": true, "kubelet-arg": ["cloud-provider=external"]},
            "provider_id": "vsphere://42", "token": "secret",
        }));
        let Content::Plain(text) = config.file().content else { panic!("it is no secret") };
        let text = String::from_utf8(text).unwrap();
        let expected = "# written by boma: docker kubelet-arg\ndocker: true\nkubelet-arg:\n- \"cloud-provider=external\"\n- \"provider-id=vsphere://42\"\ntoken-file: \"/etc/rancher/k3s/token\"\n";
        assert_eq!(text, expected);
        assert!(Config::of(yaml::read(CONFIG, &text).unwrap()).owned_in(Some(&text)) == config);
    }

    #[test]
    fn what_others_set_stays_and_what_boma_set_goes() {
        let text = "# written by boma: docker v\ndocker: true\nv: 2\nselinux: true\n";
        let mut config = Config::of(yaml::read(CONFIG, text).unwrap()).owned_in(Some(text));
        config.overlay(&json!({"config": {"docker": false, "selinux": null}}));
        assert_eq!(Json::Object(config.settings), json!({"docker": false}));
        let mut adopted =
            Config::of(yaml::read(CONFIG, "v: 2\n").unwrap()).owned_in(Some("v: 2\n"));
        adopted.overlay(&json!({"config": {"docker": true}}));
        assert_eq!(Json::Object(adopted.settings), json!({"docker": true, "v": 2}));
    }

    #[test]
    fn what_joins_is_no_part_of_it() {
        let settings = json!({"server": "https://a:6443", "cluster-init": true, "token": "x", "kubelet-arg": ["provider-id=vsphere://1"]});
        let config = Config::of(settings.as_object().unwrap().clone());
        assert_eq!((config.settings.len(), config.token, config.agent_token), (0, true, false));
        assert_eq!(config.provider_id.as_deref(), Some("vsphere://1"));
    }
}
