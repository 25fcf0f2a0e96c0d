//! What the storage account may do, and where.

use std::collections::BTreeMap;

use serde_json::json;

use super::{role, vcenter_paths, vm};
use crate::resource::{
    Address, Attributes, Edge, EdgeKind, Endpoint, Kind, Place, Resource, Value,
};
use crate::spec::{Machine, Spec};

const KIND: &str = "vsphere/permission";

/// One entity that the storage account gets a role on.
struct Grant {
    name: String,
    role: &'static str,
    path: String,
    /// The VM that the entity is. `None` for what stands already.
    vm: Option<Address>,
    origin: Place,
}

/// Lowers all grants. None propagates: so the documentation of the CSI driver shows them.
pub fn permissions(spec: &Spec) -> Vec<Resource> {
    let Some(kind) = Kind::named(KIND) else { return Vec::new() };
    grants(spec).into_iter().map(|grant| resource(spec, kind, grant)).collect()
}

/// The addresses of grants on what stands already: datacenter, datastore and hosts.
pub fn standing(spec: &Spec) -> Vec<Address> {
    let standing = grants(spec).into_iter().filter(|grant| grant.vm.is_none());
    standing.map(|grant| Address::of(KIND, &grant.name)).collect()
}

/// The address of the grant on a machine's VM.
pub fn of_machine(machine: &Machine) -> Address {
    Address::of(KIND, &format!("vm/{}", *machine.name))
}

/// The path of every entity that gets a permission, and the role it is for.
pub fn entities(spec: &Spec) -> Vec<(String, &'static str)> {
    grants(spec).into_iter().map(|grant| (grant.path, grant.role)).collect()
}

fn grants(spec: &Spec) -> Vec<Grant> {
    let vcenter = &spec.vcenter;
    let standing = |name: String, role, path, origin: &Place| Grant {
        name,
        role,
        path,
        vm: None,
        origin: origin.clone(),
    };
    let mut grants = vec![
        standing("root".into(), role::SEARCH, "/".into(), &vcenter.storage_account.principal.place),
        standing(
            format!("datastore/{}", *vcenter.datastore),
            role::DATASTORE,
            vcenter_paths::datastore(spec, &vcenter.datastore),
            &vcenter.datastore.place,
        ),
        standing(
            format!("datacenter/{}", *vcenter.datacenter),
            "ReadOnly",
            vcenter_paths::datacenter(spec),
            &vcenter.datacenter.place,
        ),
    ];
    grants.extend(vcenter.hosts.iter().map(|host| {
        standing(
            format!("host/{}", **host),
            "ReadOnly",
            vcenter_paths::host(spec, host),
            &host.place,
        )
    }));
    grants.extend(spec.all_machines().map(|machine| Grant {
        name: format!("vm/{}", *machine.name),
        role: role::NODE,
        path: vcenter_paths::vm(spec, machine),
        vm: Some(vm::address(machine)),
        origin: machine.place.clone(),
    }));
    grants
}

fn resource(spec: &Spec, kind: Kind, grant: Grant) -> Resource {
    let principal = &printed(&spec.vcenter.storage_account.principal);
    // ReadOnly is built in; the others are resources of this spec.
    let role = if grant.role == "ReadOnly" {
        Value::from(grant.role)
    } else {
        Value::reference(&role::address(grant.role), "name")
    };
    let entity = match &grant.vm {
        Some(vm) => Value::reference(vm, "path"),
        None => grant.path.clone().into(),
    };
    let attributes = Value::map([
        ("entity", entity),
        ("principal", principal.clone().into()),
        ("group", false.into()),
        ("role", role),
        ("propagate", false.into()),
    ]);
    Resource {
        address: Address::of(KIND, &grant.name),
        kind,
        endpoint: Endpoint::vcenter(),
        attributes: Attributes::new(&attributes.encode()),
        place: Attributes::new(&json!({ "entity": grant.path, "principal": principal })),
        edges: grant.vm.map(|to| Edge { kind: EdgeKind::LivesIn, to }).into_iter().collect(),
        origin: grant.origin,
        origins: BTreeMap::new(),
        adopt: false,
        protected: false,
    }
}

/// A principal as vCenter prints it: `DOMAIN\name`, whichever of its two forms the spec has.
fn printed(principal: &str) -> String {
    match principal.rsplit_once('@') {
        Some((name, domain)) => format!("{}\\{name}", domain.to_uppercase()),
        None => principal.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::printed;

    #[test]
    fn both_forms_of_a_principal_are_one() {
        assert_eq!(printed("cht@vsphere.local"), r"VSPHERE.LOCAL\cht");
        assert_eq!(printed(r"VSPHERE.LOCAL\cht"), r"VSPHERE.LOCAL\cht");
    }
}
