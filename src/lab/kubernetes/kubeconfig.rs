//! The administrator's kubeconfig.

use super::certificates::{Leaf, Signed, leaf};
use crate::lab::k3s::{Cluster, ids};

/// How long k3s's client certificates are good.
pub(in crate::lab) const YEAR_MS: u64 = 365 * 24 * 3_600_000;

const HOUR_MS: u64 = 3_600_000;

/// A kubeconfig that nobody renewed in time: its client certificate ended an hour ago.
///
/// # Errors
/// What rcgen says.
pub(in crate::lab) fn ended(
    cluster: &Cluster,
    server: &str,
    now_ms: u64,
) -> Result<String, rcgen::Error> {
    kubeconfig(cluster, server, now_ms.saturating_sub(YEAR_MS + HOUR_MS))
}

/// A kubeconfig with a client certificate, good for a year from a moment on.
///
/// # Errors
/// What rcgen says.
pub(in crate::lab) fn kubeconfig(
    cluster: &Cluster,
    server: &str,
    now_ms: u64,
) -> Result<String, rcgen::Error> {
    // k3s sets the clock of new certificates back, for hosts whose clocks differ a little.
    let from_ms = now_ms.saturating_sub(HOUR_MS);
    let until_ms = now_ms.saturating_add(YEAR_MS);
    let (name, group) = ("system:admin", "system:masters");
    let admin = Leaf { name, group, names: Vec::new(), from_ms, until_ms };
    let Signed { certificate, key } = leaf(cluster.seed, &cluster.id, &admin)?;
    let encoded = |pem: &str| ids::base64(pem.as_bytes());
    let (ca, certificate, key) = (encoded(&cluster.ca), encoded(&certificate), encoded(&key));
    Ok(format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: {server}\n  name: default\ncontexts:\n- context:\n    cluster: default\n    user: default\n  name: default\ncurrent-context: default\nkind: Config\nusers:\n- name: default\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"
    ))
}
