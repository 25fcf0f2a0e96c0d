//! `kubectl get --raw` and `kubectl version`.

use serde_json::{Value, json};

use super::super::cluster::Cluster;
use super::super::reply::Reply;
use super::super::version::Version;
use super::words::Words;

/// One path of the API server.
pub(super) fn raw(cluster: &Cluster, path: &str, now_ms: u64) -> Result<Reply, Reply> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match path {
        "/readyz" | "/livez" | "/healthz" if query.contains("verbose") => {
            let name = path.trim_start_matches('/');
            Ok(Reply::ok(format!(
                "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]poststarthook/rbac/bootstrap-roles ok\n{name} check passed\n"
            )))
        }
        "/readyz" | "/livez" | "/healthz" => Ok(Reply::ok("ok")),
        "/version" => Ok(Reply::ok(info(cluster.version()).to_string())),
        "/api/v1/nodes" => {
            let items: Vec<Value> =
                cluster.nodes.values().map(|node| node.to_json(cluster, now_ms)).collect();
            let version = cluster.revision.to_string();
            Ok(Reply::ok(
                json!({
                    "kind": "NodeList", "apiVersion": "v1",
                    "metadata": {"resourceVersion": version}, "items": items,
                })
                .to_string(),
            ))
        }
        _ => Err(Reply::fail(
            "Error from server (NotFound): the server could not find the requested resource",
        )),
    }
}

/// Versions of client and server; kubectl is part of the k3s of a server.
pub(super) fn version(cluster: &Cluster, args: &[String], _now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read("version", args, &["client", "output="])?;
    let version = cluster.version();
    let server = !words.flag("client");
    match words.text("output") {
        None => {
            let mut text = format!("Client Version: {version}\nKustomize Version: v5.7.1\n");
            if server {
                text.push_str(&format!("Server Version: {version}\n"));
            }
            Ok(Reply::ok(text))
        }
        Some("json") => {
            let mut value = json!({"clientVersion": info(version), "kustomizeVersion": "v5.7.1"});
            if server {
                value["serverVersion"] = info(version);
            }
            Ok(Reply::ok(format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default())))
        }
        Some(_) => Err(Reply::fail("error: --output must be 'yaml' or 'json'")),
    }
}

fn info(version: &str) -> Value {
    let parts = Version::read(version);
    json!({
        "major": parts.major.to_string(), "minor": parts.minor.to_string(),
        "gitVersion": version, "platform": "linux/amd64",
    })
}
