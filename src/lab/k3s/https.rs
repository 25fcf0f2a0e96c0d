//! What a server's port 6443 says to somebody without a client certificate.

use serde_json::Value;

use super::audit::Happened;
use super::cluster::Clusters;
use super::effect::{Changed, ClusterEffect, Draft};
use super::ids::Hidden;
use super::token::{Grant, Token};

/// The status and body for a GET, as any server of the cluster answers it. The caller knows whether
/// k3s runs on the host that was asked.
pub(in crate::lab) fn https(
    clusters: &Clusters,
    cluster: &str,
    path: &str,
    basic_auth: Option<(&str, &str)>,
    now_ms: u64,
) -> (u16, String) {
    let Some(cluster) = clusters.get(cluster) else {
        return (503, "starting\n".to_owned());
    };
    match path.split('?').next().unwrap_or_default() {
        "/ping" => (200, "pong".to_owned()),
        "/cacerts" => (200, cluster.ca.clone()),
        "/v1-k3s/readyz" => {
            let granted = basic_auth.map(|(user, password)| {
                let token = Token { ca_hash: None, user: Some(user), password };
                token.grant(cluster, now_ms)
            });
            match granted {
                None | Some(Grant::Nobody) => (401, status(401, "Unauthorized", "Unauthorized")),
                Some(_) if cluster.answers(now_ms) => (200, "ok".to_owned()),
                Some(_) => (503, status(503, "ServiceUnavailable", "runtime core not ready")),
            }
        }
        path if path.starts_with("/v1-k3s/") => (404, "404 page not found\n".to_owned()),
        _ => (401, status(401, "Unauthorized", "Unauthorized")),
    }
}

/// `PUT /v1-k3s/token` with `{"newToken": …}`: what `k3s token rotate` calls. Servers' credentials
/// only. Servers, and agents that have the server token, need the new one at their next start.
pub(in crate::lab) fn put_token(
    clusters: &Clusters,
    cluster: &str,
    basic_auth: Option<(&str, &str)>,
    body: &str,
    now_ms: u64,
) -> (u16, String, Vec<ClusterEffect>) {
    let refused =
        |code: u16, reason: &str, message: &str| (code, status(code, reason, message), Vec::new());
    let Some(cluster) = clusters.get(cluster).filter(|cluster| cluster.answers(now_ms)) else {
        return refused(503, "ServiceUnavailable", "runtime core not ready");
    };
    let granted = basic_auth.map_or(Grant::Nobody, |(user, password)| {
        Token { ca_hash: None, user: Some(user), password }.grant(cluster, now_ms)
    });
    match granted {
        Grant::Nobody => return refused(401, "Unauthorized", "Unauthorized"),
        Grant::Agents => return refused(403, "Forbidden", "Forbidden"),
        Grant::Servers => {}
    }
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let new = body["newToken"].as_str().and_then(Token::read);
    let Some(new) = new.filter(|token| token.ca_hash.is_none()) else {
        return refused(400, "BadRequest", "newToken must be a token in the short form");
    };
    let mut draft = Draft::of(cluster);
    draft.change(Changed::Token(Hidden(new.password.to_owned())));
    draft.note(now_ms, "", Happened::TokenRotated);
    (200, String::new(), draft.effects)
}

fn status(code: u16, reason: &str, message: &str) -> String {
    let body = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    format!("{body}\n")
}
