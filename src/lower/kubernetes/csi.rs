//! The vSphere CSI driver: what makes, attaches and mounts the projects' volumes.

use serde_json::{Value as Json, json};

use super::csi_conf::{CA_KEY, KEY, ca, conf};
use super::csi_container::FEATURES;
use super::csi_rbac::{CONTROLLER_BINDING, NODE_BINDING, NODE_CLUSTER_BINDING};
use super::csi_release::{CsiRelease, DENSITY, csi_release};
use super::sources::Sources;
use super::{
    cpi, csi_controller, csi_node, csi_rbac, node, object, snapshot_definition, supplied, upstream,
};
use crate::resource::{Address, Place, Resource};
use crate::spec::Spec;

/// The driver's name, which classes and volumes name it by.
pub const NAME: &str = "csi.vsphere.vmware.com";

/// Where its objects stand among addresses.
const PART: &str = "cluster/csi";

/// Where its objects are.
pub const NAMESPACE: &str = "vmware-system-csi";

/// The annotation of the Secret that has the cluster id in the open.
const CLUSTER_ID: &str = "boma.dev/cluster-id";

/// The Secret with its settings.
pub const SECRET: &str = "vsphere-config-secret";

/// The controller's Deployment, Service and account.
pub const CONTROLLER: &str = "vsphere-csi-controller";

/// The node plugin's DaemonSet and account.
pub const NODE: &str = "vsphere-csi-node";

/// The address of one of its objects.
pub fn address(kind: &str, name: &str) -> Address {
    Address::of(&format!("{PART}/{kind}"), name)
}

/// Lowers all objects of the driver. Nothing where the spec names a manifest that was not read.
pub fn csi(spec: &Spec, sources: &Sources) -> Vec<Resource> {
    manifests(spec, sources).into_iter().map(|manifest| resource(spec, manifest)).collect()
}

/// The objects, before they are resources.
fn manifests(spec: &Spec, sources: &Sources) -> Vec<Json> {
    match &spec.csi.manifest {
        None => rendered(spec, csi_release(&spec.csi.version)),
        Some(manifest) => {
            sources.objects(manifest).map(|objects| edited(spec, objects)).unwrap_or_default()
        }
    }
}

/// Upstream's objects with what only the spec knows: the namespace and the settings, images, and
/// the servers.
fn edited(spec: &Spec, objects: &[Json]) -> Vec<Json> {
    let is_secret = |manifest: &Json| upstream::is(manifest, "Secret", SECRET);
    let is_namespace = |manifest: &Json| upstream::is(manifest, "Namespace", NAMESPACE);
    let mut manifests: Vec<Json> =
        objects.iter().filter(|object| !is_secret(object)).cloned().collect();
    for manifest in &mut manifests {
        upstream::replace_images(spec, manifest);
        upstream::select_servers_by_key(manifest);
        if upstream::is(manifest, "Deployment", CONTROLLER) {
            upstream::set_replicas(manifest, csi_controller::replicas(spec));
        }
    }
    if !manifests.iter().any(is_namespace) {
        manifests.push(namespace());
    }
    manifests.push(secret(spec));
    manifests
}

fn rendered(spec: &Spec, release: &CsiRelease) -> Vec<Json> {
    let mut manifests = vec![namespace(), secret(spec), driver(), features(spec, release)];
    manifests.extend(csi_rbac::rbac(release));
    manifests.extend([
        csi_controller::service(),
        csi_controller::deployment(spec, release),
        csi_node::daemon_set(spec, release),
    ]);
    manifests
}

fn resource(spec: &Spec, manifest: Json) -> Resource {
    let kind = manifest["kind"].as_str().unwrap_or_default().to_owned();
    let after = match kind.as_str() {
        "Deployment" => before_controller(spec),
        "DaemonSet" => before_node(),
        _ => Vec::new(),
    };
    let address = supplied::address(PART, NAMESPACE, &manifest);
    object::object(address, manifest, &after, origin(spec, &kind))
}

/// The controller looks up every node in the vCenter, so it comes once CPI has named them there.
fn before_controller(spec: &Spec) -> Vec<Address> {
    let mut before = vec![
        cpi::address(),
        address("ServiceAccount", CONTROLLER),
        address("ClusterRoleBinding", CONTROLLER_BINDING),
        address("Secret", SECRET),
        address("ConfigMap", FEATURES),
        address("CSIDriver", NAME),
    ];
    before.extend(spec.servers.iter().map(node::address));
    if spec.snapshots.enabled.value {
        before.extend(snapshot_definition::addresses());
    }
    before
}

/// The node plugin registers its machine as an object of a kind that the controller defines, and
/// ends where it cannot (driver issues 1661, 2284).
fn before_node() -> Vec<Address> {
    vec![
        address("ServiceAccount", NODE),
        address("ClusterRoleBinding", NODE_CLUSTER_BINDING),
        address("RoleBinding", NODE_BINDING),
        address("Deployment", CONTROLLER),
    ]
}

fn origin<'a>(spec: &'a Spec, kind: &str) -> &'a Place {
    match kind {
        "Secret" => &spec.vcenter.storage_account.principal.place,
        "Deployment" | "DaemonSet" => &spec.csi.version.place,
        _ => &spec.csi.place,
    }
}

fn namespace() -> Json {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } })
}

fn secret(spec: &Spec) -> Json {
    let mut data = json!({ KEY: conf(spec).encode() });
    if let Some(ca) = ca(spec) {
        data[CA_KEY] = ca.encode();
    }
    let mut metadata = json!({ "name": SECRET, "namespace": NAMESPACE });
    if let Some(id) = &spec.csi.cluster_id {
        // The settings are sealed as a whole, and a change of the id must be seen.
        metadata["annotations"] = json!({ CLUSTER_ID: id.value });
    }
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "data": data,
    })
}

/// Tells Kubernetes of the driver. A volume is attached to a machine before it is mounted.
fn driver() -> Json {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": { "name": NAME },
        "spec": { "attachRequired": true, "podInfoOnMount": false },
    })
}

fn features(spec: &Spec, release: &CsiRelease) -> Json {
    let dense = |key: &str| key == DENSITY && spec.csi.high_density.value;
    let state = |&(key, on): &(&str, bool)| (key.to_owned(), json!((on || dense(key)).to_string()));
    let data: serde_json::Map<String, Json> = release.features.iter().map(state).collect();
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": FEATURES, "namespace": NAMESPACE },
        "data": data,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
