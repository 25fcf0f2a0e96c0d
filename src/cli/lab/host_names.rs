//! From what is on a host to addresses and attributes.

use serde_json::{Value as Json, json};

use crate::lab::Drifted;
use crate::lower::vcenter_paths as paths;
use crate::render::json::LabDriftedJson;
use crate::spec::Spec;

/// k3s's configuration, whose keys are attributes.
const CONFIG: &str = "file /etc/rancher/k3s/config.yaml ";

/// What somebody changed on a host. `None` for what no resource has.
pub fn translate(spec: &Spec, one: &Drifted) -> Option<LabDriftedJson> {
    let machine = spec.all_machines().find(|machine| {
        paths::vm(spec, machine).rsplit('/').next().is_some_and(|name| name == one.name)
    })?;
    let is_server = spec.servers.iter().any(|server| server.name == machine.name);
    let k3s = if is_server { "k3s/server" } else { "k3s/agent" };
    let (kind, attribute, value): (_, _, fn(&Json) -> Json) = match one.property.as_str() {
        "ufw" => ("host/firewall", "rules".to_owned(), rules),
        "unit k3s.service" | "unit k3s-agent.service" => (k3s, "service".to_owned(), Json::clone),
        property => (k3s, format!("config.{}", property.strip_prefix(CONFIG)?), arguments),
    };
    Some(LabDriftedJson {
        address: format!("{kind}/{}", *machine.name),
        attribute,
        before: value(&one.before),
        after: value(&one.after),
    })
}

/// Without the argument that is an attribute of its own.
fn arguments(value: &Json) -> Json {
    let own = |argument: &&Json| {
        !argument.as_str().is_some_and(|argument| argument.starts_with("provider-id="))
    };
    match value.as_array() {
        Some(list) => list.iter().filter(own).cloned().collect(),
        None => value.clone(),
    }
}

/// boma's own of the rules as `ufw show added` writes them, in the resource's form.
fn rules(value: &Json) -> Json {
    let lines = value.as_array().into_iter().flatten().filter_map(Json::as_str);
    let mut rules: Vec<String> = lines.filter_map(rule).collect();
    rules.sort();
    json!(rules)
}

/// `allow from 10.20.0.5 to any port 22 proto tcp comment 'boma'` as `tcp 22 from 10.20.0.5`.
fn rule(line: &str) -> Option<String> {
    let words = line.strip_suffix(" comment 'boma'")?.strip_prefix("allow ")?;
    let words: Vec<&str> = words.split(' ').collect();
    match words.as_slice() {
        ["from", source, "to", "any", "port", port, "proto", protocol] => {
            Some(format!("{protocol} {port} from {source}"))
        }
        ["from", source] => Some(format!("any from {source}")),
        [open] => {
            open.split_once('/').map(|(port, protocol)| format!("{protocol} {port} from any"))
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        assert_eq!(rules(&json!([line, "allow 80/tcp", "deny 81/tcp"])), json!([expected]));
    }

    #[test]
    fn rules_are_in_the_form_of_the_resource() {
        check(
            "allow from 10.20.0.5 to any port 22 proto tcp comment 'boma'",
            "tcp 22 from 10.20.0.5",
        );
        check("allow from 10.42.0.0/16 comment 'boma'", "any from 10.42.0.0/16");
        check("allow 8472/udp comment 'boma'", "udp 8472 from any");
    }

    #[test]
    fn the_provider_id_is_no_argument_here() {
        let value = json!(["provider-id=vsphere://1", "max-pods=120"]);
        assert_eq!(arguments(&value), json!(["max-pods=120"]));
    }
}
