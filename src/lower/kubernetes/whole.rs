//! Everything that all projects share in the cluster.

use std::collections::BTreeMap;

use super::sources::Sources;
use super::{cpi, csi, node, snapshot, storage, traefik};
use crate::resource::{Address, Edge, EdgeKind, Resource};
use crate::spec::Spec;

/// What a program reads and may do. Without it pods neither begin their work nor end it.
const NEEDED: [&str; 7] = [
    "kubernetes/ServiceAccount",
    "kubernetes/ClusterRole",
    "kubernetes/ClusterRoleBinding",
    "kubernetes/Role",
    "kubernetes/RoleBinding",
    "kubernetes/Secret",
    "kubernetes/ConfigMap",
];

/// What runs programs.
const PROGRAMS: [&str; 7] = [
    "kubernetes/Deployment",
    "kubernetes/DaemonSet",
    "kubernetes/StatefulSet",
    "kubernetes/ReplicaSet",
    "kubernetes/Job",
    "kubernetes/CronJob",
    "kubernetes/Pod",
];

/// All resources of the cluster, in no order of their own.
pub fn resources(spec: &Spec, sources: &Sources) -> Vec<Resource> {
    let parts = [
        cpi::cpi(spec, sources),
        node::nodes(spec),
        traefik::traefik(spec),
        csi::csi(spec, sources),
        storage::classes(spec),
        snapshot::snapshots(spec),
    ];
    let mut resources: Vec<Resource> = parts.into_iter().flatten().collect();
    programs_come_last(&mut resources);
    resources
}

/// Has each program come after what it needs of its own part, and go before that.
fn programs_come_last(resources: &mut [Resource]) {
    let mut needed: BTreeMap<String, Vec<Address>> = BTreeMap::new();
    for resource in resources.iter().filter(|one| NEEDED.contains(&one.kind.name)) {
        let addresses = part(&resource.address).map(|part| needed.entry(part).or_default());
        addresses.into_iter().for_each(|found| found.push(resource.address.clone()));
    }
    for resource in resources.iter_mut().filter(|one| PROGRAMS.contains(&one.kind.name)) {
        let Some(found) = part(&resource.address).and_then(|part| needed.get(&part)) else {
            continue;
        };
        let after = found.iter().map(|to| Edge { kind: EdgeKind::After, to: to.clone() });
        resource.edges.extend(after);
        resource.edges.sort();
        resource.edges.dedup();
    }
}

/// `cluster/csi` of `cluster/csi/Deployment/vsphere-csi-controller`.
fn part(address: &Address) -> Option<String> {
    let mut segments = address.as_str().split('/');
    let (top, part) = (segments.next()?, segments.next()?);
    (segments.count() == 2).then(|| format!("{top}/{part}"))
}
