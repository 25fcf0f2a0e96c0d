//! What is looked at before the first write.

use boma::lab::{RoleSetup, ServeOptions};
use boma::provider::Provider as _;
use boma::resource::{Attributes, Reading};
use serde_json::json;

use super::rig::{Backend, Rig, present, setup, standing};
use super::rules::server_rule;
use super::subject::{STORAGE, Subject};
use super::vcsim::Gap;

/// A look at the site: a network, a template, and what an account needs to clone and to grant.
fn site(network: &str) -> Subject {
    let need = |path: &str, kind: &str, operation: &str, privilege: &str| {
        json!({"path": path, "kind": kind, "operation": operation, "field": null,
            "privilege": privilege})
    };
    let place = json!({
        "datacenter": "/DC1",
        "objects": [
            {"what": "network", "name": network},
            {"what": "datastore", "name": "vsanDatastore"},
            {"what": "template", "name": "ubuntu-22.04"},
        ],
        "templates": ["ubuntu-22.04"],
        "needs": [
            need("/", "vsphere/role", "create", "Authorization.ModifyRoles"),
            need("/DC1/vm/none/yet", "vsphere/vm", "create", "VirtualMachine.Inventory.CreateFromExisting"),
            need("ubuntu-22.04", "vsphere/vm", "create", "VirtualMachine.Provisioning.DeployTemplate"),
        ],
    });
    Subject::new("vsphere/site", "DC1", place)
}

on_each_backend! {
    what_a_spec_supposes_is_looked_at_before_the_first_write,
    a_whole_read_with_the_site_costs_eight_requests,
    storage_policies_are_read_with_the_same_session,
}

/// Only where one is named: two requests, and no login.
async fn storage_policies_are_read_with_the_same_session(backend: Backend) {
    let rig = Rig::on(backend).await;
    let seen = present(rig.read(&site("VM Network")).await).attributes.tree();
    assert_eq!(seen["policies"], json!(null));
    let (before, sessions) = (rig.vcenter.requests(), rig.sessions().await);
    let mut named = site("VM Network");
    let mut place = named.locator.place.tree();
    place["policy"] = json!("vSAN Default Storage Policy");
    named.locator.place = Attributes::new(&place);
    let seen = present(rig.read(&named).await).attributes.tree();
    let policies = seen["policies"].as_array().unwrap();
    assert!(policies.contains(&json!("vSAN Default Storage Policy")), "{seen}");
    assert!(rig.vcenter.requests() - before <= 6 + 2);
    assert_eq!(rig.sessions().await, sessions);
    rig.stop().await;
}

/// vcsim's template has no VMware Tools and its own size, and any privilege is held.
async fn what_a_spec_supposes_is_looked_at_before_the_first_write(backend: Backend) {
    let rig = Rig::on(backend).await;
    let seen = present(rig.read(&site("nope")).await).attributes.tree();
    assert_eq!(seen["missing"][0]["reason"], "there is no network nope in /DC1");
    assert_eq!(seen["missing"].as_array().map(Vec::len), Some(1));
    let template = &seen["templates"]["ubuntu-22.04"];
    assert_eq!((&template["template"], &template["hardware_version"]), (&json!(true), &json!(13)));
    if !rig.has(Gap::NoGuest) {
        assert_eq!((&template["tools"], &template["disk_gib"]), (&json!(true), &json!(20)));
    }
    assert!(seen["free_gib"]["vsanDatastore"].as_u64() > Some(0), "{seen}");
    assert_eq!(seen["lacking"], json!([]));
    assert_eq!(seen["unmounted"], json!({}));
    let urls = seen["datastore_urls"].as_object().unwrap();
    let url = urls["/DC1/datastore/vsanDatastore"].as_str().unwrap();
    assert!(!url.is_empty(), "{seen}");
    rig.stop().await;
}

#[tokio::test]
async fn privileges_are_asked_for_at_once_and_named_with_the_nearest_path() {
    let rig = Rig::start().await;
    let permission = Subject::permission("root", "/");
    let fields = json!({"entity": "/", "principal": STORAGE, "group": false, "role": "ReadOnly", "propagate": true});
    rig.make(&permission, fields).await;
    let weak = rig.account(STORAGE);
    let seen = weak.read(&[site("VM Network").wanted()]).await.remove(0).1;
    let tree = present(seen).attributes.tree();
    let lacking = tree["lacking"].as_array().unwrap();
    let lacking: Vec<String> = lacking
        .iter()
        .map(|need| format!("{} {}", need["path"], need["privilege"]).replace('"', ""))
        .collect();
    let expected = [
        "/ Authorization.ModifyRoles",
        "/DC1/vm VirtualMachine.Inventory.CreateFromExisting",
        "/DC1/vm/ubuntu-22.04 VirtualMachine.Provisioning.DeployTemplate",
    ];
    assert_eq!(lacking, expected);
    let requests = rig.control().status().await.unwrap().requests;
    assert_eq!(requests["HasPrivilegeOnEntities"], 1);
    weak.logout().await;
    rig.stop().await;
}

/// With the server's own pages.
async fn a_whole_read_with_the_site_costs_eight_requests(backend: Backend) {
    for count in [12, 1000] {
        let rig = Rig::with_machines(backend, count).await;
        let machine = |number| {
            let path = format!("{}/agent-{number}", rig.home());
            Subject::new("vsphere/vm", &format!("agent-{number}"), json!({ "path": path })).wanted()
        };
        let machines = (0..count).map(machine);
        let others = [
            site("VM Network").wanted(),
            server_rule().wanted(),
            Subject::role("ReadOnly").wanted(),
            Subject::permission("none", "/DC1").wanted(),
        ];
        let readings = rig.vcenter.read(&machines.chain(others).collect::<Vec<_>>()).await;
        let present = readings.iter().filter(|(_, reading)| reading.object().is_some()).count();
        assert_eq!(present, count + 2, "{:?}", readings.last());
        assert!(rig.vcenter.requests() <= 8, "{} requests for {count}", rig.vcenter.requests());
        rig.stop().await;
    }
}

/// Every kind, a permission on each machine among them: found by place, and then by what was
/// recorded.
#[tokio::test]
async fn every_kind_of_object_costs_eight_requests_in_all() {
    for count in [12, 1000] {
        let mut world = setup((0..count).map(standing).collect());
        let path = |number: usize| format!("/DC1/vm/cht/agent-{number}");
        world.roles = vec![RoleSetup {
            name: "CNS-VM".into(),
            privileges: vec!["VirtualMachine.Config.AddRemoveDevice".into()],
            on: (0..count).map(path).collect(),
            principal: STORAGE.into(),
            propagate: false,
        }];
        let rig = Rig::with(world, ServeOptions::default()).await;
        let mut vms = Vec::new();
        for name in ["agent-0", "agent-1"] {
            let vm = rig.standing(name).await.object.unwrap();
            vms.push(vm.attributes.tree()["moref"].clone());
        }
        let fields = json!({"name": "small-servers", "cluster": "/DC1/host/Cluster1",
            "vms": vms, "mandatory": false, "enabled": true});
        rig.make(&server_rule(), fields).await;
        let machine = |number| Subject::vm(&format!("agent-{number}"));
        let permission = |number| Subject::permission(&format!("vm/agent-{number}"), &path(number));
        let folder = Subject::new("vsphere/folder", "cht", json!({"path": "/DC1/vm/cht"}));
        let others = [site("VM Network"), server_rule(), Subject::role("CNS-VM"), folder];
        let mut all: Vec<Subject> =
            (0..count).map(machine).chain((0..count).map(permission)).chain(others).collect();
        for _ in 0..2 {
            let before = rig.vcenter.requests();
            let wanted: Vec<_> = all.iter().map(Subject::wanted).collect();
            let readings = rig.vcenter.read(&wanted).await;
            let asked = rig.vcenter.requests() - before;
            // A session that is open already needs no `RetrieveServiceContent` and no `Login`.
            assert!(asked <= 8 - 2, "{asked} requests for {count}");
            all = all
                .into_iter()
                .zip(readings)
                .map(|(subject, (address, reading))| match reading {
                    Reading::Present(object) => subject.known(object),
                    other => panic!("{address}: {other:?}"),
                })
                .collect();
        }
        rig.stop().await;
    }
}
