//! `[machines]`, `[servers]` and `[agents]` become machines.

use std::net::Ipv4Addr;

use super::expand::{addresses, check_overrides, names, names_are_sound};
use super::machine::{Identity, Layers, machine};
use super::settings::subnet;
use super::view::View;
use crate::diag::Diagnostic;
use crate::spec::scalar::parse_address;
use crate::spec::source::Wrong;
use crate::spec::{Group, Groups, KeepApart, Machine, Machines, Role, Sp, Vcenter};

/// What the three tables say together.
pub(super) struct AllMachines {
    pub(super) common: Machines,
    pub(super) groups: Groups,
    pub(super) servers: Vec<Machine>,
    pub(super) agents: Vec<Machine>,
}

pub(super) fn machines(
    root: &View<'_>,
    vcenter: &Vcenter,
    found: &mut Vec<Diagnostic>,
) -> AllMachines {
    let common = root.section("machines");
    let servers = root.section("servers");
    let agents = root.section("agents");
    let mut read =
        |name: &str, role, group: &View<'_>| match root.has(name) && !root.is_broken(name) {
            true => expand(name, role, &common, group, vcenter, found),
            false => Vec::new(),
        };
    AllMachines {
        servers: read("servers", Role::Server, &servers),
        agents: read("agents", Role::Agent, &agents),
        groups: Groups {
            servers: group(&servers, KeepApart::Check),
            agents: group(&agents, KeepApart::Off),
        },
        common: Machines {
            place: common.place(),
            subnet: subnet(&common, "subnet"),
            gateway: address(&common, "gateway"),
            dns: common.list("dns", parse_address),
            ntp: common.texts("ntp"),
            search: common.texts("search"),
        },
    }
}

/// The filler 0.0.0.0 is passed over by every cross check.
pub(super) fn address(view: &View<'_>, name: &str) -> Sp<Ipv4Addr> {
    view.parsed(name, parse_address, Ipv4Addr::UNSPECIFIED)
}

fn group(view: &View<'_>, otherwise: KeepApart) -> Group {
    let apart = view.choice_opt("keep_apart", |word| match word {
        "check" => KeepApart::Check,
        "prefer" => KeepApart::Prefer,
        "require" => KeepApart::Require,
        _ => KeepApart::Off,
    });
    Group { place: view.place(), keep_apart: apart.unwrap_or_else(|| view.filler(otherwise)) }
}

fn expand(
    table: &str,
    role: Role,
    common: &View<'_>,
    group: &View<'_>,
    vcenter: &Vcenter,
    found: &mut Vec<Diagnostic>,
) -> Vec<Machine> {
    let names = names(group, table, found);
    let addresses = addresses(group);
    let overrides = group.tables("overrides");
    if names_are_sound(group) {
        check_overrides(table, &overrides, &names, found);
        check_count(table, group, names.len(), addresses.len(), found);
    }
    let mut all = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let own = overrides.iter().find(|(key, _)| key.value == name.value);
        let own = own.map(|(_, view)| *view);
        let address = own
            .and_then(|view| view.parsed_opt("address", parse_address, Ipv4Addr::UNSPECIFIED))
            .or_else(|| addresses.get(index).cloned())
            .unwrap_or_else(|| group.filler(Ipv4Addr::UNSPECIFIED));
        let layers = Layers { table, own, group: *group, common: *common };
        let who =
            Identity { role, number: u32::try_from(index + 1).unwrap_or(u32::MAX), name, address };
        all.push(machine(&layers, who, vcenter, found));
    }
    all
}

fn check_count(
    table: &str,
    group: &View<'_>,
    names: usize,
    addresses: usize,
    found: &mut Vec<Diagnostic>,
) {
    let readable = group.has("addresses") && !group.is_broken("addresses");
    if !readable || names == 0 || names == addresses {
        return;
    }
    let help = match names > addresses {
        true => "add addresses, or lower the count",
        false => "shorten the range, or raise the count",
    };
    let wrong = Wrong::new(
        format!("[{table}] has {names} machines and {addresses} addresses"),
        format!("{addresses} addresses"),
        help,
    );
    found.push(wrong.error(&group.place_of("addresses")));
}
