//! A machine's node in the cluster: closed, emptied, opened, removed.

use std::time::Duration;

use super::cluster::{CORDONED, Node};
use super::kubectl::Servers;
use crate::provider::host::Failure;

/// How long kubectl may take where it waits for nothing.
const SHORT: Duration = Duration::from_secs(60);

/// Closes a node to new pods and moves those that are on it. A node that somebody else closed
/// stays theirs: it gets no annotation, so that nobody opens it afterwards.
///
/// # Errors
/// Any [`Failure`]; where pods do not go, kubectl's words name them.
pub async fn drain(
    servers: &Servers<'_>,
    name: &str,
    node: &Node,
    lineage: &str,
    timeout: Duration,
) -> Result<(), Failure> {
    if !node.unschedulable || node.cordoned {
        // First the sign, then the deed: a cordon without its sign would look like somebody else's.
        let sign = format!("{CORDONED}={lineage}");
        servers.kubectl(&["annotate", "node", name, &sign, "--overwrite"], SHORT).await?;
        servers.kubectl(&["cordon", name], SHORT).await?;
    }
    let limit = format!("--timeout={}s", timeout.as_secs());
    let words = ["drain", name, "--ignore-daemonsets", "--delete-emptydir-data", &limit];
    servers.kubectl(&words, timeout + SHORT).await.map(drop).map_err(|failure| match failure {
        Failure::Host(error) => Failure::later(
            error.to_string(),
            format!(
                "pods that do not go are named above: look at their PodDisruptionBudgets, and at \
                 pods that nothing would start again, which boma never removes; \
                 `kubectl drain {name} --ignore-daemonsets --delete-emptydir-data` shows the same"
            ),
        ),
        failure => failure,
    })
}

/// Opens a node that boma closed.
///
/// # Errors
/// Any [`Failure`].
pub async fn uncordon(servers: &Servers<'_>, name: &str, node: &Node) -> Result<(), Failure> {
    if !node.cordoned {
        return Ok(());
    }
    servers.kubectl(&["uncordon", name], SHORT).await?;
    let sign = format!("{CORDONED}-");
    servers.kubectl(&["annotate", "node", name, &sign], SHORT).await.map(drop)
}

/// Deletes a node; k3s takes its etcd member and its password away with it (k3s issue 9817).
///
/// # Errors
/// Any [`Failure`].
pub async fn expel(servers: &Servers<'_>, name: &str) -> Result<(), Failure> {
    match servers.kubectl(&["delete", "node", name], SHORT * 2).await {
        Err(Failure::Host(error)) if error.to_string().contains("NotFound") => Ok(()),
        outcome => outcome.map(drop),
    }
}
