//! Agents: they ask a server who they may be.

use super::arguments::Arguments;
use super::cluster::{Cluster, Clusters};
use super::effect::Draft;
use super::files;
use super::join;
use super::journal;
use super::registration;
use super::start::{Refused, Start, Started};
use super::token::{Grant, Token};

/// Starts an agent. One that has data also knows the other servers of its cluster.
pub(super) fn start(clusters: &Clusters, start: &Start<'_>) -> Result<Started, Refused> {
    let now_ms = start.now_ms;
    let missing = |text: &str| Refused::for_good(journal::fatal(now_ms, text));
    let arguments = Arguments(start.arguments);
    if arguments.text("server").is_none() {
        return Err(missing("--server is required"));
    }
    let token = arguments.text("token").ok_or_else(|| missing("--token is required"))?;
    let host = join::url_host(start)?;
    let cluster = match join::reach(clusters, start, &host) {
        Ok(cluster) => cluster,
        Err(text) => known_server(clusters, start)
            .ok_or_else(|| Refused::for_now(journal::error(now_ms, &text)))?,
    };
    allowed(cluster, start, token)?;
    registration::admit(cluster, start)?;
    Ok(Started {
        data: cluster.id.clone(),
        files: files::of(cluster, start),
        journal: vec![journal::info(now_ms, &format!("Starting k3s agent {}", start.version))],
        effects: registration::effects(clusters, Draft::of(cluster), start),
    })
}

/// The agent's load balancer remembers all servers that it was ever told of.
fn known_server<'a>(clusters: &'a Clusters, start: &Start<'_>) -> Option<&'a Cluster> {
    let cluster = clusters.get(start.data?)?;
    cluster.servers_up().any(|node| (start.can_reach)(&node.address)).then_some(cluster)
}

fn allowed(cluster: &Cluster, start: &Start<'_>, token: &str) -> Result<(), Refused> {
    let now_ms = start.now_ms;
    let wrong = |text: &str| Err(Refused::for_now(journal::error(now_ms, text)));
    let Some(token) = Token::read(token) else { return wrong("invalid token format") };
    if let Some(text) = token.mismatch(cluster) {
        return wrong(&text);
    }
    if start.data.is_some_and(|data| data != cluster.id) {
        return wrong(
            "Failed to retrieve agent config: Get \"https://127.0.0.1:6444/v1-k3s/config\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
        );
    }
    if token.grant(cluster, now_ms) == Grant::Nobody {
        return wrong(
            "Failed to retrieve agent config: https://127.0.0.1:6444/v1-k3s/serving-kubelet.crt: 401 Unauthorized",
        );
    }
    if !cluster.answers(now_ms) {
        return wrong(
            "Waiting to retrieve agent configuration; server is not ready: https://127.0.0.1:6444/v1-k3s/readyz: 503 Service Unavailable",
        );
    }
    Ok(())
}
