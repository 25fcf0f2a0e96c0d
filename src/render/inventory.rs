//! An inventory as tables for people.

use super::TextOptions;
use super::blocked::unread;
use super::json::{DatastoreJson, InventoryJson, NamedJson, RoleJson, VmJson};
use super::page::Block;
use super::paint::{Paint, Style};
use super::words::{clean, count, duration, number};
use crate::resource::{Address, Kind};

/// What could not be read, the machines, their UUIDs, and how the rest is named. The last lines say
/// which UUID is which.
pub fn inventory_text(inventory: &InventoryJson, options: &TextOptions) -> String {
    let paint = options.paint();
    let mut parts = vec![paint.span(Style::Strong, &header(inventory)).as_str().to_owned() + "\n"];
    let mut block = Block::default();
    let addresses: Vec<(Address, &str)> = failed(inventory).collect();
    unread(&mut block, addresses.iter().map(|(address, reason)| (address, *reason)), options);
    parts.push(block.render(options.width));
    parts.push(columns(&machines(&inventory.vms), paint));
    parts.push(columns(&uuids(&inventory.vms), paint));
    parts.push(columns(&names(inventory), paint));
    parts.push(columns(&roles(&inventory.roles), paint));
    parts.push(NOTE.to_owned());
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// Source of the fact: the cloud provider calls FindByUuid without `instanceUuid`, which finds BIOS
/// UUIDs only.
const NOTE: &str = "\
The provider id is vsphere:// and the VM's BIOS UUID in lower case: what the cloud provider searches
by. The guide takes the instance UUID, by which the cloud provider finds no VM.
";

/// `national · lab · live read in 0.1 s, 9 requests`.
fn header(inventory: &InventoryJson) -> String {
    let mut parts = vec![clean(&inventory.name)];
    if inventory.lab {
        parts.push("lab".into());
    }
    parts.push(match inventory.read {
        Some(read) => {
            let requests = count(usize::try_from(read.requests).unwrap_or(usize::MAX), "request");
            format!("live read in {}, {requests}", duration(read.elapsed_ms))
        }
        None => "offline: as recorded".into(),
    });
    parts.join(" · ")
}

fn failed(inventory: &InventoryJson) -> impl Iterator<Item = (Address, &str)> {
    let vms = inventory.vms.iter().map(|vm| (&vm.address, &vm.reason));
    let roles = inventory.roles.iter().map(|role| (&role.address, &role.reason));
    let place = &inventory.datacenter;
    let site = place.reason.as_deref().filter(|_| place.exists.is_none());
    let site = site.map(|reason| (Address::of(Kind::site().name, &place.name), reason));
    vms.chain(roles)
        .filter_map(|(address, reason)| Some((Address::from(address.as_str()), reason.as_deref()?)))
        .chain(site)
}

fn machines(vms: &[VmJson]) -> Vec<Vec<String>> {
    let head =
        ["vm", "power", "address", "ESXi host", "hardware", "disk UUID", "PVSCSI", "cpus", "MiB"];
    let number = |value: Option<u64>| said(value.map(|value| value.to_string()));
    let row = |vm: &VmJson| {
        vec![
            vm.name.clone(),
            match vm.exists {
                Some(true) => said(vm.power.clone()),
                Some(false) => "absent".into(),
                None => "unread".into(),
            },
            address(vm),
            said(vm.host.clone()),
            said(vm.hardware_version.map(|version| format!("vmx-{version}"))),
            said(vm.disk_uuid.map(|on| if on { "on" } else { "off" }.to_owned())),
            number(vm.scsi_controllers),
            number(vm.cpus),
            number(vm.memory_mib),
        ]
    };
    table(&head, vms.iter().map(row))
}

/// The spec's address, and the guest's where that is another.
fn address(vm: &VmJson) -> String {
    let ip = vm.ip.to_string();
    match &vm.guest_ip {
        Some(guest) if *guest != ip => format!("{ip} (the guest says {guest})"),
        _ => ip,
    }
}

fn uuids(vms: &[VmJson]) -> Vec<Vec<String>> {
    let row = |vm: &VmJson| {
        vec![vm.name.clone(), said(vm.provider_id.clone()), said(vm.instance_uuid.clone())]
    };
    let there = vms.iter().filter(|vm| vm.instance_uuid.is_some());
    table(&["vm", "provider id: vsphere://BIOS UUID", "instance UUID"], there.map(row))
}

fn names(inventory: &InventoryJson) -> Vec<Vec<String>> {
    let vcenter = &inventory.vcenter;
    let row = |what: &str, name: &str, seen: Vec<String>| {
        let seen = if seen.is_empty() { None } else { Some(seen.join(", ")) };
        vec![what.to_owned(), name.to_owned(), said(seen)]
    };
    let uuid = vcenter.instance_uuid.iter().map(|uuid| format!("UUID {uuid}")).collect();
    let placed = |what: &str, place: &NamedJson| row(what, &place.name, seen(place));
    let stores = inventory.datastores.iter();
    let rows = std::iter::once(row("vCenter", &vcenter.server, uuid))
        .chain([placed("datacenter", &inventory.datacenter)])
        .chain(inventory.clusters.iter().map(|cluster| placed("cluster", cluster)))
        .chain(stores.map(|store| row("datastore", &store.place.name, in_store(store))))
        .chain(inventory.cluster_id.iter().map(|id| row("CSI cluster-id", id, Vec::new())));
    table(&["named in the spec", "", "in vCenter"], rows)
}

fn seen(place: &NamedJson) -> Vec<String> {
    match place.exists {
        Some(true) => place.moref.iter().cloned().collect(),
        Some(false) => vec!["absent".to_owned()],
        None if place.reason.is_some() => vec!["unread".to_owned()],
        None => Vec::new(),
    }
}

fn in_store(store: &DatastoreJson) -> Vec<String> {
    let free = store
        .free_gib
        .map(|gib| format!("{} GiB free", number(usize::try_from(gib).unwrap_or(usize::MAX))));
    let more = [free, store.url.clone()];
    seen(&store.place).into_iter().chain(more.into_iter().flatten()).collect()
}

fn roles(roles: &[RoleJson]) -> Vec<Vec<String>> {
    let row = |role: &RoleJson| {
        let privileges = match (role.exists, &role.privileges) {
            (Some(true), Some(privileges)) => privileges.join(", "),
            (Some(_), _) => "absent".into(),
            (None, _) => "unread".into(),
        };
        vec![role.name.clone(), said(role.id.clone()), privileges]
    };
    table(&["role", "id", "privileges"], roles.iter().map(row))
}

fn said(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".into())
}

/// Nothing where there are no rows; without the columns in which nothing is said.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut table: Vec<Vec<String>> = rows.collect();
    if table.is_empty() {
        return table;
    }
    let says = |at: &usize| table.iter().filter_map(|row| row.get(*at)).any(|cell| cell != "-");
    let shown: Vec<usize> = (0..head.len()).filter(says).collect();
    table.insert(0, head.iter().map(|&title| title.to_owned()).collect());
    let pick = |row: Vec<String>| shown.iter().filter_map(|&at| row.get(at).cloned()).collect();
    table.into_iter().map(pick).collect()
}

/// Rows as lines, aligned; the first is the head.
fn columns(rows: &[Vec<String>], paint: Paint) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
    let width = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("  {cell:width$}"));
        let line = cells.collect::<String>();
        let line = line.trim_end();
        text += paint_head(line, at == 0, paint).as_str();
        text.push('\n');
    }
    text
}

fn paint_head(line: &str, head: bool, paint: Paint) -> String {
    if head { paint.span(Style::Dim, line).as_str().to_owned() } else { line.to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::render::json::{HostJson, ReadJson, VcenterJson};

    /// A machine that stands.
    pub fn vm(name: &str, last: u8) -> VmJson {
        VmJson {
            address: format!("vsphere/vm/{name}"),
            name: name.into(),
            role: "agent",
            ip: Ipv4Addr::new(10, 20, 0, last),
            exists: Some(true),
            reason: None,
            path: Some(format!("/DC1/vm/cht/{name}")),
            moref: Some(format!("vm-{last}")),
            bios_uuid: Some(format!("420e3f74-ea84-f9a2-0000-0000000000{last}")),
            instance_uuid: Some(format!("500e3f74-ea84-f9a2-0000-0000000000{last}")),
            provider_id: Some(format!("vsphere://420e3f74-ea84-f9a2-0000-0000000000{last}")),
            hardware_version: Some(15),
            disk_uuid: Some(true),
            scsi_controllers: None,
            cpus: Some(48),
            memory_mib: Some(196_608),
            power: Some("on".into()),
            host: Some("esxi-01".into()),
            hostname: None,
            guest_ip: Some(format!("10.20.0.{last}")),
        }
    }

    /// A machine that is not known to stand.
    pub fn missing(name: &str, exists: Option<bool>, reason: Option<&str>) -> VmJson {
        VmJson {
            exists,
            reason: reason.map(str::to_owned),
            path: None,
            moref: None,
            bios_uuid: None,
            instance_uuid: None,
            provider_id: None,
            hardware_version: None,
            disk_uuid: None,
            cpus: None,
            memory_mib: None,
            power: None,
            host: None,
            guest_ip: None,
            ..vm(name, 29)
        }
    }

    fn place(name: &str, moref: Option<&str>) -> NamedJson {
        let moref = moref.map(str::to_owned);
        NamedJson {
            name: name.into(),
            exists: Some(moref.is_some()),
            moref,
            ..NamedJson::default()
        }
    }

    /// One machine of each fate, one role, two projects.
    pub fn small() -> InventoryJson {
        InventoryJson {
            name: "small".into(),
            lab: true,
            offline: false,
            read: Some(ReadJson { requests: 9, elapsed_ms: 100 }),
            vcenter: VcenterJson { server: "vc.example.org".into(), instance_uuid: None },
            datacenter: place("DC1", Some("datacenter-2")),
            clusters: vec![place("Cluster1", None)],
            datastores: vec![DatastoreJson {
                place: place("vsan", Some("datastore-9")),
                url: Some("ds:///vmfs/volumes/1/".into()),
                free_gib: Some(70_000),
            }],
            cluster_id: Some("small".into()),
            roles: vec![RoleJson {
                address: "vsphere/role/CNS-VM".into(),
                name: "CNS-VM".into(),
                exists: Some(true),
                reason: None,
                id: Some("1001".into()),
                privileges: Some(vec!["A.B".into(), "C.D".into()]),
            }],
            vms: vec![
                vm("agent-1", 21),
                VmJson { guest_ip: Some("10.9.9.9".into()), ..vm("agent-2", 22) },
                missing("agent-3", Some(false), None),
                missing("agent-4", None, Some("timeout: try again")),
            ],
            entry: vec![Ipv4Addr::new(10, 20, 0, 21), Ipv4Addr::new(10, 20, 0, 22)],
            projects: vec![
                HostJson { name: "a".into(), host: "a.example.org".into(), tls: false },
                HostJson { name: "b".into(), host: "b.example.org".into(), tls: true },
            ],
        }
    }

    #[test]
    fn every_machine_has_a_row() {
        let text = inventory_text(&small(), &TextOptions::default());
        assert_eq!(
            format!("\n{text}"),
            "
small · lab · live read in 0.1 s, 9 requests

  unread
    1 resource: timeout: try again
      vsphere/vm/agent-4

  vm       power   address                               ESXi host  hardware  disk UUID  cpus  MiB
  agent-1  on      10.20.0.21                            esxi-01    vmx-15    on         48    196608
  agent-2  on      10.20.0.22 (the guest says 10.9.9.9)  esxi-01    vmx-15    on         48    196608
  agent-3  absent  10.20.0.29                            -          -         -          -     -
  agent-4  unread  10.20.0.29                            -          -         -          -     -

  vm       provider id: vsphere://BIOS UUID                instance UUID
  agent-1  vsphere://420e3f74-ea84-f9a2-0000-000000000021  500e3f74-ea84-f9a2-0000-000000000021
  agent-2  vsphere://420e3f74-ea84-f9a2-0000-000000000022  500e3f74-ea84-f9a2-0000-000000000022

  named in the spec                  in vCenter
  vCenter            vc.example.org  -
  datacenter         DC1             datacenter-2
  cluster            Cluster1        absent
  datastore          vsan            datastore-9, 70,000 GiB free, ds:///vmfs/volumes/1/
  CSI cluster-id     small           -

  role    id    privileges
  CNS-VM  1001  A.B, C.D

The provider id is vsphere:// and the VM's BIOS UUID in lower case: what the cloud provider searches
by. The guide takes the instance UUID, by which the cloud provider finds no VM.
"
        );
    }

    #[test]
    fn offline_says_so() {
        let nobody = NamedJson { name: "DC1".into(), ..NamedJson::default() };
        let offline = InventoryJson { read: None, offline: true, lab: false, ..small() };
        let offline = InventoryJson { datacenter: nobody, ..offline };
        let text = inventory_text(&offline, &TextOptions::default());
        assert!(text.starts_with("small · offline: as recorded\n"), "{text}");
    }
}
