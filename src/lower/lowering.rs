//! All resources of a spec.

use std::collections::BTreeMap;
use std::iter;

use crate::plan::Desired;
use crate::resource::{Endpoint, EndpointFacts, Glob, Resource};
use crate::spec::{Machine, Spec};

use super::kubernetes::sources::Sources;
use super::{
    docker, firewall, folder, host, k3s, kubernetes, permission, project, role, rule, site, vm,
};

/// How many calls a vCenter gets at once: it runs at most 8 clones per host and datastore at a
/// time, and more only queue there (vSphere limits for provisioning operations).
const VCENTER_LIMIT: usize = 8;

/// Lowers a spec that names no manifests, or none that was read.
pub fn lower(spec: &Spec) -> Desired {
    lower_with(spec, &Sources::default())
}

/// Lowers a spec and the manifests that it names. Pure: the same spec gives the same resources.
pub fn lower_with(spec: &Spec, sources: &Sources) -> Desired {
    let mut desired = Desired {
        endpoints: BTreeMap::from([(
            Endpoint::vcenter(),
            EndpointFacts { limit: VCENTER_LIMIT, opened_by: Vec::new() },
        )]),
        unplanned: sources.unplanned(spec),
        observed: iter::once(site::site(spec))
            .chain(host::machines(spec))
            .chain(kubernetes::observed(spec))
            .collect(),
        spread: super::rollout::spread(spec),
        ..Desired::default()
    };
    let resources = [
        role::roles(spec),
        folder::folders(spec),
        vm::vms(spec),
        rule::rules(spec),
        permission::permissions(spec),
        firewall::firewalls(spec),
        docker::dockers(spec),
        k3s::nodes(spec),
        kubernetes::resources(spec, sources),
        project::projects(spec),
    ];
    desired.endpoints.extend(host::endpoints(spec));
    desired.endpoints.extend([kubernetes::cluster(spec)]);
    for mut resource in resources.into_iter().flatten() {
        let covered = |globs: &[crate::spec::Sp<Glob>]| {
            globs.iter().any(|glob| glob.matches(&resource.address))
        };
        let (adopt, protected) = (covered(&spec.adopt), covered(&spec.protect));
        resource.adopt |= adopt;
        resource.protected |= protected;
        desired.resources.insert(resource.address.clone(), Resource::with_references(resource));
    }
    kubernetes::place_in_cluster(spec, &mut desired.resources);
    for (group, machines) in [("servers", &spec.servers), ("agents", &spec.agents)] {
        desired
            .groups
            .extend(machines.iter().map(|machine| (vm::address(machine), group.to_owned())));
    }
    desired
}

/// Inventory paths of a spec's vCenter objects: `/DC1/vm/cht`.
pub mod vcenter_paths {
    use super::{Machine, Spec};

    /// The datacenter, below its folders.
    pub fn datacenter(spec: &Spec) -> String {
        format!("/{}", *spec.vcenter.datacenter)
    }

    /// The folder that VM folders and VMs stand in.
    pub fn vm_root(spec: &Spec) -> String {
        format!("{}/vm", datacenter(spec))
    }

    /// A folder for VMs, by its path below the VM root; empty for the root itself.
    pub fn folder(spec: &Spec, path: &str) -> String {
        if path.is_empty() { vm_root(spec) } else { format!("{}/{path}", vm_root(spec)) }
    }

    /// A datastore, by name.
    pub fn datastore(spec: &Spec, name: &str) -> String {
        format!("{}/datastore/{name}", datacenter(spec))
    }

    /// The cluster.
    pub fn cluster(spec: &Spec) -> String {
        format!("{}/host/{}", datacenter(spec), *spec.vcenter.cluster)
    }

    /// An ESXi host of the cluster.
    pub fn host(spec: &Spec, name: &str) -> String {
        format!("{}/{name}", cluster(spec))
    }

    /// A machine's VM.
    pub fn vm(spec: &Spec, machine: &Machine) -> String {
        match &machine.vm_path {
            Some(path) => format!("{}/{}", vm_root(spec), **path),
            None => format!("{}/{}", folder(spec, &machine.folder), *machine.name),
        }
    }
}
