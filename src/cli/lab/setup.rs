//! The world that a spec supposes.

use crate::lab::{MachineSetup, Setup, TemplateSetup};
use crate::lower::vcenter_paths as paths;
use crate::resource::Digest;
use crate::spec::{Machine, Spec};

/// What stands before boma does anything: datacenter, cluster, hosts, datastores, networks,
/// templates, and the machines that the spec adopts, made as the guide makes them.
pub fn setup(spec: &Spec) -> Setup {
    let mut setup = Setup {
        seed: seed(spec),
        datacenter: spec.vcenter.datacenter.value.clone(),
        cluster: spec.vcenter.cluster.value.clone(),
        hosts: spec.vcenter.hosts.iter().map(|host| host.value.clone()).collect(),
        datastores: vec![spec.vcenter.datastore.value.clone()],
        networks: Vec::new(),
        templates: Vec::new(),
        machines: Vec::new(),
        principals: vec![spec.vcenter.storage_account.principal.value.clone()],
        ..Setup::default()
    };
    if setup.hosts.is_empty() {
        setup.hosts = (1..=4).map(|number| format!("esxi-{number:02}.lab.example")).collect();
    }
    for machine in spec.all_machines() {
        push_new(&mut setup.datastores, &machine.datastore);
        push_new(&mut setup.networks, &machine.network);
        match &machine.template {
            Some(template) if setup.templates.iter().all(|known| known.name != template.value) => {
                setup.templates.push(template_of(template));
            }
            Some(_) => {}
            None => setup.machines.push(standing(spec, machine)),
        }
    }
    setup
}

/// A world's seed is its spec's name: the same name gives the same world anywhere.
fn seed(spec: &Spec) -> u64 {
    let digest = Digest::of(spec.name.as_bytes()).to_string();
    u64::from_str_radix(&digest[..16], 16).unwrap_or_default()
}

fn push_new(list: &mut Vec<String>, name: &str) {
    if list.iter().all(|known| known != name) {
        list.push(name.to_owned());
    }
}

/// A small Ubuntu template of the time before hardware version 15, so that upgrades are exercised.
fn template_of(name: &str) -> TemplateSetup {
    TemplateSetup {
        name: name.to_owned(),
        cpus: 2,
        memory_mib: 4096,
        disk_gib: 20,
        hardware_version: 13,
        ..TemplateSetup::default()
    }
}

/// A VM made by hand after the guide: disk UUIDs on, hardware upgraded.
fn standing(spec: &Spec, machine: &Machine) -> MachineSetup {
    let path = paths::vm(spec, machine);
    let path = path.strip_prefix(&format!("{}/", paths::vm_root(spec))).unwrap_or(&path).to_owned();
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    MachineSetup {
        name: name.to_owned(),
        folder: folder.to_owned(),
        cpus: *machine.cpus,
        memory_mib: *machine.memory_mib,
        disk_gib: *machine.disk_gib,
        disk_uuid: true,
        hardware_version: *machine.hardware_version,
        powered_on: true,
        address: Some(machine.address.value.to_string()),
        ..MachineSetup::default()
    }
}
