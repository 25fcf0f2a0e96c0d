//! Snapshots of volumes: their definitions, the controller that binds them, and their class.

use serde_json::{Value as Json, json};

use super::{csi, object, snapshot_controller, snapshot_definition};
use crate::resource::{Address, Place, Resource};
use crate::spec::{DeletionPolicy, Spec};

/// The address of one of the objects.
pub fn address(kind: &str, name: &str) -> Address {
    Address::of(&format!("cluster/snapshots/{kind}"), name)
}

/// Lowers definitions, then the controller, then the class.
pub fn snapshots(spec: &Spec) -> Vec<Resource> {
    if !spec.snapshots.enabled.value {
        return Vec::new();
    }
    let (place, version) = (&spec.snapshots.place, &spec.snapshots.version.place);
    let definitions = snapshot_definition::definitions().into_iter();
    // With a definition every object of its kind goes, and with those snapshots may.
    let mut resources: Vec<Resource> = definitions
        .map(|definition| Resource { protected: true, ..resource(definition, &[], place) })
        .collect();
    resources.extend(snapshot_controller::rbac().into_iter().map(|one| resource(one, &[], place)));
    let deployment = snapshot_controller::deployment(spec);
    resources.push(resource(deployment, &snapshot_controller::after(), version));
    resources.push(class(spec));
    resources
}

fn resource(manifest: Json, after: &[Address], origin: &Place) -> Resource {
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let address = address(&text(&manifest["kind"]), &text(&manifest["metadata"]["name"]));
    object::object(address, manifest, after, origin)
}

fn class(spec: &Spec) -> Resource {
    let policy = match spec.snapshots.deletion.value {
        DeletionPolicy::Retain => "Retain",
        DeletionPolicy::Delete => "Delete",
    };
    let name = &spec.snapshots.class;
    let manifest = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshotClass",
        "metadata": { "name": name.as_str() },
        "driver": csi::NAME,
        "deletionPolicy": policy,
    });
    let mut after: Vec<Address> = snapshot_definition::addresses().collect();
    after.push(snapshot_controller::address());
    object::object(Address::of("cluster/VolumeSnapshotClass", name), manifest, &after, &name.place)
}
