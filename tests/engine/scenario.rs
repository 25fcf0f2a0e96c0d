//! A small installation of the product's kinds: a role, a folder, two VMs and their permissions.

use std::collections::BTreeMap;

use boma::plan::Desired;
use boma::resource::{
    Address, Attributes, Edge, EdgeKind, Endpoint, EndpointFacts, Kind, Place, Resource, Value,
};
use serde_json::{Value as Json, json};

use crate::engine::system::System;

pub fn kind(name: &str) -> Kind {
    Kind::named(name).unwrap()
}

pub fn resource(
    kind: Kind,
    name: &str,
    attributes: Value,
    place: Json,
    edges: &[(EdgeKind, &Address)],
) -> Resource {
    let edges = edges.iter().map(|(kind, to)| Edge { kind: *kind, to: (*to).clone() }).collect();
    Resource {
        address: Address::of(kind.name, name),
        kind,
        endpoint: Endpoint::vcenter(),
        attributes: Attributes::new(&attributes.encode()),
        place: Attributes::new(&place),
        edges,
        origin: Place { file: "small.toml".into(), line: 1, column: 1, span: (0, 0) },
        origins: BTreeMap::new(),
        adopt: false,
        protected: false,
    }
    .with_references()
}

pub fn desired(resources: impl IntoIterator<Item = Resource>) -> Desired {
    Desired {
        resources: resources
            .into_iter()
            .map(|resource| (resource.address.clone(), resource))
            .collect(),
        endpoints: BTreeMap::from([(
            Endpoint::vcenter(),
            EndpointFacts { limit: 2, opened_by: Vec::new() },
        )]),
        ..Desired::default()
    }
}

pub fn role(name: &str, privileges: &[&str]) -> Resource {
    let attributes = Value::map([("name", name.into()), ("privileges", json!(privileges).into())]);
    resource(kind("vsphere/role"), name, attributes, json!({"name": name}), &[])
}

pub fn folder(name: &str) -> Resource {
    let path = format!("/DC1/vm/{name}");
    let attributes = Value::map([("path", path.clone().into())]);
    resource(kind("vsphere/folder"), name, attributes, json!({"path": path}), &[])
}

pub fn vm(name: &str, folder: &Resource, cpus: u64) -> Resource {
    let attributes = Value::map([
        ("name", name.into()),
        ("folder", Value::reference(&folder.address, "path")),
        ("template", "ubuntu".into()),
        ("cpus", cpus.into()),
        ("memory_mib", 8192.into()),
        ("hardware_version", 15.into()),
        ("power", "on".into()),
    ]);
    let place = json!({"path": format!("/DC1/vm/cht/{name}")});
    resource(kind("vsphere/vm"), name, attributes, place, &[])
}

pub fn permission(vm: &Resource, role: &Resource) -> Resource {
    let attributes = Value::map([
        ("entity", Value::reference(&vm.address, "path")),
        ("principal", "VSPHERE.LOCAL\\cht".into()),
        ("group", false.into()),
        ("role", Value::reference(&role.address, "name")),
        ("propagate", false.into()),
    ]);
    let place = json!({"entity": vm.place.tree()["path"], "principal": "VSPHERE.LOCAL\\cht"});
    let name = format!("vm/{}", vm.address.name());
    resource(
        kind("vsphere/permission"),
        &name,
        attributes,
        place,
        &[(EdgeKind::LivesIn, &vm.address)],
    )
}

/// A role, a folder and VMs, each with a permission.
pub fn small(vms: &[(&str, u64)]) -> Desired {
    let (role, folder) = (role("CNS-VM", &["A.B", "C.D"]), folder("cht"));
    let vms: Vec<Resource> = vms.iter().map(|(name, cpus)| vm(name, &folder, *cpus)).collect();
    let permissions: Vec<Resource> = vms.iter().map(|vm| permission(vm, &role)).collect();
    desired([role, folder].into_iter().chain(vms).chain(permissions))
}

/// An installation that stands and is as desired.
pub fn standing(vms: &[(&str, u64)]) -> System {
    let mut system = System::new(small(vms), 1);
    system.converge();
    system
}

/// An installation for which one apply creates, updates with a power cycle, replaces, deletes,
/// adopts and forgets.
pub fn eventful() -> System {
    let mut system = standing(&[("a", 4), ("b", 4), ("c", 4), ("gone", 4)]);
    let place = |name: &str| Attributes::new(&json!({"path": format!("/DC1/vm/cht/{name}")}));
    let mut next = small(&[("a", 8), ("b", 4), ("d", 4), ("e", 4)]);
    let fields = json!({"name": "e", "cpus": 2, "memory_mib": 8192, "hardware_version": 17, "folder": "/DC1/vm/cht"});
    system.world.put(kind("vsphere/vm"), &place("e"), fields.as_object().unwrap().clone(), None);
    system.world.remove(kind("vsphere/vm"), &place("gone"));
    next.resources.get_mut(&Address::from("vsphere/vm/e")).unwrap().adopt = true;
    let role = Attributes::new(&json!({"name": "CNS-VM"}));
    system.world.edit(kind("vsphere/role"), &role, |fields| {
        fields.insert("privileges".into(), json!(["A.B"]));
    });
    system.world.learn(next.resources.values());
    system.desired = next;
    system.options.replace.insert(Address::from("vsphere/vm/b"));
    system
}
