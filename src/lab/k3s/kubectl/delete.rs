//! `kubectl delete node`.

use super::super::audit::Happened;
use super::super::cluster::Cluster;
use super::super::effect::{Changed, Draft};
use super::super::reply::{FOR_EVER_MS, Reply};
use super::run::{no_node, resource};
use super::words::{Words, duration_ms};

const FLAGS: [&str; 6] = ["ignore-not-found", "wait", "timeout=", "now", "force", "grace-period="];

/// Deletes nodes. k3s takes the etcd member away with a server's, and the password Secret with any.
pub(super) fn delete(cluster: &Cluster, args: &[String], now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read("delete", args, &FLAGS)?;
    let names = resource("delete", &words.plain)?;
    if names.is_empty() {
        return Err(Reply::fail("error: resource(s) were provided, but no name was specified"));
    }
    let mut draft = Draft::of(cluster);
    let mut reply = Reply::default();
    for name in names {
        if !cluster.nodes.contains_key(&name) {
            if !words.flag("ignore-not-found") {
                let missing = no_node(&name);
                reply.status = missing.status;
                reply.stderr.push_str(&missing.stderr);
            }
            continue;
        }
        reply.stdout.push_str(&format!("node \"{name}\" deleted\n"));
        if !take_away(&mut draft, &name, now_ms) {
            // The finalizer of k3s's etcd controller stays, and kubectl waits for the Node to go.
            let text = format!("error: timed out waiting for the condition on nodes/{name}\n");
            reply.stderr.push_str(&text);
            reply.status = 1;
            let limit = words.text("timeout").and_then(duration_ms).filter(|ms| *ms > 0);
            reply.took_ms = limit.unwrap_or(FOR_EVER_MS);
        }
    }
    Ok(reply.with(draft.effects))
}

/// Takes a Node away, with its etcd member. Whether it could go.
pub(in crate::lab) fn take_away(draft: &mut Draft, name: &str, now_ms: u64) -> bool {
    if !member_can_go(&draft.cluster, name, now_ms) {
        return false;
    }
    if draft.cluster.members.contains_key(name) {
        draft.change(Changed::NoMember(name.to_owned()));
    }
    draft.change(Changed::NoNode(name.to_owned()));
    draft.note(now_ms, name, Happened::Deleted);
    true
}

/// etcd refuses to take a member away where the rest would have no quorum of running voters.
fn member_can_go(cluster: &Cluster, name: &str, now_ms: u64) -> bool {
    let Some(member) = cluster.members.get(name) else { return true };
    let counts = usize::from(member.is_voter(now_ms));
    let up = usize::from(member.up && member.is_voter(now_ms));
    let voters = cluster.voters(now_ms) - counts;
    voters > 0 && cluster.voters_up(now_ms) - up > voters / 2
}
