//! The effective arguments of one start.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::ids::{self, MASK};

/// Arguments by name without dashes.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a>(pub &'a BTreeMap<String, Vec<String>>);

/// Flags that must be equal on all servers, and what they are when nobody sets them
/// (k3s docs/cli/server.md). `agent-token` and `disable=servicelb` are handled apart.
const CRITICAL: [(&str, &str); 14] = [
    ("cluster-cidr", "10.42.0.0/16"),
    ("cluster-dns", ""),
    ("cluster-domain", "cluster.local"),
    ("disable-cloud-controller", "false"),
    ("disable-helm-controller", "false"),
    ("disable-network-policy", "false"),
    ("egress-selector-mode", "agent"),
    ("embedded-registry", "false"),
    ("flannel-backend", "vxlan"),
    ("flannel-external-ip", "false"),
    ("flannel-ipv6-masq", "false"),
    ("secrets-encryption", "false"),
    ("secrets-encryption-provider", "aescbc"),
    ("service-cidr", "10.43.0.0/16"),
];

/// Arguments whose values k3s does not show.
const SECRET: [&str; 5] =
    ["token", "agent-token", "datastore-endpoint", "etcd-s3-access-key", "etcd-s3-secret-key"];

impl<'a> Arguments<'a> {
    /// The last value of an argument; `None` where it is missing or empty.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        let text = self.0.get(name)?.last()?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn flag(self, name: &str) -> bool {
        let last = self.0.get(name).map(|values| values.last().map_or("true", |last| last.trim()));
        last.is_some_and(|value| ["", "true", "1", "t"].contains(&value.to_lowercase().as_str()))
    }

    /// All values; k3s takes several in one, parted by commas.
    pub(super) fn list(self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let values = self.0.get(name).into_iter().flatten();
        values.flat_map(|value| value.split(',')).map(str::trim).filter(|value| !value.is_empty())
    }

    /// An argument of the kubelet.
    pub(super) fn kubelet(self, name: &str) -> Option<&'a str> {
        let arguments = self.0.get("kubelet-arg").into_iter().flatten();
        let pairs = arguments.filter_map(|argument| argument.trim().split_once('='));
        pairs
            .filter(|(key, _)| key.trim_start_matches('-') == name)
            .map(|(_, value)| value)
            .next_back()
    }

    /// The node's name: k3s writes it small.
    pub(super) fn node_name(self, hostname: &str) -> String {
        self.text("node-name").unwrap_or(hostname).to_lowercase()
    }

    pub(super) fn node_ip(self, address: &'a str) -> &'a str {
        self.list("node-ip").next().unwrap_or(address)
    }

    /// Directory of all data, without a slash at its end.
    pub(super) fn data_dir(self) -> &'a str {
        self.text("data-dir").unwrap_or("/var/lib/rancher/k3s").trim_end_matches('/')
    }

    /// What k3s sees to be wrong before it does anything; the error is its message.
    pub(super) fn check(self) -> Result<(), String> {
        if let Some(name) = self.0.keys().find(|name| name.contains(char::is_whitespace)) {
            return Err(format!("flag provided but not defined: -{name}"));
        }
        for name in ["cluster-cidr", "service-cidr"] {
            if let Some(wrong) = self.list(name).find(|text| !is_network(text)) {
                return Err(format!("invalid {name} {wrong}: invalid CIDR address: {wrong}"));
            }
        }
        match self.list("node-ip").find(|text| text.parse::<IpAddr>().is_err()) {
            Some(wrong) => Err(format!("invalid node-ip: invalid ip format '{wrong}'")),
            None => Ok(()),
        }
    }

    /// Critical flags with their values, defaults included. The agent token is there as a digest.
    pub(super) fn critical(self) -> BTreeMap<String, String> {
        let mut flags = BTreeMap::new();
        for (name, default) in CRITICAL {
            let value = match default {
                "false" => self.flag(name).to_string(),
                _ => {
                    let values: Vec<&str> = self.list(name).collect();
                    if values.is_empty() { default.to_owned() } else { values.join(",") }
                }
            };
            flags.insert(name.to_owned(), value);
        }
        let servicelb = self.list("disable").any(|part| part == "servicelb");
        flags.insert("disable=servicelb".to_owned(), servicelb.to_string());
        let agent_token = self.text("agent-token").map(ids::sha256).unwrap_or_default();
        flags.insert("agent-token".to_owned(), agent_token);
        flags
    }

    /// `k3s.io/node-args`: a JSON list of the role and all arguments, secrets masked. A token that
    /// was read from a file shows as the file.
    pub(super) fn node_args(self, role: &str) -> String {
        let mut words = vec![role.to_owned()];
        let from_file: BTreeSet<&str> =
            self.0.keys().filter_map(|name| name.strip_suffix("-file")).collect();
        for (name, values) in self.0 {
            let empty = [String::from("true")];
            let values = if values.is_empty() { &empty[..] } else { &values[..] };
            for value in values.iter().filter(|_| !from_file.contains(name.as_str())) {
                let secret = SECRET.contains(&name.as_str());
                words.push(format!("--{name}"));
                words.push(if secret { MASK.to_owned() } else { value.clone() });
            }
        }
        serde_json::to_string(&words).unwrap_or_default()
    }

    /// `k3s.io/node-config-hash`: changes with every argument, secrets included.
    pub(super) fn config_hash(self, role: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(role.as_bytes());
        hasher.update(serde_json::to_vec(self.0).unwrap_or_default());
        ids::base32(&hasher.finalize())
    }
}

fn is_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        let most = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_shown_as_k3s_does() {
        let map: BTreeMap<String, Vec<String>> = [
            ("disable", vec!["traefik,servicelb"]),
            ("kubelet-arg", vec!["cloud-provider=external", "provider-id=vsphere://a"]),
            ("cluster-init", vec!["true"]),
            ("token", vec!["s3cret"]),
            ("agent-token", vec!["s3cret"]),
            ("agent-token-file", vec!["/etc/rancher/k3s/agent-token"]),
        ]
        .into_iter()
        .map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()))
        .collect();
        let arguments = Arguments(&map);
        assert_eq!(arguments.kubelet("provider-id"), Some("vsphere://a"));
        assert!(arguments.flag("cluster-init") && !arguments.flag("docker"));
        assert_eq!(arguments.critical()["disable=servicelb"], "true");
        assert_eq!(arguments.critical()["cluster-cidr"], "10.42.0.0/16");
        let shown = arguments.node_args("server");
        let lead =
            r#"["server","--agent-token-file","/etc/rancher/k3s/agent-token","--cluster-init","#;
        assert!(shown.starts_with(lead), "{shown}");
        assert!(shown.contains(MASK) && !shown.contains("s3cret"));
        assert_eq!(arguments.config_hash("server").len(), 56);
    }
}
