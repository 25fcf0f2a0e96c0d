//! A server that has data: `cluster-init` and `server` mean nothing to it.

use super::arguments::Arguments;
use super::audit::Happened;
use super::cluster::{Cluster, Clusters};
use super::effect::{Changed, Draft};
use super::files;
use super::join::{self, PREPARING};
use super::journal;
use super::member::Member;
use super::registration;
use super::start::{Refused, Start, Started};
use super::token::Token;
use super::version::Version;

/// Starts it again in the cluster of its data.
pub(super) fn start(
    clusters: &Clusters,
    start: &Start<'_>,
    data: &str,
) -> Result<Started, Refused> {
    let now_ms = start.now_ms;
    let cluster = clusters.get(data).ok_or_else(|| {
        let text = "start managed database: failed to open the data directory: wal: crc mismatch";
        Refused::for_good(journal::fatal(now_ms, &format!("{PREPARING} {text}")))
    })?;
    known_token(cluster, start)?;
    no_downgrade(cluster, start)?;
    let mut draft = Draft::of(cluster);
    flags(&mut draft, start)?;
    registration::admit(cluster, start)?;
    if cluster.etcd {
        let member = own_member(cluster, start)?;
        let promoted = now_ms.saturating_add(clusters.pace.promote_ms);
        let voter_from_ms = member.voter_from_ms.or(Some(promoted));
        draft.change(Changed::Member(Member { up: true, voter_from_ms, ..member.clone() }));
        quorum(&mut draft, start)?;
    } else if Arguments(start.arguments).flag("cluster-init") {
        draft.change(Changed::Etcd);
        let member = join::member(&draft.cluster, start, Some(now_ms));
        draft.change(Changed::Member(member));
    }
    registration::register(clusters, &mut draft, start);
    Ok(Started {
        data: draft.cluster.id.clone(),
        files: files::of(&draft.cluster, start),
        journal: vec![journal::info(now_ms, &format!("Starting k3s {}", start.version))],
        effects: draft.effects,
    })
}

/// Without a token k3s takes the one in its data directory.
fn known_token(cluster: &Cluster, start: &Start<'_>) -> Result<(), Refused> {
    let Some(text) = Arguments(start.arguments).text("token") else { return Ok(()) };
    match Token::read(text) {
        Some(token) if token.password == cluster.token.0 => Ok(()),
        _ => {
            let text = format!(
                "{PREPARING} bootstrap data already found and encrypted with different token"
            );
            Err(Refused::for_good(journal::fatal(start.now_ms, &text)))
        }
    }
}

/// etcd and the API server do not open data of a newer minor.
fn no_downgrade(cluster: &Cluster, start: &Start<'_>) -> Result<(), Refused> {
    let name = Arguments(start.arguments).node_name(start.hostname);
    let before = cluster.nodes.get(&name).map_or("", |node| node.version.as_str());
    let (old, new) = (Version::read(before), Version::read(start.version));
    if new.line() >= old.line() {
        return Ok(());
    }
    let text = format!(
        "{PREPARING} start managed database: etcd: cluster cannot be downgraded (current version: {}, determined cluster version: {before})",
        start.version
    );
    Err(Refused::for_good(journal::fatal(start.now_ms, &text)))
}

/// Critical flags count while another server runs. The only one that runs may change them.
fn flags(draft: &mut Draft, start: &Start<'_>) -> Result<(), Refused> {
    let cluster = &draft.cluster;
    let name = Arguments(start.arguments).node_name(start.hostname);
    if cluster.servers_up().any(|node| node.name != name) {
        return join::same_flags(cluster, start);
    }
    let wanted = Arguments(start.arguments).critical();
    let differs = |(name, value): &(&String, &String)| cluster.critical.get(*name) != Some(*value);
    let flags: Vec<String> = wanted.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    if !flags.is_empty() {
        draft.change(Changed::Critical(wanted));
        draft.note(start.now_ms, &name, Happened::CriticalChanged { flags });
    }
    Ok(())
}

fn own_member<'a>(cluster: &'a Cluster, start: &Start<'_>) -> Result<&'a Member, Refused> {
    let name = Arguments(start.arguments).node_name(start.hostname);
    let own = cluster.members.values().find(|member| member.host == start.host);
    own.or_else(|| cluster.members.get(&name)).ok_or_else(|| {
        let text = format!(
            "{PREPARING} start managed database: this server has been removed from the etcd cluster: the member has been permanently removed from the cluster; delete {}/server/db to join again",
            Arguments(start.arguments).data_dir()
        );
        Refused::for_good(journal::fatal(start.now_ms, &text))
    })
}

/// Without a quorum the member runs and waits, and counts for the others.
fn quorum(draft: &mut Draft, start: &Start<'_>) -> Result<(), Refused> {
    let now_ms = start.now_ms;
    let cluster = &draft.cluster;
    let meets = |member: &&Member| {
        let own = member.host == start.host;
        member.up && member.is_voter(now_ms) && (own || (start.can_reach)(&member.address))
    };
    if cluster.members.values().filter(meets).count() >= cluster.quorum(now_ms) {
        return Ok(());
    }
    let lines = [
        journal::info(now_ms, "Waiting for etcd server to become available"),
        journal::error(
            now_ms,
            "Failed to test etcd connection: context deadline exceeded: etcdserver: no leader",
        ),
    ];
    let effects = std::mem::take(&mut draft.effects);
    Err(Refused { journal: lines.to_vec(), retries: true, effects })
}
