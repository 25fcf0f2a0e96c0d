//! How a machine becomes part of the cluster: as its first server, or through one that lives.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value as Json;

use super::arguments::JOIN_FILE;
use super::config::{AGENT_TOKEN, CONFIG, TOKEN};
use super::settings::Settings;
use super::token;
use super::unit::Role;
use crate::provider::host::{Command, Content, Failure, Probe, Remote, RootFile, command, yaml};
use crate::resource::Digest;

/// How long a server may take to answer a question that costs it nothing.
const ANSWER_S: &str = "10";

/// A machine that joins.
pub struct Join<'a> {
    /// The host.
    pub remote: Remote<'a>,
    /// As what.
    pub role: Role,
    /// What was read just before.
    pub probe: &'a Probe,
    /// Everything desired.
    pub attributes: &'a Json,
    /// SHA-256 of the cluster's CA file as it lies on servers that were read.
    pub known_hashes: Vec<String>,
}

impl Join<'_> {
    /// Binds the token to the cluster's CA, says where to join, and starts k3s.
    ///
    /// # Errors
    /// Any [`Failure`]: no server answers, another cluster answers, the token is not accepted.
    pub async fn through_a_server(&self) -> Result<(), Failure> {
        if self.probe.word("joined") != Some("yes") || self.role == Role::Agent {
            let token = self.token(TOKEN, "token").ok_or_else(|| {
                Failure::refused("the machine has no token to join with", "plan and apply again")
            })?;
            let (address, hash) = self.server().await?;
            self.try_token(&address, &token).await?;
            let user = if self.role == Role::Server { "server" } else { "node" };
            let bound = format!("{}\n", token::bound(&hash, user, &token));
            let content = Content::Secret(SecretString::from(bound));
            self.remote.write(&RootFile { path: TOKEN.into(), mode: 0o600, content }).await?;
            self.remote.write(&file(&url(&address, ""))).await?;
        }
        start(self.remote, self.role, "start").await
    }

    /// Starts the first server of a new cluster. [`forget_init`] follows once it is up.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn first(&self) -> Result<(), Failure> {
        if self.probe.word("joined") != Some("yes") {
            let settings = Settings::from_iter([("cluster-init".to_owned(), true.into())]);
            self.remote.write(&drop_in(&settings)).await?;
        }
        start(self.remote, self.role, "start").await
    }

    /// The first server that answers, and the hash of its CA.
    ///
    /// # Errors
    /// None answers: worth another try. Another cluster does: not.
    pub(super) async fn server(&self) -> Result<(String, String), Failure> {
        let mut problems = Vec::new();
        for address in self.addresses() {
            match self.hash_at(&address).await {
                Ok(Ok(hash)) => return Ok((address, hash)),
                Ok(Err(problem)) => problems.push(format!("{address}: {problem}")),
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::later(
            format!("no server can be joined: {}", problems.join("; ")),
            "see that k3s runs on a server and that TCP 6443 is open from this machine",
        ))
    }

    /// Where to ask, in order: the fixed address, else every server but the machine itself.
    fn addresses(&self) -> Vec<String> {
        if let Some(join) =
            self.attributes["join"].as_str().filter(|join| *join != self.remote.target.address)
        {
            return vec![join.to_owned()];
        }
        let servers = self.attributes["servers"].as_array().into_iter().flatten();
        let texts = servers.filter_map(Json::as_str).map(str::to_owned);
        texts.filter(|address| *address != self.remote.target.address).collect()
    }

    /// The CA hash behind an address. The inner error says why it cannot be joined.
    async fn hash_at(&self, address: &str) -> Result<Result<String, String>, Failure> {
        let ping = self.remote.ask(&curl(&url(address, "/ping"))).await?;
        if ping.text().trim() != "pong" {
            return Ok(Err(words(&ping.stderr, "it does not answer /ping")));
        }
        let cacerts = self.remote.ask(&curl(&url(address, "/cacerts"))).await?;
        let Some(hash) = token::hash(&cacerts.text()).filter(|_| cacerts.success()) else {
            return Ok(Err(words(&cacerts.stderr, "it gives no CA at /cacerts")));
        };
        // Of the file as it is, which for a chain is not what tokens are bound to.
        let whole = Digest::of(cacerts.text().as_bytes()).to_string();
        if !self.known_hashes.is_empty() && !self.known_hashes.contains(&whole) {
            return Err(Failure::refused(
                format!(
                    "another cluster answers at {address}: its CA has the hash {whole}, the servers' \
                     own is {}",
                    self.known_hashes.join(", ")
                ),
                "find out who answers there before the token is sent to it; check [servers] \
                 addresses and [k3s] join_address",
            ));
        }
        Ok(Ok(hash))
    }

    /// Asks whether the token is accepted, where that can be asked: `/v1-k3s/readyz` takes the
    /// agents' token, which servers know, too.
    ///
    /// # Errors
    /// The server is not ready: worth another try. It does not take the token: not.
    pub(super) async fn try_token(&self, address: &str, own: &str) -> Result<(), Failure> {
        let agents = match self.role {
            Role::Agent => own.to_owned(),
            Role::Server => {
                self.token(AGENT_TOKEN, "agent-token").unwrap_or_else(|| own.to_owned())
            }
        };
        let user = Json::from(format!("node:{agents}"));
        let config = SecretString::from(format!("user = {user}\n"));
        let command = curl(&url(address, "/v1-k3s/readyz")).args(["-f", "-K", "-"]);
        let output = self.remote.ask(&command.secret_stdin(config)).await?;
        match output.status {
            0 => Ok(()),
            // `-f`: an HTTP status of 400 or more, named in curl's words.
            22 if ["401", "403"].iter().any(|status| output.stderr.contains(status)) => {
                Err(Failure::refused(
                    format!("the cluster at {address} does not accept the token"),
                    "give the token that the cluster was made with ([k3s] token, agent_token); a \
                     server shows it in /var/lib/rancher/k3s/server/token",
                ))
            }
            _ => Err(Failure::later(
                format!("{address}: {}", words(&output.stderr, "it is not ready")),
                "apply again once it is ready to take machines in",
            )),
        }
    }

    /// A token in its short form: the desired one, else what lies on the host.
    fn token(&self, path: &str, item: &str) -> Option<String> {
        let key = if path == TOKEN { "token" } else { "agent_token" };
        let desired = self.attributes[key].as_str();
        desired.or_else(|| self.probe.word(item)).map(|text| token::secret(text).to_owned())
    }
}

/// Starts or restarts k3s, now and after every boot, without waiting for it: as long as it cannot
/// join, systemd would wait.
///
/// # Errors
/// Any [`Failure`].
pub async fn start(remote: Remote<'_>, role: Role, verb: &str) -> Result<(), Failure> {
    remote.root(&["systemctl", "daemon-reload"]).await?;
    remote.root(&["systemctl", "enable", role.unit()]).await?;
    remote.root(&["systemctl", verb, "--no-block", role.unit()]).await.map(drop)
}

/// Takes `cluster-init` away, so that a server whose data is lost can never found a second cluster.
///
/// # Errors
/// Any [`Failure`].
pub async fn forget_init(remote: Remote<'_>, probe: &Probe) -> Result<(), Failure> {
    if is_founding(probe) {
        remote.root(&["rm", "-f", &path()]).await?;
    }
    Ok(())
}

/// Whether a server without data would found a cluster at its next start.
pub fn is_founding(probe: &Probe) -> bool {
    let text = probe.text(&format!("config-d/{JOIN_FILE}")).unwrap_or_default();
    text.contains("cluster-init")
}

/// The drop-in that says where to join.
pub fn file(server: &str) -> RootFile {
    drop_in(&Settings::from_iter([("server".to_owned(), server.into())]))
}

fn drop_in(settings: &Settings) -> RootFile {
    let content = Content::Plain(yaml::write(settings).into_bytes());
    RootFile { path: path(), mode: 0o600, content }
}

fn path() -> String {
    format!("{CONFIG}.d/{JOIN_FILE}")
}

fn url(address: &str, path: &str) -> String {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    format!("https://{host}:6443{path}")
}

/// The certificate is checked by hand: its CA's hash is what a token is bound to.
fn curl(url: &str) -> Command {
    command(&["curl", "-sSk", "--max-time", ANSWER_S, url]).timeout(Duration::from_secs(20))
}

fn words(stderr: &str, otherwise: &str) -> String {
    let words = stderr.trim();
    if words.is_empty() { otherwise.to_owned() } else { words.to_owned() }
}
