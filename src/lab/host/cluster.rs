//! Where a host meets its k3s cluster: starting, stopping, reaching others.

use serde_json::Value as Json;

use crate::lab::k3s::{self, Role, Start};
use crate::lab::kubernetes::read_yaml;
use crate::lab::vsphere::{draw_bytes, hex};

use super::arguments::{Arguments, effective};
use super::content::Content;
use super::files::is_within;
use super::model::Host;
use super::session::Session;
use super::systemd::active;
use super::ufw::Firewall;
use super::units::{Phase, Running, Unit};

/// Where k3s keeps its data.
pub(super) const DATA: &str = "/var/lib/rancher/k3s";
const PASSWORD: &str = "/etc/rancher/node/password";
/// Mirrors and logins of registries.
const REGISTRIES: &str = "/etc/rancher/k3s/registries.yaml";
/// The API's port.
pub(super) const API: u16 = 6443;

/// A start that does not come up.
pub(super) struct Fails {
    /// What k3s writes.
    pub lines: Vec<String>,
    /// The process goes on trying by itself; else it has ended, and systemd starts it again.
    pub retries: bool,
}

/// Whether a unit's process is k3s.
pub(super) fn is_k3s(unit: &Unit) -> bool {
    binary(unit).is_some_and(|path| path.rsplit('/').next() == Some("k3s"))
}

/// Starts k3s as a unit says, and gives what it writes to its journal.
///
/// # Errors
/// What it writes instead.
pub(super) fn start(
    session: &mut Session<'_>,
    unit: &Unit,
) -> Result<(Running, Vec<String>), Fails> {
    let path = binary(unit).unwrap_or_default();
    let executable = session.host.node(&path).is_some_and(|node| node.mode & 0o111 != 0);
    let version = session.host.k3s_version(&path).filter(|_| executable);
    let Some(version) = version else {
        let why = if session.host.node(&path).is_none() {
            "No such file or directory"
        } else {
            "Exec format error"
        };
        stopped(session);
        let lines = vec![format!("Failed to execute {path}: {why}")];
        return Err(Fails { lines, retries: false });
    };
    let (role, arguments) = match effective(&session.host, unit) {
        Ok(read) => read,
        Err(message) => return Err(fatal(session, &message)),
    };
    if let Some(why) = session.host.text(REGISTRIES).and_then(|text| not_a_map(&text)) {
        let used =
            line(session, "info", &format!("Using private registry config file at {REGISTRIES}"));
        let Fails { lines, retries } = fatal(session, &why);
        return Err(Fails { lines: [vec![used], lines].concat(), retries });
    }
    if let Some(message) = unfit(session) {
        return Err(fatal(session, message));
    }
    let password = node_password(session);
    let data = data(&session.host).map(str::to_owned);
    let runs = active(session, "docker.service") == Phase::Active;
    let docker = session.host.state.docker.clone().filter(|_| runs);
    let (peers, host) = (session.peers, session.host.clone());
    let can_reach = |address: &str| reachable(peers, &host, address, API);
    let start = Start {
        host: &host.facts.name,
        hostname: &host.state.hostname,
        address: &host.facts.address,
        machine_uuid: &host.facts.uuid,
        machine_id: &host.state.machine_id,
        role: if role == "agent" { Role::Agent } else { Role::Server },
        version: &version,
        arguments: &arguments,
        data: data.as_deref(),
        node_password: &password,
        docker: docker.as_deref(),
        can_reach: &can_reach,
        now_ms: session.now,
    };
    let outcome = k3s::start(&session.clusters, &start, session.seed);
    match outcome {
        Ok(started) => {
            session.keep(started.effects);
            settle_in(session, &started.data, started.files);
            Ok((Running { version, arguments: without_tokens(arguments) }, started.journal))
        }
        Err(refused) => {
            session.keep(refused.effects);
            Err(Fails { lines: refused.journal, retries: refused.retries })
        }
    }
}

/// Tells the cluster that k3s no longer runs on the host.
pub(super) fn stopped(session: &mut Session<'_>) {
    let effects = k3s::stopped(&session.clusters, &session.host.facts.name, session.now);
    session.keep(effects);
}

/// The cluster whose data is on the host's disk.
pub(super) fn data(host: &Host) -> Option<&str> {
    let there = joined(host);
    host.state.cluster.as_deref().filter(|_| there)
}

/// Whether there is data of a cluster.
pub(super) fn joined(host: &Host) -> bool {
    host.inside(&format!("{DATA}/server/db")).next().is_some()
        || host.files.contains_key(&format!("{DATA}/agent/client-kubelet.crt"))
}

/// Whether a TCP connection from one host to a port of an address would be made.
pub(super) fn reachable(
    peers: &super::hosts::Hosts,
    from: &Host,
    address: &str,
    port: u16,
) -> bool {
    if address == from.facts.address || matches!(address, "127.0.0.1" | "localhost") {
        return true;
    }
    let peer = peers.at(address).filter(|peer| peer.answers());
    peer.is_some_and(|peer| Firewall::of(peer).admits("tcp", port, &from.facts.address))
}

/// Whether firewalls let nodes meet. Hosts that are dead for whoever logs in count as there: what
/// a cluster does about lost machines begins when they are turned off or deleted.
pub(super) fn connects(hosts: &super::hosts::Hosts, from: &str, to: &str, port: u16) -> bool {
    let there = |address: &str| hosts.at(address).filter(|host| host.state.on);
    let (Some(_), Some(peer)) = (there(from), there(to)) else { return false };
    from == to || Firewall::of(peer).admits("tcp", port, from)
}

fn binary(unit: &Unit) -> Option<String> {
    let command = unit.settings("ExecStart").pop()?;
    command.split_whitespace().next().map(|word| word.trim_matches(['"', '\'']).to_owned())
}

/// What k3s finds wrong with its host before it looks further.
fn unfit(session: &Session<'_>) -> Option<&'static str> {
    if !session.host.state.default_route {
        return Some(
            r#"no default routes found in \"/proc/net/route\" or \"/proc/net/ipv6_route\""#,
        );
    }
    if session.host.state.disk_full {
        return Some("failed to bootstrap cluster data: no space left on device");
    }
    None
}

/// Why a configuration file does not hold a map of settings. `None` where it does, or is empty.
fn not_a_map(text: &str) -> Option<String> {
    match read_yaml(text) {
        Err(why) => Some(why),
        Ok(Json::Object(_) | Json::Null) => None,
        Ok(_) => Some("yaml: unmarshal errors: cannot unmarshal into registry".into()),
    }
}

fn fatal(session: &mut Session<'_>, message: &str) -> Fails {
    stopped(session);
    let lines = vec![line(session, "fatal", message)];
    Fails { lines, retries: false }
}

/// A line as k3s writes it to its journal.
fn line(session: &Session<'_>, level: &str, message: &str) -> String {
    let time = super::systemd::rfc3339(session.clock());
    format!("time=\"{time}\" level={level} msg=\"{message}\"")
}

/// Reads the node's password, or makes one as k3s does at its first start.
fn node_password(session: &mut Session<'_>) -> String {
    if let Some(password) = session.host.text(PASSWORD) {
        return password.trim().to_owned();
    }
    session.host.state.node_passwords += 1;
    let name = format!("{} {}", session.host.facts.id, session.host.state.node_passwords);
    let password = hex(&draw_bytes(session.seed, "node password", &name)[..16]);
    session.host.place(PASSWORD, Content(format!("{password}\n").into_bytes()), 0o600, session.now);
    password
}

/// Writes what k3s writes when it has come up.
fn settle_in(session: &mut Session<'_>, data: &str, files: Vec<(String, String, u32)>) {
    session.host.state.cluster = Some(data.to_owned());
    let now = session.now;
    for (path, content, mode) in files {
        session.host.place(&path, Content(content.into_bytes()), mode, now);
    }
}

/// Removes all of k3s's data.
pub(super) fn wipe(session: &mut Session<'_>) {
    session.host.files.retain(|path, _| !WIPED.iter().any(|root| is_within(path, root)));
    session.host.state.cluster = None;
}

const WIPED: &[&str] = &[
    DATA,
    "/etc/rancher/k3s",
    "/etc/rancher/node",
    "/run/k3s",
    "/run/flannel",
    "/var/lib/cni",
    "/var/lib/kubelet",
];

fn without_tokens(mut arguments: Arguments) -> Arguments {
    arguments.remove("token");
    arguments.remove("agent-token");
    arguments
}
