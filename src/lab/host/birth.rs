//! The first boot of a machine: Ubuntu 22.04 as the template or the person left it, and cloud-init.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::lab::vsphere::{Guest, draw_bytes, hex};

use super::content::Content;
use super::model::{Facts, Host, Node, State};
use super::ufw::Firewall;

const OS_RELEASE: &str = "PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.5 LTS (Jammy Jellyfish)\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n";

/// Directories of a fresh system that are not above some file of it.
const DIRECTORIES: &[&str] = &[
    "/",
    "/dev",
    "/home",
    "/opt",
    "/root",
    "/run",
    "/sys/class/dmi/id",
    "/proc",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/var/lib",
    "/var/log",
    "/etc/systemd/system/multi-user.target.wants",
];

/// Services that every Ubuntu server runs.
const SERVICES: &[&str] = &["ssh", "systemd-timesyncd", "open-vm-tools", "ufw"];

/// What a machine is made from besides its guest.
#[derive(Default)]
pub(super) struct Birth {
    /// What sudo asks for on a machine that stood before.
    pub sudo_password: Option<String>,
}

/// The part of cloud-init's user data that the lab carries out.
#[derive(Default, Deserialize)]
struct CloudConfig {
    #[serde(default)]
    users: Vec<CloudUser>,
}

#[derive(Deserialize)]
struct CloudUser {
    name: String,
    #[serde(default)]
    ssh_authorized_keys: Vec<String>,
}

/// A host that has never run.
pub(super) fn born(guest: &Guest, birth: Birth, seed: u64) -> Host {
    let machine_id = hex(&draw_bytes(seed, "machine id", &guest.id)[..16]);
    let users = if guest.standing { BTreeMap::new() } else { users(&guest.userdata) };
    let mut host = Host {
        facts: facts(guest),
        state: State {
            hostname: guest.hostname.clone(),
            machine_id: machine_id.clone(),
            on: false,
            dead: false,
            booted_ms: 0,
            boots: 0,
            clock_offset_ms: 0,
            clock_synchronized: true,
            disk_full: false,
            default_route: true,
            users,
            sudo_password: birth.sudo_password,
            docker: None,
            cluster: None,
            node_passwords: 0,
            keys: 0,
        },
        files: BTreeMap::new(),
        units: BTreeMap::new(),
        timers: BTreeMap::new(),
    };
    furnish(&mut host, guest.booted_ms);
    host
}

/// What the virtual machine settles.
pub(super) fn facts(guest: &Guest) -> Facts {
    Facts {
        id: guest.id.clone(),
        name: guest.name.clone(),
        address: guest.address.clone(),
        uuid: guest.uuid.clone(),
        cpus: guest.cpus,
        memory_mib: guest.memory_mib,
        disk_gib: guest.disk_gib,
    }
}

/// Makes another machine's or a new identity visible where the guest looks for it.
pub(super) fn identify(host: &mut Host, now_ms: u64) {
    let digits: Vec<char> = host.facts.uuid.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    let serial = match pairs.len() {
        16 => format!("VMware-{}-{}\n", pairs[..8].join(" "), pairs[8..].join(" ")),
        _ => "None\n".to_owned(),
    };
    let uuid = swapped(&pairs);
    host.place("/sys/class/dmi/id/product_serial", Content(serial.into_bytes()), 0o400, now_ms);
    host.place("/sys/class/dmi/id/product_uuid", Content(uuid.into_bytes()), 0o400, now_ms);
    let machine_id = format!("{}\n", host.state.machine_id);
    host.place("/etc/machine-id", Content(machine_id.into_bytes()), 0o444, now_ms);
}

fn furnish(host: &mut Host, now_ms: u64) {
    for directory in DIRECTORIES {
        host.make_parents(&format!("{}/x", directory.trim_end_matches('/')), now_ms);
    }
    let modified = host.clock(now_ms);
    host.files.insert("/".to_owned(), Node::directory(modified));
    let open = Node { mode: 0o1777, ..Node::directory(modified) };
    host.files.insert("/tmp".to_owned(), open);
    let names: Vec<String> = host.state.users.keys().cloned().collect();
    for name in names {
        let home = Node { owner: name.clone(), ..Node::directory(modified) };
        host.files.insert(format!("/home/{name}"), home);
    }
    host.place("/etc/os-release", OS_RELEASE.into(), 0o644, now_ms);
    let hostname = format!("{}\n", host.state.hostname);
    host.place("/etc/hostname", Content(hostname.into_bytes()), 0o644, now_ms);
    for service in SERVICES {
        let unit = format!("[Service]\nExecStart=/usr/sbin/{service}\n");
        let path = format!("/lib/systemd/system/{service}.service");
        host.place(&path, Content(unit.into_bytes()), 0o644, now_ms);
    }
    Firewall { incoming: "deny".to_owned(), ..Firewall::default() }.store(host, now_ms);
    identify(host, now_ms);
}

/// The users that cloud-init makes; none where the user data is no `#cloud-config` in JSON.
fn users(userdata: &str) -> BTreeMap<String, Vec<String>> {
    let text = userdata.strip_prefix("#cloud-config").unwrap_or(userdata);
    let config: CloudConfig = serde_json::from_str(text.trim()).unwrap_or_default();
    config.users.into_iter().map(|user| (user.name, user.ssh_authorized_keys)).collect()
}

/// The form in which Linux shows it: SMBIOS 2.6 keeps the first three fields little-endian.
fn swapped(pairs: &[String]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let digits: String = order.iter().filter_map(|place| pairs.get(*place).cloned()).collect();
    match digits.len() {
        32 => format!(
            "{}-{}-{}-{}-{}\n",
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..]
        ),
        _ => "Not Settable\n".to_owned(),
    }
}
