//! What must stand before anything is made, and what boma's own account must be allowed.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::vcenter_paths as paths;
use super::{permission, role};
use crate::plan::Observed;
use crate::resource::{Address, Attributes, Endpoint, Kind};
use crate::spec::{Machine, Spec};

/// Lowers the one look at the site.
pub fn site(spec: &Spec) -> Observed {
    let kind = Kind::site();
    let mut place = json!({
        "datacenter": paths::datacenter(spec),
        "objects": objects(spec),
        "templates": distinct(cloned(spec).filter_map(|machine| machine.template.as_deref())),
        "needs": needs(spec),
    });
    if let Some(policy) = &spec.storage.policy {
        place["policy"] = policy.as_str().into();
    }
    Observed {
        address: Address::of(kind.name, &spec.vcenter.datacenter),
        kind,
        endpoint: Endpoint::vcenter(),
        place: Attributes::new(&place),
    }
}

fn cloned(spec: &Spec) -> impl Iterator<Item = &Machine> {
    spec.all_machines().filter(|machine| machine.template.is_some())
}

fn distinct<'a, T: AsRef<str> + ?Sized + 'a>(
    names: impl Iterator<Item = &'a T>,
) -> BTreeSet<&'a str> {
    names.map(AsRef::as_ref).collect()
}

fn objects(spec: &Spec) -> Vec<Json> {
    let vcenter = &spec.vcenter;
    let pools = || cloned(spec).filter_map(|machine| machine.resource_pool.as_deref());
    let stores = cloned(spec).map(|machine| machine.datastore.as_str());
    let named = |what: &'static str, names: BTreeSet<&str>| -> Vec<Json> {
        names.into_iter().map(|name| json!({ "what": what, "name": name })).collect()
    };
    [
        named("cluster", BTreeSet::from([vcenter.cluster.as_str()])),
        named("host", vcenter.hosts.iter().map(|host| host.as_str()).collect()),
        named("datastore", stores.chain([vcenter.datastore.as_str()]).collect()),
        named("network", cloned(spec).map(|machine| machine.network.as_str()).collect()),
        named("resource pool", distinct(pools())),
        named("template", distinct(cloned(spec).filter_map(|machine| machine.template.as_deref()))),
    ]
    .concat()
}

/// One privilege that one kind of step needs. The field is one that an update writes; `None`
/// where the step needs it whatever it writes.
type Need = (&'static str, &'static str, Option<&'static str>, &'static str);

const ROLE: &str = "vsphere/role";
const FOLDER: &str = "vsphere/folder";
const VM: &str = "vsphere/vm";
const RULE: &str = "vsphere/rule";
const PERMISSION: &str = "vsphere/permission";

/// Sources: what the methods' reference names, and the tested minimum of OpenShift's installer
/// (`docs/user/vsphere/privileges.md`).
const ON_ROOT: &[Need] = &[
    (ROLE, "create", None, "Authorization.ModifyRoles"),
    (ROLE, "update", None, "Authorization.ModifyRoles"),
    (ROLE, "delete", None, "Authorization.ModifyRoles"),
];

const ON_FOLDER: &[Need] = &[
    (FOLDER, "create", None, "Folder.Create"),
    (FOLDER, "delete", None, "Folder.Delete"),
    (VM, "create", None, "VirtualMachine.Inventory.CreateFromExisting"),
    (VM, "create", None, "VirtualMachine.Config.AddNewDisk"),
    // Boma's mark, and the network of the template's card.
    (VM, "create", None, "VirtualMachine.Config.AdvancedConfig"),
    (VM, "create", None, "VirtualMachine.Config.EditDevice"),
];

const ON_VM: &[Need] = &[
    (VM, "update", Some("name"), "VirtualMachine.Config.Rename"),
    (VM, "update", Some("folder"), "VirtualMachine.Inventory.Move"),
    (VM, "update", Some("cpus"), "VirtualMachine.Config.CPUCount"),
    (VM, "update", Some("cpu_hot_add"), "VirtualMachine.Config.CPUCount"),
    (VM, "update", Some("memory_mib"), "VirtualMachine.Config.Memory"),
    (VM, "update", Some("memory_hot_add"), "VirtualMachine.Config.Memory"),
    (VM, "update", Some("disk_gib"), "VirtualMachine.Config.DiskExtend"),
    (VM, "update", Some("disk_uuid"), "VirtualMachine.Config.AdvancedConfig"),
    (VM, "update", Some("disk_uuid"), "VirtualMachine.Config.Settings"),
    (VM, "update", Some("scsi_controllers"), "VirtualMachine.Config.AddRemoveDevice"),
    (
        VM,
        "update",
        Some("hardware_version_after_shutdown"),
        "VirtualMachine.Config.UpgradeVirtualHardware",
    ),
    (VM, "upgrade-hardware", None, "VirtualMachine.Config.UpgradeVirtualHardware"),
    (VM, "power-on", None, "VirtualMachine.Interact.PowerOn"),
    (VM, "power-off", None, "VirtualMachine.Interact.PowerOff"),
    (VM, "delete", None, "VirtualMachine.Inventory.Delete"),
    // One that runs is turned off first.
    (VM, "delete", None, "VirtualMachine.Interact.PowerOff"),
];

const ON_TEMPLATE: &[Need] = &[(VM, "create", None, "VirtualMachine.Provisioning.DeployTemplate")];
const ON_POOL: &[Need] = &[(VM, "create", None, "Resource.AssignVMToPool")];
const ON_DATASTORE: &[Need] = &[(VM, "create", None, "Datastore.AllocateSpace")];
const ON_NETWORK: &[Need] = &[(VM, "create", None, "Network.Assign")];

const ON_CLUSTER: &[Need] = &[
    (RULE, "create", None, "Host.Inventory.EditCluster"),
    (RULE, "update", None, "Host.Inventory.EditCluster"),
    (RULE, "delete", None, "Host.Inventory.EditCluster"),
];

/// Each need with where it is needed: a path, or the name of an object below the datacenter.
fn needs(spec: &Spec) -> Vec<Json> {
    let mut all = Vec::new();
    let mut add = |place: String, needs: &[Need]| {
        all.extend(needs.iter().map(|need| entry(&place, need.0, need.1, need.2, need.3)));
    };
    add("/".into(), ON_ROOT);
    add(paths::cluster(spec), ON_CLUSTER);
    let folders: BTreeSet<String> =
        cloned(spec).map(|machine| paths::folder(spec, &machine.folder)).collect();
    for folder in folders {
        add(folder.clone(), ON_FOLDER);
        add(folder, ON_VM);
    }
    for machine in spec.all_machines().filter(|machine| machine.template.is_none()) {
        add(paths::vm(spec, machine), ON_VM);
    }
    let pool = |machine: &'_ Machine| machine.resource_pool.clone();
    for name in
        distinct(cloned(spec).filter_map(pool).map(|pool| pool.value).collect::<Vec<_>>().iter())
    {
        add(name.to_owned(), ON_POOL);
    }
    if cloned(spec).any(|machine| machine.resource_pool.is_none()) {
        add(paths::cluster(spec), ON_POOL);
    }
    for name in distinct(cloned(spec).filter_map(|machine| machine.template.as_deref())) {
        add(name.to_owned(), ON_TEMPLATE);
    }
    for name in distinct(cloned(spec).map(|machine| machine.datastore.as_str())) {
        add(paths::datastore(spec, name), ON_DATASTORE);
    }
    for name in distinct(cloned(spec).map(|machine| machine.network.as_str())) {
        add(name.to_owned(), ON_NETWORK);
    }
    all.extend(grants(spec));
    all.extend(made());
    all
}

/// Who sets a permission must be allowed to, and must hold whatever the role allows.
fn grants(spec: &Spec) -> Vec<Json> {
    let mut all = Vec::new();
    for (path, name) in permission::entities(spec) {
        let own = role::privileges(name).iter().copied();
        for privilege in own.chain(["Authorization.ModifyPermissions"]) {
            for operation in ["create", "update"] {
                all.push(entry(&path, PERMISSION, operation, None, privilege));
            }
        }
        let lifted = "Authorization.ModifyPermissions";
        all.push(entry(&path, PERMISSION, "delete", None, lifted));
    }
    all
}

/// Nobody makes a role of privileges that they lack on the root folder.
fn made() -> Vec<Json> {
    let mut all = Vec::new();
    for name in [role::SEARCH, role::DATASTORE, role::NODE] {
        for privilege in role::privileges(name) {
            for operation in ["create", "update"] {
                let mut need = entry("/", ROLE, operation, None, privilege);
                need["address"] = role::address(name).to_string().into();
                all.push(need);
            }
        }
    }
    all
}

fn entry(place: &str, kind: &str, operation: &str, field: Option<&str>, privilege: &str) -> Json {
    json!({
        "path": place,
        "kind": kind,
        "operation": operation,
        "field": field,
        "privilege": privilege,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    #[test]
    fn everything_that_the_spec_supposes_is_looked_for_once() {
        let place = site(&spec(&[])).place.tree();
        let found: Vec<String> = place["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| format!("{} {}", object["what"], object["name"]).replace('"', ""))
            .collect();
        let expected = [
            "cluster Cluster1",
            "datastore vsanDatastore",
            "network VM Network",
            "template ubuntu-22.04",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_grant_needs_what_it_grants() {
        let place = site(&spec(&[])).place.tree();
        let needs = place["needs"].as_array().unwrap();
        let need = |path: &str, kind: &str, operation: &str, privilege: &str| {
            needs.iter().any(|need| {
                need["path"] == path
                    && need["kind"] == kind
                    && need["operation"] == operation
                    && need["privilege"] == privilege
            })
        };
        let store = "/DC1/datastore/vsanDatastore";
        assert!(need(store, PERMISSION, "create", "Datastore.FileManagement"));
        assert!(need(store, PERMISSION, "delete", "Authorization.ModifyPermissions"));
        assert!(need("/DC1/vm/cht", VM, "power-on", "VirtualMachine.Interact.PowerOn"));
        assert!(need("/DC1/host/Cluster1", VM, "create", "Resource.AssignVMToPool"));
    }
}
