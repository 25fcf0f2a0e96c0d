//! Machines and where they run.

use serde_json::json;

use super::{Case, deny, in_world, warn};
use crate::plan::Action;
use crate::rules::testing::{change, cloning, disturbing, machines, plan, readings};

pub const CASES: &[Case] = &[
    warn(
        "anti-affinity",
        &[("[servers]", "[servers]\nkeep_apart = \"off\"")],
        "nothing keeps the servers on different ESXi hosts",
    ),
    warn(
        "anti-affinity",
        &[
            ("[servers]", "[servers]\nkeep_apart = \"require\""),
            ("datacenter", "hosts = [\"a\", \"b\"]\ndatacenter"),
        ],
        "3 machines cannot be on different ones of 2 hosts",
    ),
    in_world(
        || machines(&[("server-1", json!({"host": "h1"})), ("server-3", json!({"host": "h1"}))]),
        warn("anti-affinity", &[], "server-1 and server-3 run on one ESXi host, h1"),
    ),
    deny(
        "capacity",
        &[("count = 4", "count = 60")],
        "county-60 does not fit (volume slots, 3 short); not all CPU and memory of county-1 and 59 more is known: `resources` does not say it",
    ),
    warn(
        "capacity",
        &[("count = 4", "count = 40")],
        "with agent-1 or any of 2 others down, county-40 does not fit (volume slots, 2 short); not all CPU and memory of county-1 and 39 more is known: `resources` does not say it",
    ),
    warn(
        "couchdb-spread",
        &[("nodes = 3 }", "nodes = 3 }\nplacement = \"spread\"")],
        "any of several machines stops county-1 and 3 more by its loss",
    ),
    in_world(
        || plan(vec![change("server-1", Action::Replace), change("server-2", Action::Replace)]),
        deny("data-loss", &[], "2 servers would go at once: server-1 and server-2"),
    ),
    warn(
        "machine-size",
        &[("cpus = 4", "cpus = 1")],
        "too little CPU for k3s servers: server-1 and 2 more",
    ),
    in_world(
        || {
            let uuid = json!({"bios_uuid": "42", "host": "h"});
            let other = json!({"bios_uuid": "42", "host": "i"});
            machines(&[("server-1", uuid), ("server-3", other)])
        },
        deny("duplicate-uuid", &[], "server-1 and server-3 have one BIOS UUID, 42"),
    ),
    in_world(
        || {
            let need = |operation: &str, privilege: &str| {
                json!({"path": "/DC1/vm", "kind": "vsphere/vm", "operation": operation,
                    "field": null, "privilege": privilege})
            };
            let lacking = [need("create", "A.Clone"), need("delete", "A.Delete")];
            cloning(&json!({ "lacking": lacking }))
        },
        deny("privileges", &[], "boma's account lacks on /DC1/vm: A.Clone"),
    ),
    in_world(
        || {
            let gone = json!({"what": "network", "name": "VM Network", "reason": "there is none"});
            let unused = json!({"what": "network", "name": "x", "reason": "there is none, too"});
            cloning(&json!({"missing": [gone, unused]}))
        },
        deny("site", &[], "there is none"),
    ),
    in_world(
        || cloning(&json!({"templates": {"ubuntu": {"template": false}}})),
        deny("site", &[], "ubuntu is a VM, not a template"),
    ),
    in_world(
        || cloning(&json!({"templates": {"ubuntu": {"template": true, "disk_gib": 80}}})),
        deny("site", &[], "template ubuntu has a disk of 80 GiB, more than the 50 GiB of server-1"),
    ),
    in_world(
        || cloning(&json!({"templates": {"ubuntu": {"template": true, "tools": false}}})),
        warn("site", &[], "VMware Tools were never seen in template ubuntu"),
    ),
    in_world(
        || {
            let vapp = json!({"template": true, "vapp_properties": ["instance-id", "user-data"]});
            cloning(&json!({"templates": {"ubuntu": vapp}}))
        },
        warn("site", &[], "template ubuntu has vApp properties: instance-id and user-data"),
    ),
    in_world(
        || cloning(&json!({"free_gib": {"ds1": 20}})),
        warn("site", &[], "datastore ds1 has 20 GiB free, and new machines have 50 GiB of disk"),
    ),
    in_world(
        || cloning(&json!({"unmounted": {"ds1": ["esxi-3", "esxi-4"]}})),
        warn("site", &[], "datastore ds1 is not mounted on esxi-3 and esxi-4"),
    ),
    in_world(
        || cloning(&json!({"datastore_urls": {"/DC1/datastore/ds1": "ds:///vmfs/volumes/1/"}})),
        deny(
            "site",
            &[("[storage]\n", "[storage]\ndatastore_url = \"ds:///vmfs/volumes/2/\"\n")],
            "no datastore that boma's account sees has the URL ds:///vmfs/volumes/2/",
        ),
    ),
    in_world(
        || cloning(&json!({"policies": ["Gold"]})),
        deny(
            "site",
            &[("[storage]\n", "[storage]\npolicy = \"Silver\"\n")],
            "there is no storage policy Silver",
        ),
    ),
    in_world(
        || cloning(&json!({"policies": "NoPermission"})),
        warn(
            "site",
            &[("[storage]\n", "[storage]\npolicy = \"Silver\"\n")],
            "nobody knows whether there is a storage policy Silver",
        ),
    ),
    in_world(
        || {
            let seen = json!({"bios_uuid": "4217-b"});
            let vm = json!({"bios_uuid": "4217-A", "host": "h"});
            readings(&[("host/machine/server-1", seen), ("vsphere/vm/server-1", vm)])
        },
        deny(
            "bios-uuid",
            &[],
            "at 10.20.0.11 answers a machine with BIOS UUID 4217-b, and server-1 has 4217-A",
        ),
    ),
    in_world(
        || {
            let voter = || json!({"spare_voters": 0, "member": "voter", "ready": "yes"});
            let dead = json!({"spare_voters": 0, "member": "voter", "ready": "no"});
            let read = [
                ("k3s/server/server-1", voter()),
                ("k3s/server/server-2", voter()),
                ("k3s/server/server-3", dead),
            ];
            let restart = |server| (server, Action::Update);
            disturbing(&read, &[restart("k3s/server/server-1"), restart("k3s/server/server-3")])
        },
        deny("spare-voter", &[], "server-1 would be down, and etcd has no voter to spare"),
    ),
    in_world(
        || readings(&[("k3s/server/server-2", json!({"datastore": "other"}))]),
        warn(
            "quorum",
            &[],
            "the cluster's data on server-2 is not in etcd: boma takes no snapshot of it before the server is disturbed, and no server can join",
        ),
    ),
    in_world(
        || readings(&[("k3s/server/server-1", json!({"datastore": "etcd"}))]),
        warn(
            "quorum",
            &[("count = 3", "count = 1"), ("11-13", "11")],
            "1 server cannot lose one and keep etcd's quorum",
        ),
    ),
    warn(
        "quorum",
        &[("count = 3", "count = 1"), ("11-13", "11")],
        "1 server cannot lose one and keep etcd's quorum",
    ),
];
