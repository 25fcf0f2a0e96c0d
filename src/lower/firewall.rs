//! What each machine lets in. Ports and who needs them: k3s docs, `installation/requirements.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::host::OnHost;
use crate::resource::{Address, Kind, Place, Resource, Value};
use crate::spec::{AllowOn, Entry, FlannelBackend, Machine, Protocol, Role, Sp, Spec, Subnet};

/// The address of a machine's firewall. `None` where boma keeps its hands off.
pub fn address(spec: &Spec, machine: &Machine) -> Option<Address> {
    spec.network.firewall.value.then(|| Address::of("host/firewall", &machine.name))
}

/// Lowers every machine's firewall, unless boma is to leave them alone.
pub fn firewalls(spec: &Spec) -> Vec<Resource> {
    let Some(kind) = Kind::named("host/firewall") else { return Vec::new() };
    let managed = spec.all_machines().filter(|_| spec.network.firewall.value);
    managed
        .map(|machine| {
            OnHost {
                kind,
                machine,
                attributes: attributes(spec, machine),
                after: Vec::new(),
                origin: &spec.network.place,
                origins: origins(spec),
            }
            .resource()
        })
        .collect()
}

fn attributes(spec: &Spec, machine: &Machine) -> Value {
    let rules: Vec<String> = rules(spec, machine).into_iter().collect();
    let mut attributes = vec![("rules", rules.into())];
    // A machine that stands already may be reached in ways that no spec knows of.
    let made = machine.template.is_some().then_some(true);
    if let Some(deny) = spec.network.default_deny.as_ref().map(|set| set.value).or(made) {
        attributes.push(("default_deny", deny.into()));
    }
    Value::map(attributes)
}

fn origins(spec: &Spec) -> BTreeMap<String, Place> {
    let set = spec.network.default_deny.as_ref();
    set.map(|set| ("default_deny".to_owned(), set.place.clone())).into_iter().collect()
}

/// Every opening of one machine, once.
fn rules(spec: &Spec, machine: &Machine) -> BTreeSet<String> {
    let networks = [&spec.k3s.cluster_cidr, &spec.k3s.service_cidr];
    let pods = networks.into_iter().map(|network| format!("any from {}", source(network)));
    let ssh = tcp(&spec.ssh.port.to_string(), everybody_or(&spec.ssh.from));
    let mut rules: BTreeSet<String> = pods.chain(ssh).collect();
    rules.extend(peers(spec, machine));
    if machine.role == Role::Server {
        rules.extend(server(spec, machine));
    }
    if answers(spec, machine) {
        for port in ["80", "443"] {
            rules.extend(tcp(port, everybody_or(&spec.network.ingress_from)));
        }
    }
    rules.extend(allowed(spec, machine));
    rules
}

/// What all machines need of each other. The addresses are IPv4's, so is WireGuard's port.
fn peers(spec: &Spec, machine: &Machine) -> Vec<String> {
    let all = || spec.all_machines();
    let mut rules = tcp("10250", others(machine, all()));
    let overlay = match spec.k3s.flannel_backend.value {
        FlannelBackend::Vxlan => Some("8472"),
        FlannelBackend::WireguardNative => Some("51820"),
        FlannelBackend::HostGw => None,
    };
    if let Some(port) = overlay {
        rules.extend(opening("udp", port, others(machine, all())));
    }
    if spec.k3s.embedded_registry.value {
        // Images are asked for at the peer's own supervisor port, too.
        for port in ["5001", "6443"] {
            rules.extend(tcp(port, others(machine, all())));
        }
    }
    rules
}

/// The API for machines and for whoever runs boma; etcd for the other servers. Where everybody may
/// open SSH, the API is reached through it.
fn server(spec: &Spec, machine: &Machine) -> Vec<String> {
    let operators = spec.ssh.from.iter().map(|network| source(network)).collect();
    [
        tcp("2379:2380", others(machine, spec.servers.iter())),
        tcp("6443", others(machine, spec.all_machines())),
        tcp("6443", operators),
    ]
    .concat()
}

fn answers(spec: &Spec, machine: &Machine) -> bool {
    match spec.traefik.entry.value {
        Entry::All => true,
        Entry::Servers => machine.role == Role::Server,
        Entry::Agents => machine.role == Role::Agent,
    }
}

fn allowed(spec: &Spec, machine: &Machine) -> Vec<String> {
    let concerned = spec.network.allow.iter().filter(|allow| match allow.on.value {
        AllowOn::All => true,
        AllowOn::Servers => machine.role == Role::Server,
        AllowOn::Agents => machine.role == Role::Agent,
    });
    concerned
        .flat_map(|allow| {
            let protocol = match allow.protocol.value {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            };
            opening(protocol, &allow.port.to_string(), vec![source(&allow.from)])
        })
        .collect()
}

fn tcp(port: &str, sources: Vec<String>) -> Vec<String> {
    opening("tcp", port, sources)
}

fn opening(protocol: &str, port: &str, sources: Vec<String>) -> Vec<String> {
    sources.iter().map(|source| format!("{protocol} {port} from {source}")).collect()
}

fn others<'a>(machine: &Machine, all: impl Iterator<Item = &'a Machine>) -> Vec<String> {
    let others = all.filter(|other| other.address.value != machine.address.value);
    others.map(|other| other.address.to_string()).collect()
}

fn everybody_or(networks: &[Sp<Subnet>]) -> Vec<String> {
    if networks.is_empty() {
        return vec!["any".to_owned()];
    }
    networks.iter().map(|network| source(network)).collect()
}

/// As ufw prints it (`ufw/util.py`, `normalize_address`).
fn source(network: &Subnet) -> String {
    match network.prefix {
        0 => "any".to_owned(),
        32 => network.network.to_string(),
        _ => network.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing::spec;

    fn tree(edits: &[(&str, &str)], machine: &str) -> serde_json::Value {
        let firewalls = firewalls(&spec(edits));
        let address = Address::of("host/firewall", machine);
        let found = firewalls.iter().find(|firewall| firewall.address == address);
        found.unwrap().attributes.tree()
    }

    fn check(edits: &[(&str, &str)], machine: &str, there: &[&str], not_there: &[&str]) {
        let tree = tree(edits, machine);
        let has = |rule: &&str| tree["rules"].as_array().unwrap().contains(&json!(rule));
        for rule in there {
            assert!(has(rule), "{rule} is missing on {machine}: {tree}");
        }
        for rule in not_there {
            assert!(!has(rule), "{rule} is on {machine}: {tree}");
        }
    }

    #[test]
    fn an_agent_lets_in_its_peers_its_operators_and_its_users() {
        let expected = [
            "any from 10.42.0.0/16",
            "any from 10.43.0.0/16",
            "tcp 10250 from 10.20.0.11",
            "tcp 10250 from 10.20.0.12",
            "tcp 10250 from 10.20.0.13",
            "tcp 10250 from 10.20.0.22",
            "tcp 22 from 10.20.0.5",
            "tcp 443 from 10.20.1.10",
            "tcp 80 from 10.20.1.10",
            "udp 8472 from 10.20.0.11",
            "udp 8472 from 10.20.0.12",
            "udp 8472 from 10.20.0.13",
            "udp 8472 from 10.20.0.22",
        ];
        let tree = tree(&[], "agent-1");
        assert_eq!((&tree["rules"], &tree["default_deny"]), (&json!(expected), &json!(true)));
    }

    #[test]
    fn only_servers_open_etcd_and_the_api() {
        let there = [
            "tcp 2379:2380 from 10.20.0.12",
            "tcp 6443 from 10.20.0.12",
            "tcp 6443 from 10.20.0.21",
            "tcp 6443 from 10.20.0.5",
        ];
        check(&[], "server-1", &there, &["tcp 2379:2380 from 10.20.0.21"]);
        let open = [("from = [\"10.20.0.5/32\"]", "port = 2222")];
        let there = ["tcp 2222 from any"];
        check(&open, "server-1", &there, &["tcp 6443 from any", "tcp 22 from any"]);
    }

    #[test]
    fn the_overlay_decides_which_udp_port_is_open() {
        let backend = |name: &str| format!("[k3s]\nflannel_backend = \"{name}\"");
        let (vxlan, wireguard) = ("udp 8472 from 10.20.0.22", "udp 51820 from 10.20.0.22");
        let native = backend("wireguard-native");
        check(&[("[k3s]", &native)], "agent-1", &[wireguard], &[vxlan]);
        check(&[("[k3s]", &backend("host-gw"))], "agent-1", &[], &[vxlan, wireguard]);
    }

    #[test]
    fn machines_that_share_images_reach_each_other() {
        let share = [("[k3s]", "[k3s]\nembedded_registry = true")];
        let there = ["tcp 5001 from 10.20.0.22", "tcp 6443 from 10.20.0.22"];
        check(&share, "agent-1", &there, &[]);
        check(&[], "agent-1", &[], &there);
    }

    #[test]
    fn the_spec_decides_who_answers_and_what_else_is_open() {
        let entry = ("[storage]", "[traefik]\nentry = \"servers\"\n[storage]");
        let everybody = ("ingress_from = [\"10.20.1.10/32\"]", "");
        check(&[entry, everybody], "server-1", &["tcp 80 from any"], &[]);
        check(&[entry, everybody], "agent-1", &[], &["tcp 80 from any"]);
        let allow = "[network]\nallow = [{ from = \"10.20.1.0/24\", port = 161, \
                     protocol = \"udp\", on = \"agents\" }]";
        let rule = "udp 161 from 10.20.1.0/24";
        check(&[("[network]", allow)], "agent-1", &[rule], &[]);
        check(&[("[network]", allow)], "server-1", &[], &[rule]);
    }

    #[test]
    fn what_stands_already_is_not_shut_off_unasked() {
        let standing = ("template = \"ubuntu-22.04\"\n", "");
        assert_eq!(tree(&[standing], "agent-1")["default_deny"], json!(null));
        let asked = [standing, ("[network]", "[network]\ndefault_deny = true")];
        assert_eq!(tree(&asked, "agent-1")["default_deny"], json!(true));
        let off = [("[network]", "[network]\nfirewall = false")];
        assert!(firewalls(&spec(&off)).is_empty());
    }
}
