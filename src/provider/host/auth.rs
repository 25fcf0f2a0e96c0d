//! What boma logs in with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use secrecy::{ExposeSecret, SecretString};

use super::HostError;
use super::client::Client;
use super::trust::{Peer, describe};

/// A way to prove who is logging in.
#[derive(Clone)]
pub enum Auth {
    /// A private key: the text of an OpenSSH, PKCS#8 or PKCS#1 file without a passphrase.
    Key(SecretString),
    /// The agent that listens on this socket (`SSH_AUTH_SOCK`); its keys are tried in its order.
    Agent(PathBuf),
}

/// The same, ready for use.
#[derive(Clone)]
pub(super) enum Identity {
    Key(Arc<PrivateKey>),
    Agent(PathBuf),
}

impl Identity {
    /// Reads the key; an agent is asked with each login.
    ///
    /// # Errors
    /// The key is encrypted or no key at all.
    pub(super) fn new(auth: &Auth) -> Result<Self, HostError> {
        match auth {
            Auth::Agent(socket) => Ok(Self::Agent(socket.clone())),
            Auth::Key(text) => {
                let key = private_key(text.expose_secret());
                let key = key.map_err(|problem| HostError::PrivateKey { problem })?;
                Ok(Self::Key(Arc::new(key)))
            }
        }
    }

    /// Logs in.
    ///
    /// # Errors
    /// The host refuses, the connection ends, or the agent cannot be used.
    pub(super) async fn login(
        &self,
        handle: &mut Handle<Client>,
        user: &str,
        peer: &Peer,
    ) -> Result<(), HostError> {
        let tried = match self {
            Self::Key(key) => login_with_key(handle, user, peer, key).await?,
            Self::Agent(socket) => login_with_agent(handle, user, socket).await?,
        };
        let Some(tried) = tried else { return Ok(()) };
        Err(HostError::Login {
            machine: peer.machine.clone(),
            address: peer.address(),
            user: user.to_owned(),
            tried,
        })
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => formatter.write_str("Key"),
            Self::Agent(socket) => write!(formatter, "Agent({})", socket.display()),
        }
    }
}

/// What was tried in vain, `None` after success.
async fn login_with_key(
    handle: &mut Handle<Client>,
    user: &str,
    peer: &Peer,
    key: &Arc<PrivateKey>,
) -> Result<Option<String>, HostError> {
    let hash = rsa_hash(handle, &key.algorithm()).await;
    let signing = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
    let result = handle.authenticate_publickey(user, signing).await;
    let result = result.map_err(|error| during_login(peer, &error))?;
    Ok(refused(&result)
        .map(|why| format!("it was offered {}{why}", describe(key.public_key().key_data()))))
}

async fn login_with_agent(
    handle: &mut Handle<Client>,
    user: &str,
    socket: &Path,
) -> Result<Option<String>, HostError> {
    let unusable =
        |problem: String| HostError::Agent { socket: socket.display().to_string(), problem };
    let agent = AgentClient::connect_uds(socket).await;
    let mut agent = agent.map_err(|error| unusable(error.to_string()))?;
    let identities = agent.request_identities().await;
    let identities = identities.map_err(|error| unusable(error.to_string()))?;
    if identities.is_empty() {
        return Err(unusable("it holds no key".into()));
    }
    let mut tried = Vec::new();
    for identity in identities {
        let hash = rsa_hash(handle, &identity.public_key().algorithm()).await;
        let result = match &identity {
            AgentIdentity::PublicKey { key, .. } => {
                handle.authenticate_publickey_with(user, key.clone(), hash, &mut agent).await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                let certificate = certificate.clone();
                handle.authenticate_certificate_with(user, certificate, hash, &mut agent).await
            }
        };
        let shown = describe(identity.public_key().key_data());
        match result {
            Ok(result) => match refused(&result) {
                None => return Ok(None),
                Some(why) => tried.push(format!("{shown}{why}")),
            },
            Err(error) => tried.push(format!("{shown} (the agent: {error})")),
        }
        if handle.is_closed() {
            tried.push("then it ended the connection: too many keys".into());
            break;
        }
    }
    Ok(Some(format!("it was offered {}", tried.join(", "))))
}

/// What the host said instead of yes. `None` is yes.
fn refused(result: &AuthResult) -> Option<&'static str> {
    match result {
        AuthResult::Success => None,
        AuthResult::Failure { partial_success: true, .. } => {
            Some(" (accepted, but it wants a second factor as well)")
        }
        AuthResult::Failure { .. } => Some(""),
    }
}

/// The hash for signatures of RSA keys: what the host prefers, never SHA-1, which OpenSSH
/// refuses since 8.8.
async fn rsa_hash(handle: &Handle<Client>, algorithm: &Algorithm) -> Option<HashAlg> {
    if !algorithm.clone().is_rsa() {
        return None;
    }
    let best = handle.best_supported_rsa_hash().await.ok().flatten().flatten();
    Some(best.unwrap_or(HashAlg::Sha256))
}

fn during_login(peer: &Peer, error: &russh::Error) -> HostError {
    HostError::Handshake {
        machine: peer.machine.clone(),
        address: peer.address(),
        problem: format!("the login was cut off: {error}"),
    }
}

/// Reads the key, forgiving what editors and secret stores do to line ends.
fn private_key(text: &str) -> Result<PrivateKey, String> {
    use russh::keys::Error;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if lines.iter().any(|line| line.starts_with("-----BEGIN") && line.contains("PUBLIC KEY")) {
        return Err("it is a public key".into());
    }
    if lines.iter().any(|line| is_encryption(line)) {
        return Err("it is encrypted with a passphrase".into());
    }
    match russh::keys::decode_secret_key(&(lines.join("\n") + "\n"), None) {
        Ok(key) => Ok(key),
        Err(Error::KeyIsEncrypted) => Err("it is encrypted with a passphrase".into()),
        Err(Error::CouldNotReadKey) => Err("it is no private key that boma knows".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn is_encryption(line: &str) -> bool {
    line.contains("BEGIN ENCRYPTED PRIVATE KEY")
        || line.starts_with("Proc-Type: 4,ENCRYPTED")
        || line.strip_prefix("Encryption:").is_some_and(|cipher| cipher.trim() != "none")
}
