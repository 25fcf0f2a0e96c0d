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
    (segments.count() >= 2).then(|| format!("{top}/{part}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::lower_with;
    use crate::lower::testing::spec;
    use crate::resource::Digest;

    const MANIFEST: &str = "
{apiVersion: x.example/v1, kind: Policy, metadata: {name: a}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: policyset.x.example}
spec: {group: x.example, scope: Cluster, names: {kind: Policy, plural: policyset}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: vmware-system-csi}}
";

    #[test]
    fn all_of_a_manifest_is_there_and_kinds_come_before_their_objects() {
        let digest = Digest::of(MANIFEST.as_bytes());
        let keys = format!("[csi]\nmanifest = {{ from = \"csi.yaml\", sha256 = \"{digest}\" }}");
        let spec = spec(&[("[csi]", &keys)]);
        let mut sources = Sources::default();
        sources.add(spec.csi.manifest.as_ref().unwrap(), MANIFEST.as_bytes()).unwrap();
        let all = lower_with(&spec, &sources).resources;
        let find = |address: &str| &all[&Address::from(address)];
        let policy = find("cluster/csi/Policy/a");
        let definition = "cluster/csi/CustomResourceDefinition/policyset.x.example";
        assert!(policy.edges.iter().any(|edge| edge.to.as_str() == definition));
        let place = policy.place.tree();
        assert_eq!((&place["plural"], place.get("namespace")), (&"policyset".into(), None));
        let namespace = |address: &str| find(address).place.tree()["namespace"].take();
        assert_eq!(namespace("cluster/csi/ConfigMap/a"), "vmware-system-csi");
        assert_eq!(namespace("cluster/csi/kube-system/ConfigMap/a"), "kube-system");
    }
}
