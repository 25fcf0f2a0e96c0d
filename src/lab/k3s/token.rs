//! Tokens: their forms, and what they let in.

use super::cluster::{BootstrapToken, Cluster};

/// A token in either form.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    /// From the K10 form; the short form trusts whoever answers.
    pub ca_hash: Option<&'a str>,
    /// `server` or `node`, from the K10 form.
    pub user: Option<&'a str>,
    pub password: &'a str,
}

/// What a token lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grant {
    Nobody,
    Agents,
    Servers,
}

impl<'a> Token<'a> {
    /// Reads `K10<hash>::<user>:<password>`, `K10<hash>::<id>.<secret>` or a password; `None` for
    /// something that begins like the first and is not.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let Some(long) = text.strip_prefix("K10") else {
            let token = Self { ca_hash: None, user: None, password: text };
            return (!text.is_empty()).then_some(token);
        };
        let (hash, credentials) = long.split_once("::")?;
        if hash.len() != 64 || !hash.chars().all(|letter| letter.is_ascii_hexdigit()) {
            return None;
        }
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (Some(user), password),
            None => (None, credentials),
        };
        (!password.is_empty()).then_some(Self { ca_hash: Some(hash), user, password })
    }

    /// Why k3s does not even ask with this token: the server has another CA.
    pub(super) fn mismatch(&self, cluster: &Cluster) -> Option<String> {
        let (wanted, found) = (self.ca_hash?, cluster.ca_hash());
        (wanted != found).then(|| {
            format!(
                "token CA hash does not match the Cluster CA certificate hash: {wanted} != {found}"
            )
        })
    }

    pub(super) fn grant(&self, cluster: &Cluster, now_ms: u64) -> Grant {
        let own_agents = cluster.agent_token.is_some();
        if self.password == cluster.token.0 && !(own_agents && self.user == Some("node")) {
            return Grant::Servers;
        }
        let agents = self.password == cluster.agent_password() && self.user != Some("server");
        if agents || self.bootstrap(cluster).is_some_and(|token| token.expires_ms > now_ms) {
            return Grant::Agents;
        }
        Grant::Nobody
    }

    fn bootstrap<'c>(&self, cluster: &'c Cluster) -> Option<&'c BootstrapToken> {
        let (id, secret) = self.password.split_once('.')?;
        cluster.bootstrap.get(id).filter(|token| token.secret.0 == secret)
    }
}
