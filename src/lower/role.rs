//! The three roles of the storage account.

use std::collections::BTreeMap;

use serde_json::json;

use crate::resource::{Address, Attributes, Endpoint, Kind, Resource, Value};
use crate::spec::Spec;

/// For the root folder: find volumes and storage policies.
pub const SEARCH: &str = "CNS-SEARCH-AND-SPBM";
/// For the datastore of the volumes: make and delete them.
pub const DATASTORE: &str = "CNS-DATASTORE";
/// For every node VM: attach and detach volumes.
pub const NODE: &str = "CNS-VM";

/// Privileges by role. Source: the CSI driver's documented prerequisites. CNS-HOST-CONFIG-STORAGE
/// is for file volumes only, which CHT does not use.
const ROLES: &[(&str, &[&str])] = &[
    (SEARCH, &["Cns.Searchable", "StorageProfile.View"]),
    (DATASTORE, &["Datastore.FileManagement"]),
    (NODE, &["VirtualMachine.Config.AddExistingDisk", "VirtualMachine.Config.AddRemoveDevice"]),
];

/// The own privileges of a role that this spec has; none of one that is built in.
pub fn privileges(name: &str) -> &'static [&'static str] {
    ROLES.iter().find(|(role, _)| *role == name).map_or(&[], |(_, privileges)| privileges)
}

/// The address of a role.
pub fn address(name: &str) -> Address {
    Address::of("vsphere/role", name)
}

/// Lowers the roles; the storage account asks for them.
pub fn roles(spec: &Spec) -> Vec<Resource> {
    let Some(kind) = Kind::named("vsphere/role") else { return Vec::new() };
    let resource = |&(name, privileges): &(&str, &[&str])| Resource {
        address: address(name),
        kind,
        endpoint: Endpoint::vcenter(),
        attributes: Attributes::new(
            &Value::map([("name", name.into()), ("privileges", json!(privileges).into())]).encode(),
        ),
        place: Attributes::new(&json!({ "name": name })),
        edges: Vec::new(),
        origin: spec.vcenter.storage_account.principal.place.clone(),
        origins: BTreeMap::new(),
        adopt: false,
        protected: false,
    };
    ROLES.iter().map(resource).collect()
}
