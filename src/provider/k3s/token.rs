//! Forms of k3s tokens (k3s docs, `cli/token.md`).

use crate::provider::host::{Content, Failure, Probe, Remote, RootFile, base64};
use crate::resource::Digest;

/// The secret part: what follows `K10<hash>::server:` or `K10<hash>::node:`, or all of a short one.
pub fn secret(token: &str) -> &str {
    let token = token.trim();
    let Some((_, credentials)) = token.strip_prefix("K10").and_then(|rest| rest.split_once("::"))
    else {
        return token;
    };
    let after = |user: &str| credentials.strip_prefix(user);
    after("server:").or_else(|| after("node:")).unwrap_or(credentials)
}

/// The hash of the CA that a token is bound to. `None` for a short one.
pub fn ca_hash(token: &str) -> Option<&str> {
    token.trim().strip_prefix("K10")?.split_once("::").map(|(hash, _)| hash)
}

/// A token that only a cluster with this CA gets to see.
pub fn bound(hash: &str, user: &str, token: &str) -> String {
    format!("K10{hash}::{user}:{}", secret(token))
}

/// The hash that k3s computes of `/cacerts`: of the file where it holds the one certificate that
/// k3s made itself, of the root's DER where it is a chain. `None` where it holds no certificate.
pub fn hash(cacerts: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let last = cacerts.rfind(BEGIN)?;
    if cacerts.find(BEGIN) == Some(last) {
        return Some(Digest::of(cacerts.as_bytes()).to_string());
    }
    let (body, _) = cacerts[last + BEGIN.len()..].split_once("-----END")?;
    let body: String = body.split_whitespace().collect();
    base64::decode(&body).map(|der| Digest::of(&der).to_string())
}

/// The item of a probe that says that something was written which the process does not run with
/// yet, and which it does not show itself: a token, registries.
pub const UNUSED: &str = "token-unused";

/// Where that is written.
const UNUSED_FILE: &str = "/etc/rancher/k3s/token.unused";

/// What goes on a host before such a thing does.
pub fn unused() -> RootFile {
    let content = Content::Plain(b"k3s is yet to be restarted with what boma wrote\n".to_vec());
    RootFile { path: UNUSED_FILE.into(), mode: 0o600, content }
}

/// Takes it away, once the process was started anew.
///
/// # Errors
/// Any [`Failure`].
pub async fn used(remote: Remote<'_>, probe: &Probe) -> Result<(), Failure> {
    if probe.text(UNUSED).is_some() {
        remote.root(&["rm", "-f", UNUSED_FILE]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_one_secret() {
        for token in ["pw", "K10ab::server:pw", "K10ab::node:pw\n", "K10ab::pw"] {
            assert_eq!(secret(token), "pw", "{token}");
        }
        assert_eq!(bound("ab", "node", "K10cd::server:p:w"), "K10ab::node:p:w");
        assert_eq!((ca_hash("pw"), ca_hash("K10ab::server:pw")), (None, Some("ab")));
    }

    #[test]
    fn the_root_of_a_chain_counts() {
        let pem = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        let root = pem("Zm9v\nYmFy");
        assert_eq!(hash(&root), Some(Digest::of(root.as_bytes()).to_string()));
        let chain = format!("{}{root}", pem("bGVhZg=="));
        assert_eq!(hash(&chain), Some(Digest::of(b"foobar").to_string()));
        assert_eq!(hash("not found"), None);
    }
}
