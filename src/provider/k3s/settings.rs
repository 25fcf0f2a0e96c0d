//! k3s settings in one shape, whatever form they were written in: command line, environment,
//! config.yaml, or the annotation of a running node.

use serde_json::{Map, Value as Json};

/// Settings by key of config.yaml.
pub type Settings = Map<String, Json>;

/// Flags that take no value (k3s docs, `cli/server.md` and `cli/agent.md`).
const SWITCHES: &[&str] = &[
    "alsologtostderr",
    "cluster-init",
    "cluster-reset",
    "debug",
    "disable-agent",
    "disable-apiserver",
    "disable-cloud-controller",
    "disable-controller-manager",
    "disable-default-registry-endpoint",
    "disable-etcd",
    "disable-helm-controller",
    "disable-kube-proxy",
    "disable-network-policy",
    "disable-scheduler",
    "docker",
    "embedded-registry",
    "enable-pprof",
    "etcd-disable-snapshots",
    "etcd-expose-metrics",
    "etcd-s3",
    "etcd-s3-insecure",
    "etcd-s3-skip-ssl-verify",
    "etcd-snapshot-compress",
    "flannel-external-ip",
    "flannel-ipv6-masq",
    "nonroot-devices",
    "prefer-bundled-bin",
    "protect-kernel-defaults",
    "rootless",
    "secrets-encryption",
    "selinux",
    "supervisor-metrics",
    "tls-san-security",
];

/// Flags that may be given more than once.
const LISTS: &[&str] = &[
    "disable",
    "etcd-arg",
    "kube-apiserver-arg",
    "kube-cloud-controller-manager-arg",
    "kube-controller-manager-arg",
    "kube-proxy-arg",
    "kube-scheduler-arg",
    "kubelet-arg",
    "node-label",
    "node-taint",
    "tls-san",
];

/// Lists whose items may be joined by commas.
const COMMAS: &[&str] = &["disable", "tls-san"];

/// Settings that are whole numbers.
const NUMBERS: &[&str] = &[
    "agent-token-ttl",
    "etcd-snapshot-retention",
    "https-listen-port",
    "lb-server-port",
    "supervisor-port",
    "v",
];

/// Short forms of flags.
const SHORT: &[(&str, &str)] = &[
    ("t", "token"),
    ("s", "server"),
    ("d", "data-dir"),
    ("i", "node-ip"),
    ("o", "write-kubeconfig"),
    ("l", "log"),
    ("c", "config"),
];

/// Variables of the environment that k3s takes for flags (k3s docs, `reference/env-variables.md`).
const VARIABLES: &[(&str, &str)] = &[
    ("K3S_AGENT_TOKEN", "agent-token"),
    ("K3S_AGENT_TOKEN_FILE", "agent-token-file"),
    ("K3S_CLUSTER_INIT", "cluster-init"),
    ("K3S_DATA_DIR", "data-dir"),
    ("K3S_DATASTORE_ENDPOINT", "datastore-endpoint"),
    ("K3S_DEBUG", "debug"),
    ("K3S_KUBECONFIG_GROUP", "write-kubeconfig-group"),
    ("K3S_KUBECONFIG_MODE", "write-kubeconfig-mode"),
    ("K3S_KUBECONFIG_OUTPUT", "write-kubeconfig"),
    ("K3S_NODE_NAME", "node-name"),
    ("K3S_RESOLV_CONF", "resolv-conf"),
    ("K3S_SELINUX", "selinux"),
    ("K3S_TOKEN", "token"),
    ("K3S_TOKEN_FILE", "token-file"),
    ("K3S_URL", "server"),
];

/// What decides who joins whom: no setting of a machine that runs already.
pub const JOINING: &[&str] =
    &["server", "cluster-init", "token", "token-file", "agent-token", "agent-token-file"];

/// Reads a command line without program and role.
///
/// # Errors
/// A word that is no flag, or a flag without its value.
pub fn of_flags(words: &[String]) -> Result<Settings, String> {
    let mut settings = Settings::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
        let name =
            name.filter(|name| !name.is_empty()).ok_or_else(|| format!("{word:?} is no flag"))?;
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let key = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, key)| key);
        let value = match value {
            Some(value) => value,
            // The annotation of a running node writes `true` as a word of its own.
            None if SWITCHES.contains(&key) => words
                .next_if(|next| matches!(next.as_str(), "true" | "false"))
                .map_or_else(|| "true".to_owned(), Clone::clone),
            None => words.next().ok_or_else(|| format!("{word} has no value"))?.clone(),
        };
        match settings.get_mut(key) {
            Some(Json::Array(items)) => items.push(value.into()),
            _ if LISTS.contains(&key) => _ = settings.insert(key.into(), vec![value].into()),
            _ => _ = settings.insert(key.into(), value.into()),
        }
    }
    Ok(normal(settings))
}

/// The settings among variables.
pub fn of_environment<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Settings {
    let keys = variables.into_iter().filter_map(|(name, value)| {
        let (_, key) = VARIABLES.iter().find(|(variable, _)| *variable == name)?;
        (!value.is_empty()).then(|| ((*key).to_owned(), value.into()))
    });
    normal(keys.collect())
}

/// Whether k3s takes that variable for a flag.
pub fn is_variable(name: &str) -> bool {
    VARIABLES.iter().any(|(variable, _)| *variable == name)
}

/// Lays one file over what was read before: it wins, and `key+` appends.
pub fn lay_over(settings: &mut Settings, file: Settings) {
    for (key, value) in file {
        match key.strip_suffix('+') {
            Some(key) => {
                let more = normal(Settings::from_iter([(key.to_owned(), value)]));
                let more = more.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
                match settings.get_mut(key) {
                    Some(Json::Array(items)) => items.extend(more),
                    _ => _ = settings.insert(key.to_owned(), more.into()),
                }
            }
            None => settings.extend(normal(Settings::from_iter([(key, value)]))),
        }
    }
}

/// Brings values to the one form that is compared; what is empty falls away.
pub fn normal(settings: Settings) -> Settings {
    let settings = settings.into_iter().filter(|(_, value)| !value.is_null());
    settings
        .map(|(key, value)| {
            let value = normal_value(&key, value);
            (key, value)
        })
        .collect()
}

fn normal_value(key: &str, value: Json) -> Json {
    if LISTS.contains(&key) {
        let items = match value {
            Json::Array(items) => items,
            value => vec![value],
        };
        let texts = items.iter().map(text).flat_map(|item| match COMMAS.contains(&key) {
            true => item.split(',').map(str::to_owned).collect(),
            false => vec![item],
        });
        return texts.map(Json::from).collect();
    }
    let value = match value {
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        value => text(&value),
    };
    match value.as_str() {
        "true" | "false" if SWITCHES.contains(&key) => (value == "true").into(),
        "1" | "0" if SWITCHES.contains(&key) => (value == "1").into(),
        mode if key == "write-kubeconfig-mode" && mode.len() == 3 => format!("0{mode}").into(),
        number if NUMBERS.contains(&key) => {
            number.parse::<u64>().map_or_else(|_| number.into(), Json::from)
        }
        _ => value.into(),
    }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(words: &str, expected: Result<Json, &str>) {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        assert_eq!(of_flags(&words).map(Json::Object), expected.map_err(str::to_owned));
    }

    #[test]
    fn flags_and_annotations_read_alike() {
        let expected = json!({"docker": true, "disable": ["traefik", "servicelb"], "v": 2, "kubelet-arg": ["a=b", "c=d"], "write-kubeconfig-mode": "0644"});
        check(
            "--docker --disable traefik,servicelb -v 2 --kubelet-arg=a=b --kubelet-arg c=d --write-kubeconfig-mode 644",
            Ok(expected.clone()),
        );
        check(
            "--docker true --disable traefik --disable servicelb --v 2 --kubelet-arg a=b --kubelet-arg c=d --write-kubeconfig-mode 0644",
            Ok(expected),
        );
        check("-t secret", Ok(json!({"token": "secret"})));
        check("server", Err("\"server\" is no flag"));
        check("--token", Err("--token has no value"));
    }

    #[test]
    fn files_win_over_files_and_plus_appends() {
        let mut settings =
            normal(json!({"tls-san": "a", "docker": false}).as_object().unwrap().clone());
        lay_over(
            &mut settings,
            json!({"tls-san+": ["b"], "docker": true, "server": null}).as_object().unwrap().clone(),
        );
        assert_eq!(Json::Object(settings), json!({"tls-san": ["a", "b"], "docker": true}));
    }

    #[test]
    fn only_k3s_own_variables_are_settings() {
        let variables = [("K3S_URL", "https://a:6443"), ("HTTP_PROXY", "x"), ("K3S_TOKEN", "")];
        assert_eq!(Json::Object(of_environment(variables)), json!({"server": "https://a:6443"}));
    }
}
