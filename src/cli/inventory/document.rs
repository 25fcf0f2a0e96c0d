//! From readings to an inventory.

use std::net::Ipv4Addr;

use serde_json::Value as Json;

use crate::plan::{Live, ReadStats};
use crate::render::json::{
    DatastoreJson, HostJson, InventoryJson, NamedJson, ReadJson, RoleJson, VcenterJson, VmJson,
};
use crate::resource::{Address, Kind, Reading};
use crate::spec::{Entry, Machine, Role, Spec};

const VM: &str = "vsphere/vm";
const ROLE: &str = "vsphere/role";

/// The kinds whose readings are shown.
pub const KINDS: &[&str] = &[VM, ROLE];

/// What was found.
pub struct Found<'a> {
    /// Readings of all resources of [`KINDS`]; recorded ones where nobody was asked.
    pub live: &'a Live,
    /// `None` where nobody was asked.
    pub read: Option<ReadStats>,
    /// The vCenter's instance UUID. `None` where nobody knows.
    pub identity: Option<String>,
    /// It is the lab.
    pub lab: bool,
}

/// Puts together what the spec says and what was found.
pub fn of(spec: &Spec, found: &Found<'_>) -> InventoryJson {
    let vcenter = &spec.vcenter;
    let mut datastores = vec![vcenter.datastore.as_str()];
    for machine in spec.all_machines() {
        if !datastores.contains(&machine.datastore.as_str()) {
            datastores.push(&machine.datastore);
        }
    }
    let site = found.live.get(&site(spec));
    InventoryJson {
        name: spec.name.value.clone(),
        lab: found.lab,
        offline: found.read.is_none(),
        read: found
            .read
            .map(|read| ReadJson { requests: read.requests, elapsed_ms: read.elapsed_ms }),
        vcenter: VcenterJson {
            server: vcenter.server.value.clone(),
            instance_uuid: found.identity.clone(),
        },
        datacenter: place(site, "datacenter", &vcenter.datacenter),
        clusters: vec![place(site, "cluster", &vcenter.cluster)],
        datastores: datastores.into_iter().map(|name| datastore(site, name)).collect(),
        cluster_id: spec.csi.cluster_id.as_ref().map(|id| id.value.clone()),
        roles: roles(found.live),
        vms: spec.all_machines().map(|machine| vm(machine, found.live)).collect(),
        entry: entry(spec),
        projects: spec
            .projects
            .iter()
            .map(|project| HostJson {
                name: project.name.value.clone(),
                host: project.host.value.clone(),
                tls: project.tls.is_some(),
            })
            .collect(),
    }
}

/// Where the look at the site is among the readings.
pub fn site(spec: &Spec) -> Address {
    Address::of(Kind::site().name, &spec.vcenter.datacenter)
}

/// Whether something could not be read. Of places that is said only where somebody was asked.
pub fn has_unread(inventory: &InventoryJson) -> bool {
    let place = &inventory.datacenter;
    (place.exists.is_none() && place.reason.is_some())
        || inventory.vms.iter().any(|vm| vm.exists.is_none())
        || inventory.roles.iter().any(|role| role.exists.is_none())
}

/// What was seen of one object that the spec names; of a datacenter it has the path.
fn place(site: Option<&Reading>, what: &str, name: &str) -> NamedJson {
    let nameless = NamedJson { name: name.to_owned(), ..NamedJson::default() };
    let tree = match site {
        Some(Reading::Present(object)) => object.attributes.tree(),
        Some(Reading::Unread(reason)) => {
            return NamedJson { reason: Some(reason.clone()), ..nameless };
        }
        Some(Reading::Absent) | None => return nameless,
    };
    let of_it = |one: &&Json| {
        one["what"] == what && (what == "datacenter" || one["name"].as_str() == Some(name))
    };
    let find = |list: &str| tree[list].as_array().and_then(|list| list.iter().find(of_it)).cloned();
    let text = |one: &Json, key: &str| one[key].as_str().map(str::to_owned);
    match find("objects") {
        Some(one) => NamedJson {
            exists: Some(true),
            path: text(&one, "path"),
            moref: text(&one, "moref"),
            ..nameless
        },
        None => {
            let reason = find("missing").and_then(|one| text(&one, "reason"));
            let reason = reason.or_else(|| Some(format!("there is no {what} {name}")));
            NamedJson { exists: Some(false), reason, ..nameless }
        }
    }
}

fn datastore(site: Option<&Reading>, name: &str) -> DatastoreJson {
    let place = place(site, "datastore", name);
    let tree = site.and_then(Reading::object).map(|object| object.attributes.tree());
    let tree = tree.unwrap_or_default();
    let path = place.path.as_deref().unwrap_or_default();
    DatastoreJson {
        url: tree["datastore_urls"][path].as_str().map(str::to_owned),
        free_gib: tree["free_gib"][name].as_u64(),
        place,
    }
}

fn roles(live: &Live) -> Vec<RoleJson> {
    let is_role = |address: &Address| address.as_str().strip_prefix(ROLE).is_some();
    live.iter()
        .filter(|(address, _)| is_role(address))
        .map(|(address, reading)| {
            let (exists, reason) = fate(Some(reading));
            let object = reading.object();
            let tree = object.map(|object| object.attributes.tree());
            let texts = |list: &Json| {
                let items = list.as_array()?.iter();
                Some(items.filter_map(|item| item.as_str().map(str::to_owned)).collect())
            };
            RoleJson {
                address: address.to_string(),
                name: address.name().to_owned(),
                exists,
                reason,
                id: object.map(|object| object.id.clone()),
                privileges: tree.as_ref().and_then(|tree| texts(&tree["privileges"])),
            }
        })
        .collect()
}

fn vm(machine: &Machine, live: &Live) -> VmJson {
    let address = Address::of(VM, &machine.name);
    let reading = live.get(&address);
    let (exists, reason) = fate(reading);
    let tree = reading.and_then(Reading::object).map(|object| object.attributes.tree());
    let tree = tree.unwrap_or_default();
    let text = |key: &str| tree[key].as_str().map(str::to_owned);
    let number = |key: &str| tree[key].as_u64();
    let bios_uuid = text("bios_uuid").map(|uuid| uuid.to_lowercase());
    VmJson {
        address: address.to_string(),
        name: machine.name.value.clone(),
        role: match machine.role {
            Role::Server => "server",
            Role::Agent => "agent",
        },
        ip: machine.address.value,
        exists,
        reason,
        path: text("path"),
        moref: text("moref"),
        provider_id: bios_uuid.as_ref().map(|uuid| format!("vsphere://{uuid}")),
        bios_uuid,
        instance_uuid: text("instance_uuid"),
        hardware_version: number("hardware_version"),
        disk_uuid: tree["disk_uuid"].as_bool(),
        scsi_controllers: number("scsi_controllers"),
        cpus: number("cpus"),
        memory_mib: number("memory_mib"),
        power: text("power"),
        host: text("host"),
        hostname: text("hostname"),
        guest_ip: text("address"),
    }
}

/// Whether it is there, and why nobody knows.
fn fate(reading: Option<&Reading>) -> (Option<bool>, Option<String>) {
    match reading {
        Some(Reading::Present(_)) => (Some(true), None),
        Some(Reading::Absent) => (Some(false), None),
        Some(Reading::Unread(reason)) => (None, Some(reason.clone())),
        None => (None, Some("nobody looked: this is a defect of boma, please report it".into())),
    }
}

/// Every machine that the spec lets answer on ports 80 and 443 does; where all do, the agents are
/// enough, and the servers are spared what they are not sized for.
fn entry(spec: &Spec) -> Vec<Ipv4Addr> {
    let machines = match spec.traefik.entry.value {
        Entry::Servers => &spec.servers,
        Entry::All if spec.agents.is_empty() => &spec.servers,
        Entry::All | Entry::Agents => &spec.agents,
    };
    machines.iter().map(|machine| machine.address.value).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::{Attributes, Object};

    const SPEC: &str = include_str!("../../../examples/national-50-counties.toml");

    fn present(id: &str, tree: &Json) -> Reading {
        let attributes = Attributes::new(tree);
        Reading::Present(Object { id: id.into(), attributes, mark: None })
    }

    fn inventory(edit: (&str, &str)) -> InventoryJson {
        let spec = crate::spec::parse("national.toml", &SPEC.replace(edit.0, edit.1)).spec.unwrap();
        let live = Live::from([
            (
                Address::from("vsphere/vm/server-1"),
                present("50", &json!({"bios_uuid": "42AB", "instance_uuid": "50", "power": "on"})),
            ),
            (Address::from("vsphere/vm/server-2"), Reading::Absent),
            (Address::from("vsphere/vm/server-3"), Reading::Unread("timeout".into())),
            (Address::from("vsphere/role/CNS-VM"), present("7", &json!({"privileges": ["A"]}))),
        ]);
        of(&spec, &Found { live: &live, read: None, identity: None, lab: false })
    }

    #[test]
    fn the_provider_id_is_the_bios_uuid_in_lower_case() {
        let inventory = inventory(("", ""));
        let vm = &inventory.vms[0];
        assert_eq!(vm.provider_id.as_deref(), Some("vsphere://42ab"));
        assert_eq!((vm.name.as_str(), vm.role), ("server-1", "server"));
        let fates: Vec<Option<bool>> = inventory.vms[..3].iter().map(|vm| vm.exists).collect();
        assert_eq!(fates, [Some(true), Some(false), None]);
        assert!(has_unread(&inventory));
        assert_eq!(inventory.roles[0].privileges.as_deref(), Some(&["A".to_owned()][..]));
    }

    #[test]
    fn what_the_spec_names_is_looked_for() {
        let spec = crate::spec::parse("national.toml", SPEC).spec.unwrap();
        let of = |reading: Option<Reading>| {
            let live = reading.into_iter().map(|reading| (site(&spec), reading)).collect();
            of(&spec, &Found { live: &live, read: None, identity: None, lab: false })
        };
        let (cluster, store) = (spec.vcenter.cluster.as_str(), spec.vcenter.datastore.as_str());
        let path = format!("/DC1/datastore/{store}");
        let seen = of(Some(present(
            "/DC1",
            &json!({
                "objects": [
                    {"what": "datacenter", "name": "/DC1", "path": "/DC1", "moref": "datacenter-2"},
                    {"what": "datastore", "name": store, "path": path, "moref": "datastore-9"},
                ],
                "missing": [{"what": "cluster", "name": cluster, "reason": "there is none"}],
                "free_gib": {store: 70},
                "datastore_urls": {path: "ds:///vmfs/volumes/1/"},
            }),
        )));
        assert_eq!(seen.datacenter.moref.as_deref(), Some("datacenter-2"));
        let cluster = &seen.clusters[0];
        assert_eq!(
            (cluster.exists, cluster.reason.as_deref()),
            (Some(false), Some("there is none"))
        );
        let store = &seen.datastores[0];
        assert_eq!(
            (store.free_gib, store.url.as_deref()),
            (Some(70), Some("ds:///vmfs/volumes/1/"))
        );
        // Offline nobody looks, and that is no failure to read.
        assert_eq!((of(None).datacenter.exists, of(None).datacenter.reason), (None, None));
        let unread = of(Some(Reading::Unread("timeout".into())));
        assert_eq!(unread.clusters[0].reason.as_deref(), Some("timeout"));
        assert!(has_unread(&unread));
    }

    #[test]
    fn the_entry_is_where_the_spec_has_it() {
        let check = |entry: &str, first: &str, count: usize| {
            let table = format!("[traefik]\nentry = \"{entry}\"\n[storage]");
            let entry = inventory(("[storage]", &table)).entry;
            assert_eq!((entry[0].to_string().as_str(), entry.len()), (first, count));
        };
        check("all", "10.20.0.21", 9);
        check("agents", "10.20.0.21", 9);
        check("servers", "10.20.0.11", 3);
    }
}
