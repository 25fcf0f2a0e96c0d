//! A server without data: it makes a cluster, or joins one.

use std::collections::{BTreeMap, BTreeSet};

use super::arguments::Arguments;
use super::audit::Happened;
use super::cluster::{Cluster, Clusters};
use super::effect::{Changed, Draft};
use super::files;
use super::ids::{self, Hidden};
use super::journal;
use super::member::Member;
use super::registration;
use super::start::{Refused, Start, Started};
use super::token::{Grant, Token};
use super::unsettled::Unsettled;
use crate::lab::kubernetes::{Store, authority};

/// What k3s says before the cause when a server cannot start.
pub(super) const PREPARING: &str = "starting kubernetes: preparing server:";

/// Makes a new cluster, whatever other clusters there are.
pub(super) fn begin(clusters: &Clusters, start: &Start<'_>, seed: u64) -> Result<Started, Refused> {
    let arguments = Arguments(start.arguments);
    let generation = clusters.all.len().to_string();
    let id = format!("cluster-{}", ids::short(seed, &["cluster", start.host, &generation], 8));
    let drawn = || ids::hex(&ids::digest(seed, &["token", &id])[..16]);
    let token = match arguments.text("token").map(Token::read) {
        None => drawn(),
        Some(Some(token)) if token.ca_hash.is_none() => token.password.to_owned(),
        Some(_) => {
            let text = "failed to normalize server token; must be in format K10<CA-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>";
            return Err(Refused::for_good(journal::fatal(start.now_ms, text)));
        }
    };
    let ca = authority(seed, &id).map_err(|error| {
        let text = format!("{PREPARING} failed to generate server-ca: {error}");
        Refused::for_good(journal::fatal(start.now_ms, &text))
    })?;
    let cluster = Cluster {
        unsettled: Unsettled::default(),
        ca,
        id,
        seed,
        token: Hidden(token),
        agent_token: arguments.text("agent-token").map(|token| Hidden(token.to_owned())),
        etcd: arguments.flag("cluster-init"),
        critical: arguments.critical(),
        members: BTreeMap::new(),
        nodes: BTreeMap::new(),
        passwords: BTreeMap::new(),
        strays: BTreeSet::new(),
        snapshots: Vec::new(),
        bootstrap: BTreeMap::new(),
        audit: Vec::new(),
        store: Store::default(),
        revision: 0,
    };
    registration::admit(&cluster, start)?;
    let mut draft = Draft::born(cluster);
    draft.note(start.now_ms, &arguments.node_name(start.hostname), Happened::Born);
    if draft.cluster.etcd {
        let member = member(&draft.cluster, start, Some(start.now_ms));
        draft.change(Changed::Member(member));
    }
    registration::register(clusters, &mut draft, start);
    let line = format!("Starting k3s {}", start.version);
    Ok(done(draft, start, line))
}

/// Joins the cluster behind the `server` argument.
pub(super) fn start(clusters: &Clusters, start: &Start<'_>) -> Result<Started, Refused> {
    let now_ms = start.now_ms;
    let server = url_host(start)?;
    let fatal = |text: String| journal::fatal(now_ms, &format!("{PREPARING} {text}"));
    let token = Arguments(start.arguments).text("token");
    let token = token.ok_or_else(|| Refused::for_good(fatal("--token is required".to_owned())))?;
    let cluster = reach(clusters, start, &server).map_err(|text| Refused::for_now(fatal(text)))?;
    allowed(cluster, token, &server, now_ms).map_err(|text| Refused::for_good(fatal(text)))?;
    if !cluster.answers(now_ms) {
        let text =
            format!("https://{server}:6443/v1-k3s/server-bootstrap: 503 Service Unavailable");
        return Err(Refused::for_now(fatal(text)));
    }
    same_flags(cluster, start)?;
    welcome(cluster, start)?;
    registration::admit(cluster, start)?;
    let mut draft = Draft::of(cluster);
    let voter_from_ms = now_ms.saturating_add(clusters.pace.promote_ms);
    let member = member(&draft.cluster, start, Some(voter_from_ms));
    let line = format!("Adding member {} to etcd cluster", member.name);
    draft.change(Changed::Member(member));
    registration::register(clusters, &mut draft, start);
    Ok(done(draft, start, line))
}

/// The host in the `server` argument.
pub(super) fn url_host(start: &Start<'_>) -> Result<String, Refused> {
    let url = Arguments(start.arguments).text("server").unwrap_or_default();
    let host = url.strip_prefix("https://").map(|rest| {
        let rest = rest.split('/').next().unwrap_or_default();
        let bare = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
        bare.trim_start_matches('[').trim_end_matches(']').to_owned()
    });
    host.filter(|host| !host.is_empty()).ok_or_else(|| {
        let text = "starting kubernetes: preparing server: Initial server URL host is not defined";
        Refused::for_good(journal::fatal(start.now_ms, text))
    })
}

/// The cluster behind a host, as far as packets get; the error is what the client sees.
pub(super) fn reach<'a>(
    clusters: &'a Clusters,
    start: &Start<'_>,
    host: &str,
) -> Result<&'a Cluster, String> {
    let found = clusters.behind(host).filter(|(_, node)| (start.can_reach)(&node.address));
    found.map(|(cluster, _)| cluster).ok_or_else(|| {
        let there = (start.can_reach)(host);
        let why = if there { "connect: connection refused" } else { "i/o timeout" };
        format!(
            "failed to get CA certs: Get \"https://{host}:6443/cacerts\": dial tcp {host}:6443: {why}"
        )
    })
}

/// Critical flags are compared with those of the cluster.
pub(super) fn same_flags(cluster: &Cluster, start: &Start<'_>) -> Result<(), Refused> {
    let wanted = Arguments(start.arguments).critical();
    let differs = |(name, value): &(&String, &String)| cluster.critical.get(*name) != Some(*value);
    let names: Vec<&String> = wanted.iter().filter(differs).map(|(name, _)| name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let warn = |name: &&String| {
        journal::warning(start.now_ms, &format!("critical configuration mismatched: {name}"))
    };
    let text = format!(
        "{PREPARING} failed to validate server configuration: critical configuration value mismatch between servers"
    );
    let mut lines: Vec<String> = names.iter().map(warn).collect();
    lines.push(journal::fatal(start.now_ms, &text));
    Err(Refused { journal: lines, retries: false, effects: Vec::new() })
}

fn allowed(cluster: &Cluster, token: &str, server: &str, now_ms: u64) -> Result<(), String> {
    let token = Token::read(token).ok_or("invalid token format")?;
    if let Some(text) = token.mismatch(cluster) {
        return Err(text);
    }
    let status = match token.grant(cluster, now_ms) {
        Grant::Servers if cluster.etcd => return Ok(()),
        Grant::Agents => "403 Forbidden",
        // A first server without cluster-init has nothing to join.
        Grant::Servers | Grant::Nobody => "401 Unauthorized",
    };
    Err(format!("https://{server}:6443/v1-k3s/server-bootstrap: {status}"))
}

/// Whether etcd takes one more member now.
fn welcome(cluster: &Cluster, start: &Start<'_>) -> Result<(), Refused> {
    let now_ms = start.now_ms;
    let name = Arguments(start.arguments).node_name(start.hostname);
    let joining = format!("{PREPARING} start managed database: joining etcd cluster:");
    if cluster.members.contains_key(&name) {
        let lines = [
            journal::error(now_ms, "Failed to join etcd cluster due to duplicate node name"),
            journal::fatal(
                now_ms,
                &format!(
                    "{joining} duplicate node name found, please use a unique name for this node"
                ),
            ),
        ];
        return Err(Refused { journal: lines.to_vec(), retries: true, effects: Vec::new() });
    }
    if cluster.members.values().any(|member| member.up && !member.is_voter(now_ms)) {
        let text = "Waiting for other members to finish joining etcd cluster: etcdserver: too many learner members in cluster";
        return Err(Refused::for_now(journal::info(now_ms, text)));
    }
    if cluster.members.values().any(|member| !member.up || !(start.can_reach)(&member.address)) {
        let text = format!("{joining} etcdserver: unhealthy cluster");
        return Err(Refused::for_now(journal::fatal(now_ms, &text)));
    }
    Ok(())
}

/// The member that this host becomes.
pub(super) fn member(cluster: &Cluster, start: &Start<'_>, voter_from_ms: Option<u64>) -> Member {
    let arguments = Arguments(start.arguments);
    let node = arguments.node_name(start.hostname);
    let revision = cluster.revision.to_string();
    let suffix = ids::short(cluster.seed, &[&cluster.id, "member", &node, &revision], 8);
    Member {
        host: start.host.to_owned(),
        name: format!("{node}-{suffix}"),
        node,
        address: arguments.node_ip(start.address).to_owned(),
        since_ms: start.now_ms,
        voter_from_ms,
        up: true,
    }
}

fn done(draft: Draft, start: &Start<'_>, line: String) -> Started {
    Started {
        data: draft.cluster.id.clone(),
        files: files::of(&draft.cluster, start),
        journal: vec![journal::info(start.now_ms, &line)],
        effects: draft.effects,
    }
}
