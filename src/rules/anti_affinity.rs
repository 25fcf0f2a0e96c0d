//! `anti-affinity`: two servers on one ESXi host are lost together, and with them the quorum.
//! A rule that must hold keeps a server off where there are fewer hosts than servers
//! (bosh-vsphere-cpi-release issue 223).

use std::collections::BTreeMap;

use super::words::names;
use super::{Facts, Problem, Rule};
use crate::resource::Address;
use crate::spec::{Group, KeepApart, Machine};

/// See the file's head.
pub const RULE: Rule = Rule::warn("anti-affinity", check);

const HELP: &str = "set `keep_apart` to \"prefer\", or move one of them";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let spec = facts.spec;
    let servers = &spec.groups.servers.keep_apart;
    if servers.value == KeepApart::Off && spec.servers.len() > 1 {
        let message = "nothing keeps the servers on different ESXi hosts";
        let help =
            "set `keep_apart` in [servers] to \"prefer\", or to \"check\" where DRS is missing";
        report.push(Problem::at(&servers.place, message, help));
    }
    for (group, machines) in
        [(&spec.groups.servers, &spec.servers), (&spec.groups.agents, &spec.agents)]
    {
        report.extend(too_few_hosts(facts, group, machines));
        report.extend(shared_hosts(facts, group, machines));
    }
}

fn too_few_hosts(facts: &Facts<'_>, group: &Group, machines: &[Machine]) -> Option<Problem> {
    let hosts = facts.spec.vcenter.hosts.len();
    let strict = group.keep_apart.value == KeepApart::Require;
    (strict && (1..machines.len()).contains(&hosts)).then(|| {
        let message =
            format!("{} machines cannot be on different ones of {hosts} hosts", machines.len());
        let help = "set `keep_apart` to \"prefer\": a machine then starts beside another one";
        Problem::at(&group.keep_apart.place, message, help)
    })
}

/// One problem for each host that runs two machines of a group which is to be kept apart.
fn shared_hosts(facts: &Facts<'_>, group: &Group, machines: &[Machine]) -> Vec<Problem> {
    if group.keep_apart.value == KeepApart::Off {
        return Vec::new();
    }
    let mut hosts: BTreeMap<String, Vec<&Machine>> = BTreeMap::new();
    for machine in machines {
        if let Some(host) = host(facts, machine) {
            hosts.entry(host).or_default().push(machine);
        }
    }
    let shared = hosts.into_iter().filter(|(_, machines)| machines.len() > 1);
    shared
        .filter_map(|(host, machines)| {
            let address = Address::of("vsphere/vm", &machines.first()?.name);
            let machines: Vec<&str> =
                machines.iter().map(|machine| machine.name.as_str()).collect();
            let message = format!("{} run on one ESXi host, {host}", names(&machines));
            Some(Problem::at(&group.keep_apart.place, message, HELP).about(&address))
        })
        .collect()
}

fn host(facts: &Facts<'_>, machine: &Machine) -> Option<String> {
    let address = Address::of("vsphere/vm", &machine.name);
    let object = facts.live?.get(&address)?.object()?;
    object.attributes.tree()["host"].as_str().map(str::to_owned)
}
