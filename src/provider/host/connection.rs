//! One SSH connection, from the handshake to its end.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use russh::client::{Config, Handle};
use russh::{Disconnect, Preferred};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OnceCell, Semaphore};

use super::HostError;
use super::auth::Identity;
use super::client::{Client, ClientError, End};
use super::sudo::Sudo;
use super::trust::{Peer, Trust};
use super::tunnel::Tunnel;

/// How many commands run at a time in one connection: sshd allows ten sessions (`MaxSessions`)
/// unless it is told otherwise, and refuses the eleventh.
const SESSIONS: usize = 8;

/// A connection that is logged in.
pub(super) struct Connection {
    pub(super) handle: Handle<Client>,
    pub(super) peer: Peer,
    pub(super) user: String,
    pub(super) sessions: Semaphore,
    /// Empty while it lasts.
    pub(super) end: Arc<OnceLock<End>>,
    /// How it becomes root, or why it cannot; asked once, so that a wrong password is tried once
    /// and locks no account.
    pub(super) sudo: OnceCell<Result<Sudo, HostError>>,
    pub(super) idle_timeout: Duration,
}

/// Who logs in, and when a host counts as gone.
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) identity: &'a Identity,
    pub(super) idle_timeout: Duration,
}

impl Connection {
    /// Greets the host, checks its key and logs in.
    ///
    /// # Errors
    /// The host speaks no SSH, shows a key that is not accepted, or refuses the login.
    pub(super) async fn open<S>(
        stream: S,
        trust: Trust,
        algorithms: &[russh::keys::Algorithm],
        login: &Login<'_>,
    ) -> Result<Self, HostError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let peer = trust.peer.clone();
        let end = Arc::new(OnceLock::new());
        let config = Arc::new(config(&trust, algorithms, login.idle_timeout));
        let client = Client { trust, end: Arc::clone(&end) };
        let connected = russh::client::connect_stream(config, stream, client).await;
        let mut handle = connected.map_err(|error| not_greeted(&peer, error))?;
        login.identity.login(&mut handle, login.user, &peer).await?;
        Ok(Self {
            handle,
            peer,
            user: login.user.to_owned(),
            sessions: Semaphore::new(SESSIONS),
            end,
            sudo: OnceCell::new(),
            idle_timeout: login.idle_timeout,
        })
    }

    /// Whether it is known to have ended.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Opens a TCP connection from the host.
    ///
    /// # Errors
    /// As russh has them; a refusal by the host is `ChannelOpenFailure`.
    pub(super) async fn tunnel(
        self: &Arc<Self>,
        to_host: &str,
        to_port: u16,
    ) -> Result<Tunnel, russh::Error> {
        let open = self.handle.channel_open_direct_tcpip(to_host, to_port.into(), "127.0.0.1", 0);
        Ok(Tunnel { stream: open.await?.into_stream(), _connection: Arc::clone(self) })
    }

    /// Says goodbye, without waiting long for a host that does not listen.
    pub(super) async fn close(&self) {
        let goodbye = self.handle.disconnect(Disconnect::ByApplication, "", "en");
        let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
    }

    /// The error of a command during which the connection, or its channel, ended.
    pub(super) fn cut(&self, command: &str) -> HostError {
        let (machine, command) = (self.peer.machine.clone(), command.to_owned());
        let problem = match self.end.get() {
            Some(End::Silent) => {
                return HostError::Idle { machine, command, after: self.idle_timeout };
            }
            Some(End::Said(problem)) => problem.clone(),
            None if self.is_closed() => "the connection is closed".into(),
            None => "the host closed the channel without an exit status".into(),
        };
        HostError::Cut { machine, command, problem }
    }
}

/// Keepalives find a host that is gone: the fourth quarter of the idle time without a sign of
/// life ends the connection. The inactivity timeout is the same net for a host that takes no more
/// bytes.
fn config(trust: &Trust, algorithms: &[russh::keys::Algorithm], idle_timeout: Duration) -> Config {
    let preferred = Preferred {
        key: Cow::Owned(algorithms.to_vec()),
        host_key_certificates: Cow::Owned(trust.certificate_algorithms()),
        ..Preferred::DEFAULT
    };
    Config {
        preferred,
        nodelay: true,
        keepalive_interval: Some(idle_timeout / 4),
        keepalive_max: 3,
        inactivity_timeout: Some(idle_timeout),
        ..Config::default()
    }
}

fn not_greeted(peer: &Peer, error: ClientError) -> HostError {
    let problem = match error {
        ClientError::Refused(refusal) => return *refusal,
        ClientError::Protocol(russh::Error::Disconnect | russh::Error::HUP) => {
            "it closed the connection during the handshake".to_owned()
        }
        ClientError::Protocol(error) => error.to_string(),
    };
    HostError::Handshake { machine: peer.machine.clone(), address: peer.address(), problem }
}
