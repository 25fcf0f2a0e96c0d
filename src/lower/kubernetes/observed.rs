//! What boma does not make in the cluster and the rules must know of.

use serde_json::{Value as Json, json};

use crate::plan::{Observed, VOLUMES};
use crate::resource::{Address, Attributes, Endpoint, Kind};
use crate::spec::{Project, Spec};

/// The cluster id that a driver made itself, every volume where there are projects, every storage
/// class (anybody may make a second default one), and what helm keeps of projects:
/// `project/county-07/helm/sh.helm.release.v1.…`.
pub fn observed(spec: &Spec) -> Vec<Observed> {
    let generated = json!({
        "api": "v1",
        "kind": "ConfigMap",
        "plural": "configmaps",
        "namespace": "vmware-system-csi",
        "name": "vsphere-csi-cluster-id",
    });
    let classes = json!({
        "api": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "plural": "storageclasses",
        "name": "*",
    });
    let volumes = (!spec.projects.is_empty()).then(volumes);
    volumes
        .into_iter()
        .chain([look("cluster/StorageClass", &classes)])
        .chain([look("cluster/csi/ConfigMap/vsphere-csi-cluster-id", &generated)])
        .chain(spec.projects.iter().map(releases))
        .collect()
}

/// Every volume of the cluster, whoever made it.
pub fn volumes() -> Observed {
    all(VOLUMES, ("PersistentVolume", "persistentvolumes"), None)
}

/// Everything of a core kind, which is given by its name and its plural: of one namespace, or of
/// the whole cluster.
pub fn all(address: &str, (kind, plural): (&str, &str), namespace: Option<&str>) -> Observed {
    let mut place = json!({"api": "v1", "kind": kind, "plural": plural, "name": "*"});
    if let Some(namespace) = namespace {
        place["namespace"] = namespace.into();
    }
    look(address, &place)
}

/// Read with the other Secrets, so they cost no request.
fn releases(project: &Project) -> Observed {
    let place = json!({
        "api": "v1",
        "kind": "Secret",
        "plural": "secrets",
        "namespace": *project.namespace,
        "name": "sh.helm.release.v1.*",
    });
    look(&format!("project/{}/helm", *project.name), &place)
}

fn look(address: &str, place: &Json) -> Observed {
    let kind = place["kind"].as_str().unwrap_or_default();
    Observed {
        address: Address::from(address),
        kind: Kind::named(&format!("kubernetes/{kind}")).unwrap_or(Kind::object()),
        endpoint: Endpoint::kubernetes(),
        place: Attributes::new(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::lower;
    use crate::lower::testing::spec;

    #[test]
    fn nothing_is_looked_at_that_is_made() {
        for local_path in ["disabled", "not-default", "default"] {
            let written = format!("[storage]\nlocal_path = \"{local_path}\"\n");
            let desired = lower(&spec(&[("[storage]\n", &written)]));
            for seen in &desired.observed {
                assert!(!desired.resources.contains_key(&seen.address), "{}", seen.address);
            }
            let kubernetes = |seen: &&Observed| seen.endpoint == Endpoint::kubernetes();
            let of_cluster = |seen: &&Observed| seen.address.as_str().starts_with("cluster/");
            let looks = desired.observed.iter().filter(kubernetes).filter(of_cluster);
            assert_eq!(looks.count(), 3, "{local_path}");
        }
    }
}
