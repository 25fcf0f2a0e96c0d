//! How a kubelet's Node comes to be, and comes back.

use std::collections::BTreeMap;

use super::arguments::Arguments;
use super::audit::Happened;
use super::cluster::{Cluster, Clusters, Pace};
use super::effect::{Changed, ClusterEffect, Draft};
use super::ids;
use super::journal;
use super::node::{Node, Taint, UNINITIALIZED};
use super::start::{Refused, Role, Start};
use super::version::Version;

/// Whether the cluster lets this node register.
///
/// # Errors
///
/// A name that is none, a node of that name with another password, another provider id than the
/// Node's, Docker asked for and not there.
pub(super) fn admit(cluster: &Cluster, start: &Start<'_>) -> Result<(), Refused> {
    let arguments = Arguments(start.arguments);
    let name = arguments.node_name(start.hostname);
    let now_ms = start.now_ms;
    if !is_name(&name) {
        let text = format!(
            "\"Unable to register node with API server\" err=\"Node \\\"{name}\\\" is invalid: metadata.name: Invalid value: \\\"{name}\\\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character\" node=\"{name}\""
        );
        return Err(Refused::for_good(journal::kubelet(now_ms, &text)));
    }
    if arguments.flag("docker") && start.docker.is_none() {
        let text = "cri-dockerd: failed to get docker version from dockerd: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        return Err(Refused::for_now(journal::fatal(now_ms, text)));
    }
    let known = cluster.passwords.get(&name);
    if known.is_some_and(|digest| *digest != ids::sha256(start.node_password)) {
        let text = "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd entry, try enabling a unique node name with the --with-node-id flag";
        return Err(Refused::for_now(journal::error(now_ms, text)));
    }
    let before = cluster.nodes.get(&name).map_or("", |node| node.provider_id.as_str());
    let wanted = arguments.kubelet("provider-id").unwrap_or(before);
    if !before.is_empty() && before != wanted {
        let text = format!(
            "\"Unable to register node with API server\" err=\"Node \\\"{name}\\\" is invalid: spec.providerID: Forbidden: node updates may not change providerID except from \\\"\\\" to valid\" node=\"{name}\""
        );
        return Err(Refused::for_now(journal::kubelet(now_ms, &text)));
    }
    Ok(())
}

/// Registers an admitted node, or brings its Node up to date, with notes.
pub(super) fn register(clusters: &Clusters, draft: &mut Draft, start: &Start<'_>) {
    let name = Arguments(start.arguments).node_name(start.hostname);
    let before = draft.cluster.nodes.get(&name).cloned();
    let node = node(&draft.cluster, clusters.pace, start, before.as_ref());
    note(draft, start, before.as_ref(), &node);
    draft.change(Changed::Node(Box::new(node)));
    let digest = ids::sha256(start.node_password);
    if draft.cluster.passwords.get(&name) != Some(&digest) {
        draft.change(Changed::Password { node: name.clone(), digest });
    }
}

/// Effects of an admitted start on a standing cluster whose members are settled.
pub(super) fn effects(
    clusters: &Clusters,
    mut draft: Draft,
    start: &Start<'_>,
) -> Vec<ClusterEffect> {
    register(clusters, &mut draft, start);
    draft.effects
}

fn node(cluster: &Cluster, pace: Pace, start: &Start<'_>, before: Option<&Node>) -> Node {
    let arguments = Arguments(start.arguments);
    let name = arguments.node_name(start.hostname);
    let server = start.role == Role::Server;
    let provider_id = before.map(|node| node.provider_id.clone()).unwrap_or_default();
    let wanted = arguments.kubelet("provider-id").unwrap_or_default();
    let generation = cluster.revision.to_string();
    let host = [cluster.id.as_str(), start.host, generation.as_str()];
    Node {
        uid: before.map_or_else(|| ids::uuid(cluster.seed, &host), |node| node.uid.clone()),
        host: start.host.to_owned(),
        hostname: start.hostname.to_owned(),
        address: arguments.node_ip(start.address).to_owned(),
        server,
        born_ms: before.map_or(start.now_ms, |node| node.born_ms),
        labels: labels(cluster, start, &name, before),
        annotations: annotations(cluster, start, &name, before),
        provider_id: if provider_id.is_empty() { wanted.to_owned() } else { provider_id },
        taints: before.map_or_else(|| taints(arguments), |node| node.taints.clone()),
        unschedulable: before.is_some_and(|node| node.unschedulable),
        version: start.version.to_owned(),
        runtime: runtime(start),
        system_uuid: start.machine_uuid.to_lowercase(),
        machine_id: start.machine_id.to_owned(),
        boot_id: ids::uuid(cluster.seed, &["boot", start.host]),
        pod_cidr: before.map_or_else(|| pod_cidr(cluster), |node| node.pod_cidr.clone()),
        names: arguments.list("tls-san").map(str::to_owned).collect(),
        running: true,
        cut: false,
        since_ms: start.now_ms,
        ready_from_ms: start.now_ms.saturating_add(pace.ready_ms),
        revision: 0,
        name,
    }
}

/// k3s manages its role labels and those of `node-label`; the rest is left as it was. The master
/// label is not given to new nodes from 1.34 on (k3s#11117).
fn labels(
    cluster: &Cluster,
    start: &Start<'_>,
    name: &str,
    before: Option<&Node>,
) -> BTreeMap<String, String> {
    let arguments = Arguments(start.arguments);
    let mut labels = before.map(|node| node.labels.clone()).unwrap_or_default();
    let mut put = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
    for prefix in ["beta.kubernetes.io", "kubernetes.io"] {
        put(&format!("{prefix}/arch"), "amd64");
        put(&format!("{prefix}/os"), "linux");
    }
    put("kubernetes.io/hostname", name);
    if start.role == Role::Server {
        put("node-role.kubernetes.io/control-plane", "true");
        if cluster.members.contains_key(name) {
            put("node-role.kubernetes.io/etcd", "true");
        }
        if before.is_none() && Version::read(start.version).line() < (1, 34) {
            put("node-role.kubernetes.io/master", "true");
        }
    }
    if arguments.kubelet("cloud-provider") != Some("external") {
        put("beta.kubernetes.io/instance-type", "k3s");
        put("node.kubernetes.io/instance-type", "k3s");
    }
    for label in arguments.list("node-label") {
        let (key, value) = label.split_once('=').unwrap_or((label, ""));
        put(key, value);
    }
    labels
}

fn annotations(
    cluster: &Cluster,
    start: &Start<'_>,
    name: &str,
    before: Option<&Node>,
) -> BTreeMap<String, String> {
    let arguments = Arguments(start.arguments);
    let role = if start.role == Role::Server { "server" } else { "agent" };
    let mut annotations = before.map(|node| node.annotations.clone()).unwrap_or_default();
    let mut put = |key: &str, value: &str| annotations.insert(key.to_owned(), value.to_owned());
    let address = arguments.node_ip(start.address);
    put("k3s.io/node-args", &arguments.node_args(role));
    put("k3s.io/node-env", "{}");
    put("k3s.io/node-config-hash", &arguments.config_hash(role));
    put("k3s.io/hostname", name);
    put("k3s.io/internal-ip", address);
    put("node.alpha.kubernetes.io/ttl", "0");
    put("volumes.kubernetes.io/controller-managed-attach-detach", "true");
    if arguments.text("node-ip").is_some() {
        put("alpha.kubernetes.io/provided-node-ip", address);
    }
    if let Some(member) = cluster.members.get(name) {
        put("etcd.k3s.cattle.io/node-name", &member.name);
        put("etcd.k3s.cattle.io/node-address", &member.address);
    }
    annotations
}

fn taints(arguments: Arguments<'_>) -> Vec<Taint> {
    let mut taints: Vec<Taint> = arguments.list("node-taint").filter_map(Taint::read).collect();
    if arguments.kubelet("cloud-provider") == Some("external") {
        taints.extend(Taint::read(&format!("{UNINITIALIZED}=true:NoSchedule")));
    }
    taints
}

fn runtime(start: &Start<'_>) -> String {
    if Arguments(start.arguments).flag("docker") {
        return format!("docker://{}", start.docker.unwrap_or_default());
    }
    let containerd = match Version::read(start.version).line() {
        line if line < (1, 32) => "1.7.6-k3s1",
        line if line < (1, 36) => "2.1.5-k3s1",
        _ => "2.3.4-k3s1.36",
    };
    format!("containerd://{containerd}")
}

/// The lowest free /24 of the cluster's network.
fn pod_cidr(cluster: &Cluster) -> String {
    let network = cluster.critical.get("cluster-cidr").map_or("10.42.0.0/16", String::as_str);
    let lead: Vec<&str> = network.split('.').take(2).collect();
    let free = |number: &u32| {
        let text = format!("{}.{number}.0/24", lead.join("."));
        (!cluster.nodes.values().any(|node| node.pod_cidr == text)).then_some(text)
    };
    (0..256).find_map(|number| free(&number)).unwrap_or_default()
}

fn note(draft: &mut Draft, start: &Start<'_>, before: Option<&Node>, node: &Node) {
    let (now_ms, to) = (start.now_ms, node.version.clone());
    let Some(before) = before else {
        let what = Happened::Joined { server: node.server, version: to };
        draft.note(now_ms, &node.name, what);
        return note_skew(draft, node, now_ms);
    };
    let from = before.version.clone();
    let (old, new) = (Version::read(&from), Version::read(&to));
    let version = to.clone();
    draft.note(now_ms, &node.name, Happened::Started { server: node.server, version });
    if new < old {
        draft.note(now_ms, &node.name, Happened::Downgraded { from, to });
    } else if new.major != old.major || new.minor > old.minor + 1 {
        draft.note(now_ms, &node.name, Happened::SkippedMinor { from, to });
    }
    note_skew(draft, node, now_ms);
}

/// A kubelet must not be newer than any API server, and servers are at most one minor apart.
fn note_skew(draft: &mut Draft, node: &Node, now_ms: u64) {
    let own = Version::read(&node.version);
    let other = draft.cluster.servers_up().find(|other| {
        let server = Version::read(&other.version);
        let apart = own.major != server.major || own.minor.abs_diff(server.minor) > 1;
        other.name != node.name && if node.server { apart } else { own.line() > server.line() }
    });
    if let Some(other) = other.map(|other| other.version.clone()) {
        let version = node.version.clone();
        draft.note(now_ms, &node.name, Happened::Skew { version, other });
    }
}

fn is_name(name: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    !name.is_empty()
        && name.len() <= 63
        && name.chars().all(|letter| inner(letter) || letter == '-' || letter == '.')
        && name.starts_with(inner)
        && name.ends_with(inner)
}
