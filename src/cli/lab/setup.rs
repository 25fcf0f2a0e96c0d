//! The world that a spec supposes.

use std::collections::BTreeMap;

use super::super::secrets;
use crate::lab::{K3sSetup, MachineSetup, Setup, TemplateSetup};
use crate::lower::vcenter_paths as paths;
use crate::resource::Digest;
use crate::spec::{Disable, LocalPath, Machine, ProviderId, Role, Runtime, Spec};

/// The rule that speaks of images which no registry gives any more.
const DEAD_REGISTRY: &str = "dead-registry";

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
        vcenter: spec.vcenter.server.value.clone(),
        passwords: passwords(spec),
        // Who knowingly keeps images of a dead registry has them on the machines.
        old_images: spec.waivers.iter().any(|waiver| *waiver.rule == DEAD_REGISTRY),
        policies: spec.storage.policy.iter().map(|policy| policy.value.clone()).collect(),
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

/// What the storage account logs in with, as secrets are in a lab.
fn passwords(spec: &Spec) -> BTreeMap<String, String> {
    let account = &spec.vcenter.storage_account;
    let password = secrets::of_lab(&spec.name, &account.password);
    BTreeMap::from([(account.principal.value.clone(), password)])
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

/// A VM made by hand after the guide: disk UUIDs on, hardware upgraded, k3s installed.
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
        k3s: Some(k3s(spec, machine)),
        ..MachineSetup::default()
    }
}

/// k3s as the guide installs it, the server token on every machine, with the arguments that the
/// spec would give it: whoever writes a spec of what stands writes what stands.
fn k3s(spec: &Spec, machine: &Machine) -> K3sSetup {
    let server = machine.role == Role::Server;
    let mut arguments = Vec::new();
    if spec.k3s.runtime.value == Runtime::Docker {
        arguments.push("--docker".to_owned());
    }
    let token = match (&spec.k3s.previous_token, &spec.k3s.agent_token) {
        (_, Some(own)) if !server => own,
        (Some(previous), _) => previous,
        _ => &spec.k3s.token,
    };
    arguments.extend(["--token".to_owned(), secrets::of_lab(&spec.name, token)]);
    arguments.extend(joining(spec, machine));
    if server {
        arguments.extend(of_server(spec));
    }
    let uuid = match spec.k3s.provider_id.value {
        ProviderId::BiosUuid => "{uuid}",
        ProviderId::InstanceUuid => "{instance_uuid}",
    };
    let kubelet = ["cloud-provider=external".to_owned(), format!("provider-id=vsphere://{uuid}")];
    let more = spec.k3s.kubelet_args.iter().map(|argument| argument.value.clone());
    arguments.extend(kubelet.into_iter().chain(more).map(|text| format!("--kubelet-arg={text}")));
    let mode = format!("{:o}", spec.k3s.kubeconfig_mode.value);
    K3sSetup {
        version: spec.k3s.version.value.clone(),
        server,
        arguments,
        environment: vec![("K3S_KUBECONFIG_MODE".to_owned(), mode)],
        docker: spec.docker.as_ref().map(|docker| docker.version.value.clone()),
    }
}

/// The first server makes the cluster, all others join it there. One that is alone is as whoever
/// reads no further than the first command of k3s' manual has it: its data is in SQLite.
fn joining(spec: &Spec, machine: &Machine) -> Vec<String> {
    match spec.servers.first() {
        Some(first) if first.name.value != machine.name.value => {
            vec!["--server".to_owned(), format!("https://{}:6443", first.address.value)]
        }
        _ if spec.servers.len() == 1 => Vec::new(),
        _ => vec!["--cluster-init".to_owned()],
    }
}

fn of_server(spec: &Spec) -> Vec<String> {
    let own = spec.k3s.agent_token.as_ref();
    let own = own.map(|own| format!("--agent-token={}", secrets::of_lab(&spec.name, own)));
    let local = (spec.storage.local_path.value == LocalPath::Disabled).then_some("local-storage");
    let parts = spec.k3s.disable.iter().map(|part| match part.value {
        Disable::Traefik => "traefik",
        Disable::ServiceLb => "servicelb",
        Disable::MetricsServer => "metrics-server",
        Disable::CoreDns => "coredns",
    });
    let disabled = local.into_iter().chain(parts).map(|part| format!("--disable={part}"));
    let cloud = "--disable-cloud-controller".to_owned();
    [cloud].into_iter().chain(own).chain(disabled).collect()
}
