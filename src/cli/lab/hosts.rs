//! The hosts and clusters of a lab, as its commands show them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::super::error::CliError;
use crate::lab::{ClusterStatus, HostEndpoint, Status, StatusHost, WorkloadStatus};
use crate::render::json::{LabClusterJson, LabHostJson, LabNodeJson, LabWorkloadsJson};

/// Writes the private key that all hosts take, for their owner only.
///
/// # Errors
/// The file cannot be written.
pub fn write_key(dir: &Path, key: &str) -> Result<PathBuf, CliError> {
    let path = dir.join("ssh.key");
    let mut options = File::options();
    let options = options.create(true).write(true).truncate(true).mode(0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(key.as_bytes()));
    let failed = |error| {
        let message = format!("failed to write {}: {error}", path.display());
        CliError::new(message, "make room there, or let boma write there")
    };
    written.map_err(failed)?;
    Ok(path)
}

/// How to log in to each host, a line each.
pub fn ways_in(hosts: &[HostEndpoint], user: &str, key: &Path) -> String {
    let line = |host: &HostEndpoint| {
        let HostEndpoint { name, address, port, fingerprint } = host;
        let key = key.display();
        format!(
            "host        {name} {address} {fingerprint}\n            ssh -i {key} -p {port} {user}@127.0.0.1\n"
        )
    };
    match hosts.is_empty() {
        true => "hosts       none runs yet; `boma lab status` tells their ports\n".to_owned(),
        false => hosts.iter().map(line).collect(),
    }
}

/// Hosts for JSON; `listening` tells their ports.
pub fn documents(status: &Status, listening: &[HostEndpoint]) -> Vec<LabHostJson> {
    let ports: BTreeMap<&str, u16> =
        listening.iter().map(|host| (host.name.as_str(), host.port)).collect();
    let document = |host: &StatusHost| {
        let StatusHost { name, address, answers, boots, connections, commands, .. } = host.clone();
        let port = ports.get(name.as_str()).copied();
        LabHostJson { name, address, answers, port, boots, connections, commands }
    };
    status.hosts.iter().map(document).collect()
}

/// Clusters for JSON.
pub fn clusters(status: &Status) -> Vec<LabClusterJson> {
    let one = |cluster: &ClusterStatus| LabClusterJson {
        answers: cluster.answers,
        voters: voters(cluster),
        nodes: cluster.nodes.iter().map(node).collect(),
        snapshots: cluster.snapshots.clone(),
        workloads: cluster.workloads.iter().map(workloads).collect(),
    };
    status.clusters.iter().map(one).collect()
}

fn node(node: &crate::lab::NodeStatus) -> LabNodeJson {
    LabNodeJson {
        name: node.name.clone(),
        role: node.role.clone(),
        ready: node.ready,
        cordoned: node.cordoned,
        version: node.version.clone(),
        provider_id: node.provider_id.clone(),
        member: node.member.clone(),
        pods: u64::try_from(node.pods).unwrap_or(u64::MAX),
    }
}

fn workloads(status: &WorkloadStatus) -> LabWorkloadsJson {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    LabWorkloadsJson {
        namespace: status.namespace.clone(),
        desired: count(status.desired),
        ready: count(status.ready),
        waiting: status.waiting.clone(),
    }
}

fn voters(cluster: &ClusterStatus) -> u64 {
    cluster.nodes.iter().map(|node| u64::from(node.member == "voter")).sum()
}

/// Hosts, a line each.
pub fn text(hosts: &[LabHostJson]) -> String {
    let line = |host: &LabHostJson| {
        let LabHostJson { name, address, boots, connections, commands, .. } = host;
        let state = match (host.answers, host.port) {
            (false, _) => "does not answer".to_owned(),
            (true, Some(port)) => format!("port {port}"),
            (true, None) => "answers".to_owned(),
        };
        format!(
            "  {name:<20}{address:<16}{state} · boots {boots}, connections {connections}, commands {commands}\n"
        )
    };
    hosts.iter().map(line).collect()
}

/// Clusters: what they are, then their nodes, then what runs on them.
pub fn cluster_text(clusters: &[LabClusterJson]) -> String {
    let node = |node: &LabNodeJson| {
        let ready = if node.ready { "ready" } else { "not ready" };
        let cordoned = if node.cordoned { ", cordoned" } else { "" };
        let member = if node.member.is_empty() { "" } else { " " };
        format!(
            "  {:<20}{:<16}{ready}{cordoned} · {}{member}{}, pods {}\n",
            node.name, node.role, node.version, node.member, node.pods
        )
    };
    let space = |space: &LabWorkloadsJson| {
        let LabWorkloadsJson { namespace, ready, desired, waiting } = space;
        let waiting: String = waiting.iter().map(|pod| format!("    {pod}\n")).collect();
        format!("  {namespace:<20}{:<16}{ready} of {desired} ready\n{waiting}", "pods")
    };
    let one = |cluster: &LabClusterJson| {
        let answers = if cluster.answers { "answers" } else { "does not answer" };
        let nodes: String = cluster.nodes.iter().map(node).collect();
        let workloads: String = cluster.workloads.iter().map(space).collect();
        let count = cluster.nodes.len();
        format!(
            "k3s cluster: its API {answers}, nodes {count}, voters {}:\n{nodes}{workloads}",
            cluster.voters
        )
    };
    clusters.iter().map(one).collect()
}
