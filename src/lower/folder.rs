//! The folders that boma's VMs stand in.

use std::collections::BTreeMap;

use serde_json::json;

use super::vcenter_paths;
use crate::resource::{
    Address, Attributes, Edge, EdgeKind, Endpoint, Kind, Place, Resource, Value,
};
use crate::spec::Spec;

/// The address of a folder, by its path below the datacenter's VM folder.
pub fn address(path: &str) -> Address {
    Address::of("vsphere/folder", path)
}

/// Lowers each folder that a cloned machine stands in, with every folder above it. A machine that
/// stands already stays where it is.
pub fn folders(spec: &Spec) -> Vec<Resource> {
    let Some(kind) = Kind::named("vsphere/folder") else { return Vec::new() };
    let mut wanted: BTreeMap<String, Place> = BTreeMap::new();
    for machine in spec.all_machines().filter(|machine| machine.template.is_some()) {
        for path in ancestry(&machine.folder) {
            wanted.entry(path).or_insert_with(|| machine.folder.place.clone());
        }
    }
    let resource = |(path, origin): (String, Place)| {
        let full = format!("{}/{path}", vcenter_paths::vm_root(spec));
        let above = path.rsplit_once('/').map(|(above, _)| address(above));
        Resource {
            address: address(&path),
            kind,
            endpoint: Endpoint::vcenter(),
            attributes: Attributes::new(&Value::map([("path", full.clone().into())]).encode()),
            place: Attributes::new(&json!({ "path": full })),
            edges: above.map(|to| Edge { kind: EdgeKind::After, to }).into_iter().collect(),
            origin,
            origins: BTreeMap::new(),
            adopt: false,
            protected: false,
        }
    };
    wanted.into_iter().map(resource).collect()
}

/// `a/b/c` gives `a`, `a/b`, `a/b/c`.
fn ancestry(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    (1..=parts.len()).map(|count| parts[..count].join("/")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_folder_above_is_named() {
        assert_eq!(super::ancestry("a/b"), ["a", "a/b"]);
        assert!(super::ancestry("").is_empty());
    }
}
