//! Whether a node still reports to the cluster after something that may have cut it off.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::kubectl::Servers;
use crate::provider::BoxFuture;
use crate::provider::host::Failure;

/// How long a server may take to show one object.
const ANSWER: Duration = Duration::from_secs(15);
/// A kubelet renews its node's lease every ten seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A node before the change.
pub struct Heart<'a> {
    servers: Servers<'a>,
    /// `None` where there is no node that was Ready.
    node: Option<String>,
    /// Whether a server shows its lease.
    has_lease: bool,
    /// How long it may take to be heard of again.
    patience: Duration,
}

impl<'a> Heart<'a> {
    /// Looks at the node of that name.
    pub async fn of(servers: Servers<'a>, name: Option<String>, patience: Duration) -> Self {
        let mut heart = Self { servers, node: name, has_lease: false, patience };
        if !heart.is_ready().await {
            heart.node = None;
        }
        heart.has_lease = heart.renewed().await.is_some();
        heart
    }

    /// Waits until the node has renewed its lease since the call, and is Ready. A node that was not
    /// Ready before is not waited for.
    ///
    /// # Errors
    /// It was not heard of in time.
    pub fn still_beats(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async {
            let Some(node) = &self.node else { return Ok(()) };
            let (end, mut pause) = (Instant::now() + self.patience, Duration::from_millis(100));
            let mut first = None;
            loop {
                let renewed = self.renewed().await;
                let beats =
                    !self.has_lease || first.is_some() && renewed.is_some() && renewed != first;
                if beats && self.is_ready().await {
                    return Ok(());
                }
                if Instant::now() >= end {
                    return Err(Failure::refused(
                        format!("with the new rules node {node} no longer reports to the cluster"),
                        "let the rules open what nodes need among themselves",
                    ));
                }
                first = first.or(renewed);
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            }
        })
    }

    async fn is_ready(&self) -> bool {
        let Some(node) = &self.node else { return false };
        let cluster = self.servers.cluster().await;
        cluster.and_then(|cluster| Some(cluster.node(node)?.ready)).unwrap_or(false)
    }

    /// When the lease was last renewed, in the cluster's own words.
    async fn renewed(&self) -> Option<String> {
        let node = self.node.as_deref()?;
        let words = ["get", "lease", node, "-n", "kube-node-lease", "-o", "json"];
        let lease = self.servers.kubectl(&words, ANSWER).await.ok()?;
        let lease: Json = serde_json::from_str(&lease).ok()?;
        lease["spec"]["renewTime"].as_str().map(str::to_owned)
    }
}
