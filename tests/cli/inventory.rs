//! `boma inventory`: what stands, and how it is named.

use serde_json::{Value as Json, json};

use super::env::TestEnv;

fn vms(inventory: &Json) -> &[Json] {
    inventory["vms"].as_array().expect("machines")
}

#[test]
fn provider_ids_are_bios_uuids() {
    let env = TestEnv::new();
    let nothing = env.json(0, &["inventory", "--lab", "small.toml"]);
    assert!(vms(&nothing).iter().all(|vm| vm["exists"] == false && vm["provider_id"].is_null()));

    env.apply();
    let live = env.json(0, &["inventory", "--lab", "small.toml"]);
    assert_eq!(vms(&live).len(), 5);
    for vm in vms(&live) {
        let (bios, instance) = (&vm["bios_uuid"], &vm["instance_uuid"]);
        let bios = bios.as_str().expect("a BIOS UUID");
        assert_eq!(vm["provider_id"], format!("vsphere://{}", bios.to_lowercase()));
        assert_ne!(bios, instance);
        assert_eq!((&vm["exists"], &vm["power"]), (&json!(true), &json!("on")));
    }
    let roles = live["roles"].as_array().expect("roles");
    assert_eq!(roles.len(), 3);
    for (place, path) in [
        (&live["datacenter"], "/DC1"),
        (&live["clusters"][0], "/DC1/host/Cluster1"),
        (&live["datastores"][0], "/DC1/datastore/vsanDatastore"),
    ] {
        assert_eq!((&place["exists"], &place["path"]), (&json!(true), &json!(path)));
        assert!(place["moref"].is_string(), "{place}");
    }
    let store = &live["datastores"][0];
    assert!(store["url"].is_string() && store["free_gib"].is_u64(), "{store}");

    let text = env.expect(0, &["inventory", "--lab", "small.toml"]).stdout;
    for vm in vms(&live) {
        for key in ["name", "provider_id", "instance_uuid", "host"] {
            assert!(text.contains(vm[key].as_str().expect(key)), "{key}\n{text}");
        }
    }
}

#[test]
fn offline_shows_what_was_recorded() {
    let env = TestEnv::new();
    env.apply();
    let live = env.json(0, &["inventory", "--lab", "small.toml"]);
    let recorded = env.json(0, &["inventory", "--lab", "--offline", "small.toml"]);
    assert_eq!((&recorded["offline"], &recorded["read"]), (&json!(true), &Json::Null));
    for key in ["name", "provider_id", "instance_uuid", "path", "hardware_version", "power"] {
        for (live, recorded) in vms(&live).iter().zip(vms(&recorded)) {
            assert_eq!(live[key], recorded[key], "{key}");
        }
    }
    assert_eq!(live["vcenter"], recorded["vcenter"]);
    assert_eq!(recorded["datacenter"]["name"], "DC1");
    assert_eq!(recorded["datacenter"]["exists"], Json::Null);
    assert_eq!(live["roles"], recorded["roles"]);
}

#[test]
fn the_outside_nginx_needs_nothing_but_the_spec() {
    let env = TestEnv::new();
    let arguments = ["inventory", "--format", "nginx", "small.toml"];
    let first = env.expect(0, &arguments).stdout;
    assert_eq!(first, env.expect(0, &arguments).stdout);
    for line in [
        "    server 10.20.0.21:80;",
        "    server 10.20.0.22:80;",
        "    server_name county-02.cht.example.org;",
        "        proxy_pass http://small-http;",
        "        proxy_set_header Host $host;",
    ] {
        assert!(first.lines().any(|found| found == line), "{line}\n{first}");
    }
    assert!(env.files("state").is_empty());
}
