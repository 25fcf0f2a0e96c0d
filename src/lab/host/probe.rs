//! The one read-only command: everything about a host in one answer, in the texts of the programs
//! that a real host would run.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::lab::vsphere::hex;

use super::cluster::{self, DATA};
use super::model::{Body, Host};
use super::session::{Output, Session};
use super::systemd::{self, UNITS};
use super::ufw::Firewall;
use super::units::Phase;
use super::{docker, k3s, systemctl};

const RANCHER: &str = "/etc/rancher/k3s";
/// The most that is read of a file.
const FILE_MAX: usize = 65536;
/// What the script asks systemd for.
const PROPERTIES: &[&str] = &[
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NRestarts",
    "ExecMainStartTimestamp",
];
/// Leaf certificates of k3s live a year.
const CERTIFICATE_S: i64 = 365 * 86_400;

/// Answers `sh -c … boma-probe`.
pub(super) fn probe(session: &mut Session<'_>) -> Output {
    let mut items = Items { all: Map::new(), root: session.root };
    machine(&session.host, &mut items);
    items.files(&session.host, "mark", "/etc/boma", &["json"]);
    if session.root {
        let firewall = Firewall::of(&session.host);
        items.put("ufw-status", &firewall.status(true));
        items.put("ufw-added", &firewall.added());
    }
    items.put("docker-version", &docker::version(&session.host));
    let docker = systemd::active(session, "docker.service");
    items.put("docker-active", &format!("{}\n", docker.name()));
    items.put("k3s-version", &k3s::version(session));
    let unit = ["k3s", "k3s-agent"]
        .into_iter()
        .find(|name| session.host.files.contains_key(&format!("{UNITS}/{name}.service")));
    let active = unit.is_some_and(|unit| service(session, unit, &mut items));
    configuration(&session.host, &mut items);
    data(&session.host, &mut items);
    if unit == Some("k3s") && active && session.root {
        items.put("nodes", &k3s::nodes(session));
    }
    items.put("clock", &format!("{}\n", session.clock()));
    Output::text(format!("{}\n", Value::Object(items.all)))
}

/// Items by name, coded.
struct Items {
    all: Map<String, Value>,
    root: bool,
}

impl Items {
    /// What is empty is left out.
    fn put(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.all.insert(name.to_owned(), Value::String(base64(text.as_bytes())));
        }
    }

    fn file(&mut self, host: &Host, name: &str, path: &str) {
        let Some(node) = host.node(path).filter(|node| self.root || node.mode & 0o004 != 0) else {
            return;
        };
        if let Body::File(content) = &node.body {
            let start = &content.0[..content.0.len().min(FILE_MAX)];
            self.all.insert(name.to_owned(), Value::String(base64(start)));
        }
    }

    fn files(&mut self, host: &Host, prefix: &str, directory: &str, endings: &[&str]) {
        let names: Vec<&str> = host.inside(directory).map(|(name, _)| name).collect();
        for name in names {
            let ending = name.rsplit_once('.').map(|(_, ending)| ending);
            let hidden = name.starts_with('.');
            if ending.is_some_and(|ending| endings.contains(&ending)) && !hidden {
                self.file(host, &format!("{prefix}/{name}"), &format!("{directory}/{name}"));
            }
        }
    }
}

fn machine(host: &Host, items: &mut Items) {
    let state = &host.state;
    let facts = &host.facts;
    items.put("hostname", &format!("{}\n", state.hostname));
    items.file(host, "machine-id", "/etc/machine-id");
    items.file(host, "product-serial", "/sys/class/dmi/id/product_serial");
    items.file(host, "product-uuid", "/sys/class/dmi/id/product_uuid");
    items.file(host, "os-release", "/etc/os-release");
    items.put("kernel", "5.15.0-91-generic x86_64\n");
    items.put("cpus", &format!("{}\n", facts.cpus));
    let total = facts.memory_mib * 1024;
    // The kernel and its tables take some of it.
    let (total, free) = (total - total / 40, total / 2);
    items.put("meminfo", &format!("MemTotal:       {total:>8} kB\nMemFree:        {free:>8} kB\nMemAvailable:   {free:>8} kB\n"));
    let blocks = facts.disk_gib * 1024 * 1024;
    let used = if state.disk_full { blocks } else { (6 << 20).min(blocks) };
    let percent = (used * 100).div_ceil(blocks.max(1));
    items.put("disk", &format!(
        "Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/sda2 {blocks} {used} {} {percent}% /\n",
        blocks - used
    ));
    items.put("clock-sync", if state.clock_synchronized { "yes\n" } else { "no\n" });
    items.put("cgroup", "cgroup2fs\n");
    let gateway = facts.address.rsplit_once('.').map_or("", |(network, _)| network);
    let route = if state.default_route {
        format!("default via {gateway}.1 dev ens192 proto static \n")
    } else {
        String::new()
    };
    items.all.insert("route".to_owned(), Value::String(base64(route.as_bytes())));
}

/// The unit of k3s; tells whether it is active.
fn service(session: &mut Session<'_>, unit: &str, items: &mut Items) -> bool {
    let name = format!("{unit}.service");
    items.put("unit-show", &systemctl::properties(session, &name, PROPERTIES, false));
    let path = format!("{UNITS}/{name}");
    items.file(&session.host, "unit-text", &path);
    items.file(&session.host, "unit-env", &format!("{path}.env"));
    items.file(&session.host, "unit-default", &format!("/etc/default/{unit}"));
    items.file(&session.host, "unit-sysconfig", &format!("/etc/sysconfig/{unit}"));
    items.files(&session.host, "unit-d", &format!("{path}.d"), &["conf"]);
    let active = systemd::active(session, &name) == Phase::Active;
    if !active {
        items.put("journal", &systemctl::last_words(session, &name, 20));
    }
    let newest = newest(&session.host, &path);
    items.put("config-time", &newest.map(|time| time.to_string()).unwrap_or_default());
    active
}

fn newest(host: &Host, unit: &str) -> Option<i64> {
    let single = [
        format!("{RANCHER}/config.yaml"),
        unit.to_owned(),
        format!("{unit}.env"),
        "/usr/local/bin/k3s".to_owned(),
    ];
    let single = single.iter().filter_map(|path| host.node(path));
    let folder = format!("{RANCHER}/config.yaml.d");
    let drop_ins = host.inside(&folder).filter(|(name, _)| name.ends_with("ml"));
    single.chain(drop_ins.map(|(_, node)| node)).map(|node| node.modified).max()
}

fn configuration(host: &Host, items: &mut Items) {
    items.file(host, "config", &format!("{RANCHER}/config.yaml"));
    items.files(host, "config-d", &format!("{RANCHER}/config.yaml.d"), &["yaml", "yml"]);
    items.file(host, "token", &format!("{RANCHER}/token"));
    items.file(host, "token-unused", &format!("{RANCHER}/token.unused"));
    items.file(host, "agent-token", &format!("{RANCHER}/agent-token"));
    items.file(host, "registries", &format!("{RANCHER}/registries.yaml"));
    items.file(host, "server-token", &format!("{DATA}/server/token"));
}

fn data(host: &Host, items: &mut Items) {
    if !cluster::joined(host) {
        return;
    }
    items.put("joined", "yes");
    if host.inside(&format!("{DATA}/server/db/etcd")).next().is_some() {
        items.put("etcd", "yes");
    }
    let ca = format!("{DATA}/server/tls/server-ca.crt");
    if let Some(text) = host.text(&ca).filter(|_| items.root) {
        let line = format!("{}  {ca}\n", hex(&Sha256::digest(text.as_bytes())));
        items.put("cacert-hash", &line);
    }
    if let Some(node) = host.node(&format!("{DATA}/agent/client-kubelet.crt")) {
        items.put("certificate-ends", &systemd::rfc3339(node.modified + CERTIFICATE_S));
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let held = chunk.iter().fold(0_u32, |held, byte| held << 8 | u32::from(*byte));
        let held = held << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(held >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_padded() {
        let coded = ["", "h", "he", "hel", "hello"].map(|text| base64(text.as_bytes()));
        assert_eq!(coded, ["", "aA==", "aGU=", "aGVs", "aGVsbG8="]);
    }
}
