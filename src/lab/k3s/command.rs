//! The `k3s` program, but for `k3s kubectl` and for starting.

use super::audit::Happened;
use super::cluster::{BootstrapToken, Cluster, Clusters, Snapshot};
use super::effect::{Changed, Draft};
use super::ids::{self, Hidden};
use super::journal;
use super::reply::Reply;
use super::token::Token;

/// What `k3s --version` prints for a binary of that version.
pub(in crate::lab) fn version_text(version: &str) -> String {
    let commit = ids::short(0, &["commit", version], 8);
    format!("k3s version {version} ({commit})\ngo version go1.24.11\n")
}

/// Runs `k3s` with the words after its name, on a running server of the cluster.
pub(in crate::lab) fn k3s(
    clusters: &Clusters,
    cluster: &str,
    args: &[String],
    now_ms: u64,
) -> Reply {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if matches!(words.as_slice(), ["check-config", ..]) {
        return Reply::ok(
            "\nVerifying binaries in /var/lib/rancher/k3s/data/current/bin:\n- sha256sum: good\n\nSTATUS: pass\n",
        );
    }
    let Some(cluster) = clusters.get(cluster) else {
        return failed(
            now_ms,
            "see server log for details: https://127.0.0.1:6443/cacerts: connection refused",
        );
    };
    match words.as_slice() {
        ["--version" | "-v"] => Reply::ok(version_text(cluster.version())),
        ["etcd-snapshot" | "token", ..] if !cluster.answers(now_ms) => {
            failed(now_ms, "see server log for details: context deadline exceeded").after(60_000)
        }
        ["etcd-snapshot", rest @ ..] => snapshot(cluster, rest, now_ms),
        ["token", rest @ ..] => token(cluster, rest, now_ms),
        [] => Reply::ok("NAME:\n   k3s - Kubernetes, but small and simple\n"),
        [other, ..] => Reply { status: 3, ..Reply::fail(format!("No help topic for '{other}'")) },
    }
}

fn snapshot(cluster: &Cluster, words: &[&str], now_ms: u64) -> Reply {
    let Some(node) = cluster.servers_up().next() else { return failed(now_ms, "no server") };
    if !cluster.etcd {
        return failed(now_ms, "see server log for details: etcd datastore disabled");
    }
    match words {
        ["ls" | "list", ..] => list(cluster),
        ["delete" | "rm", names @ ..] => delete(cluster, names, now_ms),
        [] | ["save", ..] => {
            let prefix = option(words, &["--name"]).unwrap_or("on-demand");
            let name = format!("{prefix}-{}-{}", node.name, now_ms / 1000);
            let size = 4_000_000 + cluster.revision * 4096;
            let mut draft = Draft::of(cluster);
            let line = journal::info(now_ms, &format!("Snapshot {name} saved."));
            let snapshot = Snapshot { name, node: node.name.clone(), at_ms: now_ms, size };
            draft.change(Changed::Snapshot(snapshot));
            draft.note(now_ms, &node.name, Happened::SnapshotSaved);
            Reply { stderr: format!("{line}\n"), effects: draft.effects, ..Reply::default() }
        }
        [other, ..] => Reply { status: 3, ..Reply::fail(format!("No help topic for '{other}'")) },
    }
}

fn list(cluster: &Cluster) -> Reply {
    let mut text = String::from("Name Location Size Created\n");
    for snapshot in &cluster.snapshots {
        let (name, size) = (&snapshot.name, snapshot.size);
        let created = ids::time(snapshot.at_ms);
        text.push_str(&format!(
            "{name} file:///var/lib/rancher/k3s/server/db/snapshots/{name} {size} {created}\n"
        ));
    }
    Reply::ok(text)
}

fn delete(cluster: &Cluster, names: &[&str], now_ms: u64) -> Reply {
    let mut draft = Draft::of(cluster);
    for name in names {
        if !cluster.snapshots.iter().any(|snapshot| snapshot.name == *name) {
            return failed(
                now_ms,
                &format!("see server log for details: snapshot {name} not found"),
            );
        }
        draft.change(Changed::NoSnapshot((*name).to_owned()));
    }
    Reply::default().with(draft.effects)
}

fn token(cluster: &Cluster, words: &[&str], now_ms: u64) -> Reply {
    match words {
        ["rotate", rest @ ..] => rotate(cluster, rest, now_ms),
        ["create", rest @ ..] => create(cluster, rest, now_ms),
        ["generate"] => {
            let (id, secret) = drawn(cluster);
            Reply::ok(format!("{id}.{secret}\n"))
        }
        ["list" | "ls"] => {
            let mut text =
                String::from("TOKEN     TTL   EXPIRES   USAGES   DESCRIPTION   EXTRA GROUPS\n");
            for (id, token) in &cluster.bootstrap {
                let expires = ids::time(token.expires_ms);
                text.push_str(&format!(
                    "{id}   24h   {expires}   authentication,signing   {}\n",
                    token.description
                ));
            }
            Reply::ok(text)
        }
        ["delete", id] => {
            let id = id.split('.').next().unwrap_or_default();
            if !cluster.bootstrap.contains_key(id) {
                let text = format!(
                    "failed to delete bootstrap token: secrets \"bootstrap-token-{id}\" not found"
                );
                return failed(now_ms, &text);
            }
            let mut draft = Draft::of(cluster);
            draft.change(Changed::NoBootstrap(id.to_owned()));
            Reply::ok(format!("bootstrap token \"{id}\" deleted\n")).with(draft.effects)
        }
        _ => Reply { status: 3, ..Reply::fail(format!("No help topic for '{}'", words.join(" "))) },
    }
}

/// Agents that joined with the server token and all servers need the new one at their next start.
fn rotate(cluster: &Cluster, words: &[&str], now_ms: u64) -> Reply {
    if let Some(old) = option(words, &["--token", "-t"]) {
        let known = Token::read(old).is_some_and(|token| token.password == cluster.token.0);
        if !known {
            return failed(
                now_ms,
                "see server log for details: https://127.0.0.1:6443/v1-k3s/token: 401 Unauthorized",
            );
        }
    }
    let new = match option(words, &["--new-token"]) {
        None => {
            ids::short(cluster.seed, &["token", &cluster.id, &cluster.revision.to_string()], 32)
        }
        Some(new) => match Token::read(new) {
            Some(token) if token.ca_hash.is_none() => token.password.to_owned(),
            _ => {
                return failed(
                    now_ms,
                    "see server log for details: new token is invalid: must not be in the K10 form",
                );
            }
        },
    };
    let mut draft = Draft::of(cluster);
    draft.change(Changed::Token(Hidden(new)));
    draft.note(now_ms, "", Happened::TokenRotated);
    let text = "WARNING: Recommended to keep a record of the old token. If restoring from a snapshot, you must use the token associated with that snapshot.\nToken rotated, restart k3s nodes with new token\n";
    Reply::ok(text).with(draft.effects)
}

fn create(cluster: &Cluster, words: &[&str], now_ms: u64) -> Reply {
    let (id, secret) = drawn(cluster);
    let description = option(words, &["--description"]).unwrap_or("<none>").to_owned();
    let text = format!("K10{}::{id}.{secret}\n", cluster.ca_hash());
    let expires_ms = now_ms.saturating_add(86_400_000);
    let mut draft = Draft::of(cluster);
    let token = BootstrapToken { secret: Hidden(secret), expires_ms, description };
    draft.change(Changed::Bootstrap(id, token));
    Reply::ok(text).with(draft.effects)
}

fn drawn(cluster: &Cluster) -> (String, String) {
    let revision = cluster.revision.to_string();
    let draw =
        |name: &str, length| ids::short(cluster.seed, &[name, &cluster.id, &revision], length);
    (draw("bootstrap id", 6), draw("bootstrap secret", 16))
}

/// The value of `--name value` or `--name=value`.
fn option<'a>(words: &[&'a str], names: &[&str]) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(index, word)| {
        names.iter().find_map(|name| {
            let rest = word.strip_prefix(name)?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => words.get(index + 1).copied(),
                None => None,
            }
        })
    })
}

fn failed(now_ms: u64, text: &str) -> Reply {
    Reply::fail(journal::fatal(now_ms, &format!("Error: {text}")))
}
