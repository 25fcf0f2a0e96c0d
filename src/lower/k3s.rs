//! The machines' k3s: servers one after the other, then agents.

use std::collections::BTreeMap;

use serde_json::json;

use super::host::OnHost;
use super::{docker, firewall, k3s_config, vm};
use crate::resource::{Address, Kind, Place, Resource, Value};
use crate::spec::{Join, Machine, ProviderId, RegistryLogin, Role, Runtime, Seconds, Spec};

const SERVER: &str = "k3s/server";
const AGENT: &str = "k3s/agent";

/// The address of a machine's k3s.
pub fn address(machine: &Machine) -> Address {
    match machine.role {
        Role::Server => Address::of(SERVER, &machine.name),
        Role::Agent => Address::of(AGENT, &machine.name),
    }
}

/// Lowers every server and agent. Each server but the first comes after the one before: etcd takes
/// one new member at a time.
pub fn nodes(spec: &Spec) -> Vec<Resource> {
    let (Some(server), Some(agent)) = (Kind::named(SERVER), Kind::named(AGENT)) else {
        return Vec::new();
    };
    let servers = spec.servers.iter().enumerate().map(|(at, machine)| {
        let before = at.checked_sub(1).and_then(|before| spec.servers.get(before));
        node(spec, server, machine, before.map(address).into_iter().collect())
    });
    let all_servers = || spec.servers.iter().map(address).collect();
    let agents = spec.agents.iter().map(|machine| node(spec, agent, machine, all_servers()));
    servers.chain(agents).collect()
}

fn node(spec: &Spec, kind: Kind, machine: &Machine, mut after: Vec<Address>) -> Resource {
    after.extend(firewall::address(spec, machine));
    after.extend(docker::address(spec, machine));
    OnHost {
        kind,
        machine,
        attributes: attributes(spec, machine),
        after,
        origin: &spec.k3s.place,
        origins: origins(spec, machine),
    }
    .resource()
}

fn attributes(spec: &Spec, machine: &Machine) -> Value {
    let k3s = &spec.k3s;
    let servers: Vec<String> =
        spec.servers.iter().map(|server| server.address.to_string()).collect();
    let mut attributes = vec![
        ("version", k3s.version.value.clone().into()),
        ("config", k3s_config::config(spec, machine).into()),
        ("provider_id", provider_id(spec, machine)),
        ("servers", servers.into()),
        ("service", "active".into()),
        ("running", "current".into()),
        ("arguments", "config.yaml".into()),
        ("schedulable", true.into()),
        ("ready_timeout_s", seconds(k3s.ready_timeout.value)),
        ("drain_timeout_s", seconds(k3s.drain_timeout.value)),
    ];
    attributes.extend(tokens(spec, machine));
    attributes.extend(registries(spec));
    attributes.extend(join(spec).map(|join| ("join", join.into())));
    attributes.extend(source(spec).map(|source| ("source", source)));
    Value::map(attributes)
}

fn seconds(seconds: Seconds) -> Value {
    Value::Literal(json!(seconds.0))
}

fn provider_id(spec: &Spec, machine: &Machine) -> Value {
    let uuid = match spec.k3s.provider_id.value {
        ProviderId::BiosUuid => "bios_uuid",
        ProviderId::InstanceUuid => "instance_uuid",
    };
    let uuid = Value::reference(&vm::address(machine), uuid);
    Value::Template(vec!["vsphere://".into(), uuid])
}

fn tokens(spec: &Spec, machine: &Machine) -> Vec<(&'static str, Value)> {
    let k3s = &spec.k3s;
    let secret = |source: &crate::spec::SecretRef| Value::Secret(source.clone());
    let own = k3s.agent_token.as_ref().map(|token| secret(token));
    if machine.role == Role::Agent {
        return vec![("token", own.unwrap_or_else(|| secret(&k3s.token)))];
    }
    let previous = k3s.previous_token.as_ref().map(|token| ("previous_token", secret(token)));
    let own = own.map(|token| ("agent_token", token));
    [("token", secret(&k3s.token))].into_iter().chain(own).chain(previous).collect()
}

/// Where containerd asks for images, and as whom. Docker has its own ways.
fn registries(spec: &Spec) -> Vec<(&'static str, Value)> {
    if spec.k3s.runtime.value == Runtime::Docker {
        return Vec::new();
    }
    let mirrors = spec.images.mirrors.iter();
    let mirrors: BTreeMap<String, Value> =
        mirrors.map(|(registry, url)| (registry.clone(), url.value.clone().into())).collect();
    let secret = |source: &crate::spec::SecretRef| Value::Secret(source.clone());
    let login = |login: &RegistryLogin| {
        Value::map([("username", secret(&login.username)), ("password", secret(&login.password))])
    };
    let logins = spec.images.credentials.iter();
    let logins: BTreeMap<String, Value> =
        logins.map(|(registry, one)| (registry.clone(), login(one))).collect();
    let all = [("mirrors", mirrors), ("logins", logins)];
    let given = all.into_iter().filter(|(_, map)| !map.is_empty());
    given.map(|(key, map)| (key, Value::Map(map))).collect()
}

/// Where machines join when it is not at any live server.
fn join(spec: &Spec) -> Option<String> {
    match &spec.k3s.join.value {
        Join::AnyServer => None,
        Join::Address(address) => Some(address.clone()),
        Join::Server(name) => {
            let server = spec.servers.iter().find(|server| server.name.value == *name)?;
            Some(server.address.to_string())
        }
    }
}

/// Where releases come from when it is not GitHub. A folder needs no network, so it wins.
fn source(spec: &Spec) -> Option<Value> {
    let directory = spec.k3s.directory.as_ref().map(|path| json!({ "directory": path.as_str() }));
    let mirror = || spec.k3s.mirror.as_ref().map(|base| json!({ "url": base.as_str() }));
    directory.or_else(mirror).map(Value::from)
}

fn origins(spec: &Spec, machine: &Machine) -> BTreeMap<String, Place> {
    let k3s = &spec.k3s;
    let agent_token = k3s.agent_token.as_ref().map(|token| &token.place);
    let token = match machine.role {
        Role::Server => &k3s.token.place,
        Role::Agent => agent_token.unwrap_or(&k3s.token.place),
    };
    let source = k3s.directory.as_ref().or(k3s.mirror.as_ref()).map(|source| &source.place);
    let given = [
        ("version", Some(&k3s.version.place)),
        ("provider_id", Some(&k3s.provider_id.place)),
        ("join", Some(&k3s.join.place)),
        ("servers", Some(&spec.groups.servers.place)),
        ("token", Some(token)),
        ("agent_token", agent_token),
        ("previous_token", k3s.previous_token.as_ref().map(|token| &token.place)),
        ("source", source),
        ("mirrors", Some(&spec.images.place)),
        ("logins", Some(&spec.images.place)),
    ];
    let given = given.into_iter();
    given.filter_map(|(key, place)| Some((key.to_owned(), place?.clone()))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::lower;
    use crate::lower::testing::spec;
    use crate::resource::{EdgeKind, references};

    fn resource(edits: &[(&str, &str)], address: &str) -> Resource {
        lower(&spec(edits)).resources.remove(&Address::from(address)).unwrap()
    }

    fn check(edits: &[(&str, &str)], address: &str, expected: &[(&str, serde_json::Value)]) {
        let tree = resource(edits, address).attributes.tree();
        for (key, value) in expected {
            assert_eq!(tree.get(*key).unwrap_or(&json!(null)), value, "{key} of {address}");
        }
    }

    fn edges(edits: &[(&str, &str)], address: &str, wanted: EdgeKind) -> Vec<String> {
        let edges = resource(edits, address).edges.into_iter();
        edges.filter(|edge| edge.kind == wanted).map(|edge| edge.to.to_string()).collect()
    }

    fn env(name: &str) -> serde_json::Value {
        json!({ "$secret": { "env": name } })
    }

    #[test]
    fn servers_join_one_by_one_and_agents_last() {
        let first = ["host/firewall/server-1"];
        assert_eq!(edges(&[], "k3s/server/server-1", EdgeKind::After), first);
        let docker = [("[k3s]", "[k3s]\nruntime = \"docker\"")];
        let third = ["host/docker/server-3", "host/firewall/server-3", "k3s/server/server-2"];
        assert_eq!(edges(&docker, "k3s/server/server-3", EdgeKind::After), third);
        let bare = [("[network]", "[network]\nfirewall = false")];
        let servers = ["k3s/server/server-1", "k3s/server/server-2", "k3s/server/server-3"];
        assert_eq!(edges(&bare, "k3s/agent/agent-2", EdgeKind::After), servers);
        assert_eq!(edges(&[], "k3s/agent/agent-2", EdgeKind::LivesIn), ["vsphere/vm/agent-2"]);
        assert_eq!(edges(&[], "k3s/agent/agent-2", EdgeKind::Refers), ["vsphere/vm/agent-2"]);
    }

    #[test]
    fn agents_never_hold_the_server_token_unless_they_must() {
        let expected = [("token", env("K3S_TOKEN")), ("agent_token", env("K3S_AGENT_TOKEN"))];
        check(&[], "k3s/server/server-1", &expected);
        let expected = [("token", env("K3S_AGENT_TOKEN")), ("agent_token", json!(null))];
        check(&[], "k3s/agent/agent-1", &expected);
        let one = [("agent_token = { env = \"K3S_AGENT_TOKEN\" }", "")];
        check(&one, "k3s/agent/agent-1", &[("token", env("K3S_TOKEN"))]);
        check(&one, "k3s/server/server-1", &[("agent_token", json!(null))]);
    }

    #[test]
    fn a_node_is_named_by_the_uuid_that_the_spec_asks_for() {
        let uuid = |edits: &[(&str, &str)]| {
            let tree = resource(edits, "k3s/agent/agent-1").attributes.tree();
            assert_eq!(tree["provider_id"]["$template"][0], "vsphere://");
            references(&tree["provider_id"])[0].path.clone()
        };
        assert_eq!(uuid(&[]), "bios_uuid");
        let other = "[k3s]\nprovider_id = \"instance-uuid\"";
        assert_eq!(uuid(&[("[k3s]", other)]), "instance_uuid");
    }

    #[test]
    fn machines_join_and_install_from_where_the_spec_says() {
        let address = "k3s/agent/agent-1";
        let servers = json!(["10.20.0.11", "10.20.0.12", "10.20.0.13"]);
        let expected = [("servers", servers), ("join", json!(null)), ("source", json!(null))];
        check(&[], address, &expected);
        let fixed = "[k3s]\njoin_server = \"server-2\"\nmirror = \"https://m.example.org\"";
        let expected =
            [("join", json!("10.20.0.12")), ("source", json!({"url": "https://m.example.org"}))];
        check(&[("[k3s]", fixed)], address, &expected);
        let vip = "[k3s]\njoin_address = \"10.20.0.10\"\ndirectory = \"airgap\"";
        let expected = [("join", json!("10.20.0.10")), ("source", json!({"directory": "airgap"}))];
        check(&[("[k3s]", vip)], address, &expected);
    }

    #[test]
    fn registries_are_the_machines_own() {
        let images = "[images]
mirrors = { \"registry.k8s.io\" = \"https://m.example.org\" }
credentials.\"m.example.org\" = { username = { env = \"U\" }, password = { env = \"P\" } }

[storage]";
        let login = json!({"m.example.org": {"username": env("U"), "password": env("P")}});
        let mirrors = json!({"registry.k8s.io": "https://m.example.org"});
        let expected = [("mirrors", mirrors), ("logins", login)];
        for address in ["k3s/server/server-1", "k3s/agent/agent-1"] {
            check(&[("[storage]", images)], address, &expected);
            check(&[], address, &[("mirrors", json!(null)), ("logins", json!(null))]);
        }
        let docker = [("[storage]", images), ("[k3s]", "[k3s]\nruntime = \"docker\"")];
        check(&docker, "k3s/agent/agent-1", &[("mirrors", json!(null))]);
    }

    #[test]
    fn what_stands_already_is_taken_over_and_never_deleted() {
        let standing = [("template = \"ubuntu-22.04\"\n", "")];
        let (made, adopted) =
            (resource(&[], "k3s/server/server-1"), resource(&standing, "k3s/server/server-1"));
        assert_eq!((made.adopt, made.protected), (false, false));
        assert_eq!((adopted.adopt, adopted.protected), (true, true));
        assert_eq!(adopted.attributes.tree().get("host_key"), None);
        let host_key = references(&made.attributes.tree()["host_key"]);
        assert_eq!(host_key[0].path, "host_key");
    }

    #[test]
    fn every_machine_is_an_endpoint_and_is_looked_at() {
        let desired = lower(&spec(&[]));
        let endpoint = crate::resource::Endpoint::named("host/agent-2");
        let facts = &desired.endpoints[&endpoint];
        assert_eq!(facts.opened_by, [Address::from("vsphere/vm/agent-2")]);
        let address = Address::from("host/machine/agent-2");
        let machine = desired.observed.iter().find(|seen| seen.address == address).unwrap();
        let expected = json!({"machine": "agent-2", "address": "10.20.0.22", "role": "agent"});
        assert_eq!(machine.place.tree(), expected);
        assert_eq!(machine.endpoint, endpoint);
    }
}
