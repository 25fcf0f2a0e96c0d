//! Names and addresses of machines.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::diag::{Diagnostic, Place};
use crate::spec::source::{Wrong, nearest};
use crate::spec::{Join, Spec, Subnet};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    names(spec, found);
    addresses(spec, found);
    subnet(spec, found);
    quorum(spec, found);
    sizes(spec, found);
    host_keys(spec, found);
}

/// Within a group names are unique, or were reported where the group was read.
fn names(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let servers: BTreeMap<&str, &Place> =
        spec.servers.iter().map(|machine| (machine.name.as_str(), &machine.name.place)).collect();
    for agent in spec.agents.iter().filter(|machine| !machine.name.is_empty()) {
        if let Some(server) = servers.get(agent.name.as_str()) {
            let wrong = Wrong::new(
                format!("two machines are called \"{}\"", agent.name),
                format!("the other one is on line {}", server.line),
                "give servers and agents different names: they are host and node names",
            );
            found.push(wrong.error(&agent.name.place));
        }
    }
}

/// Every address that something in the spec answers to, with what that is.
fn addresses(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<Ipv4Addr, String> = BTreeMap::new();
    seen.insert(*spec.machines.gateway, "the gateway".to_owned());
    for dns in &spec.machines.dns {
        // A router that is also the name server is usual.
        seen.entry(**dns).or_insert_with(|| "a name server".to_owned());
    }
    if let Ok(vcenter) = spec.vcenter.server.parse() {
        seen.entry(vcenter).or_insert_with(|| "the vCenter".to_owned());
    }
    let join = match spec.k3s.join.value {
        Join::Address(ref address) => address.parse().ok(),
        _ => None,
    };
    let join = join.map(|address| (address, "the join address".to_owned(), &spec.k3s.join.place));
    let machines = spec
        .all_machines()
        .map(|machine| (*machine.address, machine.name.value.clone(), &machine.address.place));
    for (address, what, place) in machines.chain(join) {
        if address.is_unspecified() {
            continue;
        }
        if let Some(other) = seen.get(&address) {
            let wrong = Wrong::new(
                format!("{what} and {other} both have the address {address}"),
                format!("{address} is taken"),
                "give each its own address",
            );
            found.push(wrong.error(place));
        }
        seen.entry(address).or_insert(what);
    }
}

fn subnet(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let subnet = spec.machines.subnet.value;
    let gateway = &spec.machines.gateway;
    let machines = spec
        .all_machines()
        .map(|machine| (*machine.address, machine.name.as_str(), &machine.address.place));
    for (address, what, place) in machines.chain([(**gateway, "the gateway", &gateway.place)]) {
        if address.is_unspecified() {
            continue;
        }
        if let Some((message, label)) = misfit(subnet, address, what) {
            let help = format!(
                "use an address between {} and {}, or another subnet",
                Ipv4Addr::from(u32::from(subnet.network).saturating_add(1)),
                Ipv4Addr::from(u32::from(subnet.last()).saturating_sub(1)),
            );
            found.push(Wrong::new(message, label, help).error(place));
        }
    }
}

/// Networks of /31 and /32 have neither a network nor a broadcast address.
fn misfit(subnet: Subnet, address: Ipv4Addr, what: &str) -> Option<(String, &'static str)> {
    let ends = subnet.prefix < 31;
    if !subnet.contains(address) {
        let message = format!("the address of {what}, {address}, is outside the subnet {subnet}");
        Some((message, "outside the subnet"))
    } else if ends && address == subnet.network {
        let message = format!("{address} is the address of the network itself");
        Some((message, "the network address"))
    } else if ends && address == subnet.last() {
        let message = format!("{address} is the broadcast address of {subnet}");
        Some((message, "the broadcast address"))
    } else {
        None
    }
}

fn quorum(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let count = spec.servers.len();
    if count == 0 || !count.is_multiple_of(2) {
        return;
    }
    let wrong = Wrong::new(
        format!("[servers] has {count} machines, an even number"),
        "an even number of servers",
        format!(
            "use {} or {}: etcd needs a majority, and {count} survive no more failures than {}",
            count - 1,
            count + 1,
            count - 1
        ),
    );
    found.push(wrong.error(&spec.groups.servers.place));
}

fn sizes(spec: &Spec, found: &mut Vec<Diagnostic>) {
    for machine in spec.all_machines() {
        if !machine.memory_mib.is_multiple_of(4) {
            let wrong = Wrong::new(
                "a machine's memory is not a multiple of 4 MiB",
                "not a multiple of 4 MiB",
                "vSphere gives memory in steps of 4 MiB: write it in GiB",
            );
            found.push(wrong.error(&machine.memory_mib.place));
        }
    }
}

fn host_keys(spec: &Spec, found: &mut Vec<Diagnostic>) {
    for (name, key) in &spec.ssh.host_keys {
        let names: Vec<&str> = spec.all_machines().map(|machine| machine.name.as_str()).collect();
        if names.is_empty() || names.contains(&name.as_str()) {
            continue;
        }
        let help = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "host keys are listed by the names of servers and agents".to_owned(),
        };
        let message = format!("`ssh.host_keys` has \"{name}\", which is no machine");
        found.push(Wrong::new(message, "no such machine", help).error(&key.place));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use crate::spec::cross::testing::check;

    #[test]
    fn machines_have_different_names() {
        check(&[("agent-{}", "server-{}")], &["\"server-1\"", "\"server-2\""]);
    }

    #[test]
    fn nothing_shares_an_address() {
        check(&[("\"10.20.0.21\"", "\"10.20.0.12\"")], &["agent-1 and server-2 both"]);
        check(&[("0.11-13", "0.1-3")], &["server-1 and the gateway", "server-2 and a name server"]);
        check(
            &[("[k3s]", "[k3s]\njoin_address = \"10.20.0.11\"")],
            &["the join address and server-1"],
        );
        check(&[("\"vcenter.example.org\"", "\"10.20.0.22\"")], &["agent-2 and the vCenter"]);
    }

    #[test]
    fn addresses_are_inside_the_subnet() {
        check(&[("\"10.20.0.21\"", "\"10.20.1.21\"")], &["agent-1, 10.20.1.21, is outside"]);
        check(&[("\"10.20.0.1\"", "\"10.30.0.1\"")], &["the gateway, 10.30.0.1, is outside"]);
        check(&[("\"10.20.0.21\"", "\"10.20.0.255\"")], &["the broadcast address"]);
        check(&[("\"10.20.0.21\"", "\"10.20.0.0\"")], &["the network itself"]);
    }

    #[test]
    fn servers_are_odd_in_number() {
        check(&[("count = 3", "count = 4"), ("11-13", "11-14")], &["an even number"]);
        check(&[("count = 3", "count = 1"), ("11-13", "11")], &[]);
    }

    #[test]
    fn counts_and_addresses_agree() {
        check(&[("11-13", "11-12")], &["3 machines and 2 addresses"]);
        check(&[("11-13", "11-15")], &["3 machines and 5 addresses"]);
    }

    #[test]
    fn names_can_be_told_apart() {
        check(&[("server-{}", "server")], &["gives 3 the same name"]);
        check(
            &[("count = 2\nname = \"agent-{}\"", "names = [\"a\", \"a\"]")],
            &["has \"a\" twice"],
        );
        check(&[("name = \"server-{}\"\n", "")], &["[servers] needs `name`"]);
        check(&[("count = 2\nname = \"agent-{}\"", "")], &["does not say how many"]);
        check(&[("count = 2\n", "count = 2\nnames = [\"a\"]\n")], &["both `names` and"]);
        check(&[("name = \"server-{}\"", "name = \"Server_{}\"")], &["not a name pattern"]);
    }

    #[test]
    fn absurd_numbers_are_refused_before_they_cost_anything() {
        check(&[("count = 3", "count = 4000000000")], &["`servers.count` is out of range"]);
        check(
            &[("count = 3", "count = 99999999999999999999")],
            &["`servers.count` is out of range"],
        );
        check(&[("10.20.0.11-13", "0.0.0.0-255.255.255.255")], &["not an address or a range"]);
    }

    #[test]
    fn a_broken_group_says_one_thing() {
        check(&[("[servers]", "[[servers]]")], &["`servers` must be a table"]);
        check(&[("addresses = \"10.20.0.11-13\"", "addresses = \"x\"")], &["is not an address"]);
        check(&[("name = \"server-{}\"", "nam = \"server-{}\"")], &["`nam` is not a key"]);
        check(&[("\"10.20.0.0/24\"", "\"10.20.0.9/24\"")], &["`machines.subnet` is not"]);
        let names: String = (0..1001).map(|at| format!("\"a{at}\",")).collect();
        let list = format!("names = [{names}]");
        check(&[("count = 2\nname = \"agent-{}\"", &list)], &["has 1001 names"]);
    }

    #[test]
    fn overrides_name_machines() {
        let edit = "[k3s]\n";
        check(
            &[(edit, "[agents.overrides.agnt-1]\ncpus = 4\n[k3s]\n")],
            &["`agents.overrides` has \"agnt-1\""],
        );
        check(&[(edit, "[agents.overrides.agent-1]\ncpus = 4\n[k3s]\n")], &[]);
        check(
            &[(
                "[machines]",
                "host_keys = { server-9 = \
                 \"SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDhI9tCsd0u6Yd0Zp8\" }\n[machines]",
            )],
            &["\"server-9\", which is no machine"],
        );
    }

    #[test]
    fn sizes_fit_vsphere() {
        check(&[("\"8GiB\"", "\"8191MiB\"")], &["not a multiple of 4 MiB"]);
        check(&[("disk = \"50GiB\"", "disk = \"51201MiB\"")], &["not a whole number of GiB"]);
        check(&[("cpus = 4\n", "")], &["[servers] needs `cpus`"]);
    }
}
