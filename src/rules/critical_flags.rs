//! `critical-flags`: a server whose critical values differ from the cluster's does not start again
//! ("critical configuration value mismatch", k3s docs, `cli/server.md`; issues 4579, 12745).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::words::names;
use super::{Facts, Problem, Rule, hosts};

/// See the file's head.
pub const RULE: Rule = Rule::deny("critical-flags", check);

/// What must be equal on all servers, and k3s' default.
const CRITICAL: [(&str, &str); 12] = [
    ("cluster-cidr", "10.42.0.0/16"),
    ("cluster-dns", "10.43.0.10"),
    ("cluster-domain", "cluster.local"),
    ("disable-cloud-controller", "false"),
    ("disable-helm-controller", "false"),
    ("disable-network-policy", "false"),
    ("egress-selector-mode", "agent"),
    ("embedded-registry", "false"),
    ("flannel-backend", "vxlan"),
    ("secrets-encryption", "false"),
    ("secrets-encryption-provider", "aescbc"),
    ("service-cidr", "10.43.0.0/16"),
];

const HELP: &str = "find out which value the cluster has (`kubectl get node -o yaml`, annotation k3s.io/node-args), \
     write it into /etc/rancher/k3s/config.yaml of the others, and set the spec to it";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    // Half an installation has no say yet.
    let joined = |k3s: &Json| k3s["joined"] != "no";
    let servers: Vec<(&str, Json)> = facts
        .spec
        .servers
        .iter()
        .filter_map(|server| Some((server.name.as_str(), hosts::k3s(facts, server)?)))
        .filter(|(_, k3s)| joined(k3s))
        .collect();
    for (key, default) in CRITICAL {
        let value = |config: &Json| text(&config[key]).unwrap_or_else(|| default.to_owned());
        report.extend(differ(facts, &servers, key, &value));
    }
    report.extend(differ(facts, &servers, "disable", &load_balancer));
}

/// Of the components that can be left out, only this one must be the same everywhere.
fn load_balancer(config: &Json) -> String {
    let items = config["disable"].as_array().map(Vec::as_slice).unwrap_or_default();
    let off = items.iter().any(|item| item == "servicelb");
    if off { "without servicelb" } else { "with servicelb" }.to_owned()
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn differ(
    facts: &Facts<'_>,
    servers: &[(&str, Json)],
    key: &str,
    value: &dyn Fn(&Json) -> String,
) -> Option<Problem> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, server) in servers {
        groups.entry(value(&server["config"])).or_default().push(name);
    }
    if groups.len() < 2 || is_put_back(facts, key) {
        return None;
    }
    let groups: Vec<String> =
        groups.iter().map(|(value, servers)| format!("{} {value}", names(servers))).collect();
    let message = format!("servers differ in {key}: {}", groups.join("; "));
    Some(Problem::at(&facts.spec.k3s.place, message, HELP))
}

/// Whether the plan corrects it.
fn is_put_back(facts: &Facts<'_>, key: &str) -> bool {
    let path = format!("config.{key}");
    let mut changes = facts.spec.servers.iter().filter_map(|server| hosts::change(facts, server));
    changes.any(|change| change.attributes.iter().any(|one| one.path == path))
}
