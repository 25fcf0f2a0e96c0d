//! What a machine that boma makes is told at its first boot.
//!
//! In the form of cloud-init's VMware data source (`cloudinit/sources/DataSourceVMware.py`
//! and its documentation page): metadata with network configuration version 2, user data as
//! `#cloud-config`. Nothing here is secret, since everybody who may look at the VM can read it.

use serde_json::{Value as Json, json};

use crate::spec::{Machine, Spec};

/// Interfaces of containers, which CPI would otherwise take for addresses of the node
/// (cloud-provider-vsphere, `docs/book/known_issues.md`).
const TOOLS_CONF: &str = "[guestinfo]\nexclude-nics=veth*,cni*,flannel*,docker*,cali*\n";

/// Runs at every boot: what a guest says of itself is gone when its power was off.
const HOST_KEY_SCRIPT: &str = "#!/bin/sh
# Tells vCenter which SSH host key this machine has.
key=$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2)
vmware-rpctool \"info-set guestinfo.boma.hostkey $key\"
";

/// A template's machine-id would be the same on all machines.
const MACHINE_ID: &str =
    "rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup";

/// Shape: `metadata`, `userdata`: trees as JSON text, so that a plan shows each on one line.
pub fn cloud_init(spec: &Spec, machine: &Machine) -> Json {
    let (metadata, userdata) = (metadata(spec, machine), userdata(spec));
    json!({ "metadata": metadata.to_string(), "userdata": userdata.to_string() })
}

/// One card, whatever the guest calls it: the names of container interfaces begin otherwise.
fn metadata(spec: &Spec, machine: &Machine) -> Json {
    let network = &spec.machines;
    let texts = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>();
    let address = format!("{}/{}", machine.address.value, network.subnet.prefix);
    let card = json!({
        "match": { "name": "e*" },
        "dhcp4": false,
        "dhcp6": false,
        "addresses": [address],
        "routes": [{ "to": "0.0.0.0/0", "via": network.gateway.to_string() }],
        "nameservers": {
            "addresses": texts(&mut network.dns.iter().map(ToString::to_string)),
            "search": texts(&mut network.search.iter().map(ToString::to_string)),
        },
    });
    json!({
        "instance-id": machine.name.as_str(),
        "local-hostname": machine.name.as_str(),
        "network": { "version": 2, "ethernets": { "node": card } },
    })
}

fn userdata(spec: &Spec) -> Json {
    let keys: Vec<&str> = spec.ssh.authorized_keys.iter().map(|key| key.as_str()).collect();
    let user = json!({
        "name": spec.ssh.user.as_str(),
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "shell": "/bin/bash",
        "lock_passwd": true,
        "ssh_authorized_keys": keys,
    });
    let mut userdata = json!({
        "users": [user],
        "ssh_pwauth": false,
        "disable_root": true,
        "ssh_deletekeys": true,
        "bootcmd": [["cloud-init-per", "instance", "machine-id", "sh", "-c", MACHINE_ID]],
        "write_files": [
            file("/etc/vmware-tools/tools.conf", "0644", TOOLS_CONF),
            file("/var/lib/cloud/scripts/per-boot/boma-host-key", "0755", HOST_KEY_SCRIPT),
        ],
        "runcmd": [["systemctl", "try-restart", "open-vm-tools.service", "vmtoolsd.service"]],
    });
    let servers: Vec<&str> = spec.machines.ntp.iter().map(|server| server.as_str()).collect();
    if !servers.is_empty() {
        userdata["ntp"] = json!({ "enabled": true, "servers": servers });
    }
    userdata
}

fn file(path: &str, permissions: &str, content: &str) -> Json {
    json!({ "path": path, "permissions": permissions, "content": content })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAJ2L7FMvMDZzS4E0nTqyBNYjXWkDdxL4qzHDXm";

    fn tree(edits: &[(&str, &str)]) -> Json {
        let spec = spec(edits);
        let texts = cloud_init(&spec, &spec.servers[0]);
        let tree =
            |name: &str| serde_json::from_str::<Json>(texts[name].as_str().unwrap()).unwrap();
        json!({ "metadata": tree("metadata"), "userdata": tree("userdata") })
    }

    #[test]
    fn a_machine_learns_its_name_and_its_network() {
        let edit = ("gateway ", "search = [\"example.org\"]\ngateway ");
        let metadata = &tree(&[edit])["metadata"];
        assert_eq!(metadata["local-hostname"], "server-1");
        let card = &metadata["network"]["ethernets"]["node"];
        assert_eq!(card["addresses"], json!(["10.20.0.11/24"]));
        assert_eq!(card["routes"], json!([{ "to": "0.0.0.0/0", "via": "10.20.0.1" }]));
        let expected = json!({ "addresses": ["10.20.0.2"], "search": ["example.org"] });
        assert_eq!(card["nameservers"], expected);
    }

    #[test]
    fn the_user_and_the_clock_are_those_of_the_spec() {
        let userdata = &tree(&[])["userdata"];
        assert_eq!(userdata["users"][0]["name"], "ubuntu");
        assert_eq!(userdata["users"][0]["ssh_authorized_keys"], json!([KEY]));
        assert_eq!(userdata["ntp"]["servers"], json!(["10.20.0.2"]));
        let none = [("ntp      = [\"10.20.0.2\"]\n", "")];
        assert_eq!(tree(&none)["userdata"]["ntp"], json!(null));
    }

    #[test]
    fn clones_share_no_identity_and_show_no_container_interfaces() {
        let userdata = &tree(&[])["userdata"];
        assert_eq!(userdata["ssh_deletekeys"], true);
        assert!(userdata["bootcmd"].to_string().contains("systemd-machine-id-setup"));
        let files = userdata["write_files"].to_string();
        assert!(files.contains("exclude-nics=veth*,cni*,flannel*"), "{files}");
        assert!(files.contains("info-set guestinfo.boma.hostkey"), "{files}");
    }
}
