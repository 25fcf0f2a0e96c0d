//! Hosts follow their machines.

use crate::lab::k3s::Clusters;
use crate::lab::vsphere::Guest;

use super::super::desk::HostDesk;
use super::super::hosts::Hosts;
use super::super::standing::Standing;

const USERDATA: &str = r#"#cloud-config
{"users": [{"name": "ops", "ssh_authorized_keys": ["ssh-ed25519 AAAA"]}]}"#;

fn guest(id: &str, on: bool) -> Guest {
    Guest {
        id: id.to_owned(),
        name: "server-1".to_owned(),
        standing: false,
        powered_on: on,
        booted_ms: 1000,
        address: "10.20.0.11".to_owned(),
        hostname: "server-1".to_owned(),
        uuid: "421a2b3c-4d5e-4f60-a1b2-c3d4e5f60718".to_owned(),
        instance_uuid: "501a2b3c-4d5e-4f60-a1b2-c3d4e5f60718".to_owned(),
        cpus: 2,
        memory_mib: 4096,
        disk_gib: 20,
        userdata: USERDATA.to_owned(),
    }
}

fn desk() -> HostDesk {
    HostDesk::new(5, Hosts::default(), Clusters::default(), Standing::default())
}

#[test]
fn a_host_comes_into_being_with_its_first_boot_and_goes_with_its_machine() {
    let mut desk = desk();
    assert!(desk.follow(&[guest("vm-1", false)], 1000).is_empty());
    desk.follow(&[guest("vm-1", true)], 1000);
    let host = desk.hosts.named("server-1").unwrap().clone();
    assert!(host.answers());
    assert_eq!(host.state.users["ops"], ["ssh-ed25519 AAAA"]);
    let serial = host.text("/sys/class/dmi/id/product_serial").unwrap();
    assert_eq!(serial, "VMware-42 1a 2b 3c 4d 5e 4f 60-a1 b2 c3 d4 e5 f6 07 18\n");
    let uuid = host.text("/sys/class/dmi/id/product_uuid").unwrap();
    assert_eq!(uuid, "3c2b1a42-5e4d-604f-a1b2-c3d4e5f60718\n");
    assert!(desk.follow(&[guest("vm-1", true)], 2000).is_empty());

    desk.follow(&[guest("vm-1", false)], 3000);
    assert!(!desk.hosts.named("server-1").unwrap().answers());
    desk.follow(&[guest("vm-2", true)], 4000);
    let rebuilt = desk.hosts.named("server-1").unwrap();
    assert_ne!(rebuilt.state.machine_id, host.state.machine_id);
    assert_eq!(desk.hosts.iter().count(), 1);
}

#[test]
fn a_power_cycle_is_a_boot() {
    let mut desk = desk();
    desk.follow(&[guest("vm-1", true)], 1000);
    desk.follow(&[Guest { booted_ms: 2000, cpus: 4, ..guest("vm-1", true) }], 2000);
    let host = desk.hosts.named("server-1").unwrap();
    assert_eq!((host.state.boots, host.facts.cpus), (2, 4));
}
