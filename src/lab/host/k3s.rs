//! The program `k3s`.

use crate::lab::k3s::{self as cluster_model, Reply};

use super::cluster;
use super::files::Errno;
use super::session::{Output, Session};

/// Where PATH finds it.
const BINARY: &str = "/usr/local/bin/k3s";

/// Runs `k3s`, by name or by path; `None` for a path that is no k3s.
pub(super) fn run(session: &mut Session<'_>, program: &str, rest: &[String]) -> Option<Output> {
    let path = match program {
        "k3s" | "kubectl" | "crictl" => format!("/usr/local/bin/{program}"),
        path if path.contains('/') => path.to_owned(),
        _ => return None,
    };
    if session.host.node(&path).is_none() {
        return path.ends_with("k3s").then(|| {
            let why = if program.contains('/') { Errno::NoEntry.message() } else { "not found" };
            Output::failed(127, format!("sh: 1: {program}: {why}"))
        });
    }
    let version = session.host.k3s_version(&path)?;
    if session.host.node(&path).is_some_and(|node| node.mode & 0o111 == 0) {
        return Some(Output::failed(126, format!("sh: 1: {program}: Permission denied")));
    }
    let kubectl = path.ends_with("/kubectl");
    let words = match rest.first().map(String::as_str) {
        _ if kubectl => rest,
        Some("--version" | "-v") => {
            return Some(Output::text(cluster_model::version_text(&version)));
        }
        Some("kubectl") => &rest[1..],
        _ => {
            return Some(with_cluster(session, |session, cluster| {
                cluster_model::k3s(&session.clusters, cluster, rest, session.now)
            }));
        }
    };
    Some(with_cluster(session, |session, cluster| {
        cluster_model::kubectl(&session.clusters, cluster, words, session.now)
    }))
}

/// `k3s kubectl get nodes -o json` on a server that runs; empty where it gives nothing.
pub(super) fn nodes(session: &mut Session<'_>) -> String {
    let words = ["get", "nodes", "-o", "json"].map(str::to_owned);
    let output = with_cluster(session, |session, cluster| {
        cluster_model::kubectl(&session.clusters, cluster, &words, session.now)
    });
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `k3s --version`; empty where there is none.
pub(super) fn version(session: &Session<'_>) -> String {
    let executable = session.host.node(BINARY).is_some_and(|node| node.mode & 0o111 != 0);
    let version = session.host.k3s_version(BINARY).filter(|_| executable);
    version.map(|version| cluster_model::version_text(&version)).unwrap_or_default()
}

fn with_cluster(
    session: &mut Session<'_>,
    ask: impl FnOnce(&Session<'_>, &str) -> Reply,
) -> Output {
    if !session.root {
        return Output::failed(
            1,
            "error: error loading config file \"/etc/rancher/k3s/k3s.yaml\": open /etc/rancher/k3s/k3s.yaml: permission denied",
        );
    }
    let serves = session.host.units.get("k3s.service").is_some_and(|unit| unit.running.is_some());
    let Some(cluster) = cluster::data(&session.host).filter(|_| serves).map(str::to_owned) else {
        return Output::failed(
            1,
            "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
        );
    };
    let reply = ask(session, &cluster);
    session.keep(reply.effects);
    Output {
        status: u32::try_from(reply.status).unwrap_or(1),
        stdout: reply.stdout.into_bytes(),
        stderr: reply.stderr,
        hangs: reply.took_ms > HANGS_MS,
    }
}

/// What takes longer than this is said never to end: nobody waits for it.
const HANGS_MS: u64 = 3_600_000;
