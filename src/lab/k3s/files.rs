//! Files that k3s writes when it starts.

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::ids;
use super::start::{Role, Start};
use crate::lab::kubernetes::kubeconfig;

/// Path, content, mode.
type File = (String, String, u32);

/// What lies on a host's disk after a start.
pub(super) fn of(cluster: &Cluster, start: &Start<'_>) -> Vec<File> {
    let arguments = Arguments(start.arguments);
    let dir = arguments.data_dir();
    let leaf = |name: &str| ids::certificate(cluster.seed, &[&cluster.id, start.host, name]);
    let mut files = vec![
        (format!("{dir}/agent/server-ca.crt"), cluster.ca.clone(), 0o644),
        (format!("{dir}/agent/client-kubelet.crt"), leaf("client-kubelet"), 0o600),
        (format!("{dir}/agent/serving-kubelet.crt"), leaf("serving-kubelet"), 0o600),
    ];
    if start.role == Role::Server {
        files.extend(of_server(cluster, start, dir));
    }
    files
}

fn of_server(cluster: &Cluster, start: &Start<'_>, dir: &str) -> Vec<File> {
    let arguments = Arguments(start.arguments);
    let hash = cluster.ca_hash();
    let server = format!("K10{hash}::server:{}\n", cluster.token.0);
    let agent = match &cluster.agent_token {
        Some(token) => format!("K10{hash}::node:{}\n", token.0),
        None => server.clone(),
    };
    let mode = arguments.text("write-kubeconfig-mode").unwrap_or("0600");
    let mode = u32::from_str_radix(mode, 8).unwrap_or(0o600) & 0o777;
    let kubeconfig = arguments.text("write-kubeconfig").unwrap_or("/etc/rancher/k3s/k3s.yaml");
    let name = arguments.node_name(start.hostname);
    let database = match cluster.members.get(&name) {
        Some(member) => (format!("{dir}/server/db/etcd/name"), member.name.clone(), 0o600),
        None => (format!("{dir}/server/db/state.db"), "SQLite format 3\0".to_owned(), 0o600),
    };
    vec![
        (format!("{dir}/server/token"), server.clone(), 0o600),
        (format!("{dir}/server/node-token"), server, 0o600),
        (format!("{dir}/server/agent-token"), agent, 0o600),
        (format!("{dir}/server/tls/server-ca.crt"), cluster.ca.clone(), 0o644),
        database,
        (kubeconfig.to_owned(), admin(cluster, start), mode),
    ]
}

fn admin(cluster: &Cluster, start: &Start<'_>) -> String {
    let port = Arguments(start.arguments).text("https-listen-port").unwrap_or("6443");
    let server = format!("https://127.0.0.1:{port}");
    kubeconfig(cluster, &server, start.now_ms).unwrap_or_default()
}
