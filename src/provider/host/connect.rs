//! The way to a host: directly, or through the jump host.

use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::Algorithm;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::{Connection, Login};
use super::exec::Trouble;
use super::trust::{Peer, Trust, same_family};
use super::tunnel::Tunnel;
use super::{HostError, Hosts, JumpConfig, Target};
use crate::provider::BoxFuture;

/// What an SSH session can run in.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What is being waited for, for the message when it takes too long.
struct Stage(Mutex<&'static str>);

impl Hosts {
    /// Opens a connection to a machine.
    ///
    /// # Errors
    /// The machine or the jump host cannot be reached, is not trusted or refuses the login.
    pub(super) async fn connect(&self, host: &Target) -> Result<Connection, HostError> {
        let peer = Peer::machine(&host.machine, &host.address, self.config.port);
        let pinned = self.config.pins.get(&host.machine).cloned();
        let learned = self.learned(&host.machine);
        let trust = Trust::new(peer, pinned, learned, &self.config.known_hosts);
        let login = Login {
            user: &self.config.user,
            identity: &self.identity,
            idle_timeout: self.config.idle_timeout,
        };
        let jump = self.config.jump.as_ref();
        if let Some(jump) = jump {
            // Before the machine's own time starts to run.
            self.jump_connection(jump).await?;
        }
        self.open(trust, &login, jump).await
    }

    /// Opens a TCP connection from a host to another place.
    ///
    /// # Errors
    /// The connection is dead, or the host refuses.
    pub(super) async fn tunnel(
        &self,
        connection: &Arc<Connection>,
        to_host: &str,
        to_port: u16,
    ) -> Result<Tunnel, Trouble> {
        let through = connection.peer.machine.clone();
        let to = format!("{to_host}:{to_port}");
        let refused = |problem| HostError::Forward { through, to, problem };
        let after = self.config.connect_timeout;
        match timeout(after, connection.tunnel(to_host, to_port)).await {
            Ok(Ok(tunnel)) => Ok(tunnel),
            Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
                Err(Trouble::Error(refused(format!("{reason:?}"))))
            }
            Ok(Err(error)) => Err(Trouble::Gone(refused(error.to_string()))),
            Err(_) => Err(Trouble::Error(refused(format!("no answer within {after:?}")))),
        }
    }

    /// The connection to the jump host, which all machines share.
    fn jump_connection<'a>(
        &'a self,
        jump: &'a JumpConfig,
    ) -> BoxFuture<'a, Result<Arc<Connection>, HostError>> {
        Box::pin(async move {
            let peer = Peer::jump(&jump.address, jump.port);
            let trust = Trust::new(peer, jump.pin.clone(), None, &self.config.known_hosts);
            let login = Login {
                user: &jump.user,
                identity: &self.jump_identity,
                idle_timeout: self.config.idle_timeout,
            };
            self.jump.get(self.open(trust, &login, None)).await
        })
    }

    async fn open(
        &self,
        trust: Trust,
        login: &Login<'_>,
        jump: Option<&JumpConfig>,
    ) -> Result<Connection, HostError> {
        let stage = Stage(Mutex::new("no TCP connection"));
        let (machine, address) = (trust.peer.machine.clone(), trust.peer.address());
        let after = self.config.connect_timeout;
        match timeout(after, self.shake_hands(trust, login, jump, &stage)).await {
            Ok(result) => result,
            Err(_) => {
                let stage = stage.get().to_owned();
                Err(HostError::ConnectTimeout { machine, address, stage, after })
            }
        }
    }

    /// A host shows one key, of the first algorithm that both sides know. Where a fingerprint is
    /// expected and another comes, it may be that of the host's next key: the others are asked for
    /// before the host is refused.
    async fn shake_hands(
        &self,
        trust: Trust,
        login: &Login<'_>,
        jump: Option<&JumpConfig>,
        stage: &Stage,
    ) -> Result<Connection, HostError> {
        let mut algorithms = trust.algorithms();
        let mut refusal: Option<HostError> = None;
        loop {
            stage.set("no TCP connection");
            let wire = self.dial(&trust.peer, jump).await?;
            stage.set("TCP is connected, but the SSH login does not end");
            let result = Connection::open(wire, trust.clone(), &algorithms, login).await;
            match (result, &refusal) {
                (Err(error @ HostError::ChangedKey { .. }), _) if trust.is_pinned() => {
                    leave_out(&mut algorithms, &error);
                    let first = refusal.take().unwrap_or(error);
                    if algorithms.is_empty() {
                        return Err(first);
                    }
                    refusal = Some(first);
                }
                (Err(HostError::Handshake { .. }), Some(first)) => return Err(first.clone()),
                (result, _) => return result,
            }
        }
    }

    async fn dial(
        &self,
        peer: &Peer,
        jump: Option<&JumpConfig>,
    ) -> Result<Box<dyn Wire>, HostError> {
        match jump {
            None => Ok(Box::new(self.dial_directly(peer).await?)),
            Some(jump) => Ok(Box::new(self.dial_through(jump, peer).await?)),
        }
    }

    async fn dial_directly(&self, peer: &Peer) -> Result<TcpStream, HostError> {
        let connect = async {
            let to = self.config.route.resolve(&peer.host, peer.port).await?;
            let stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(stream)
        };
        connect.await.map_err(|error| HostError::Connect {
            machine: peer.machine.clone(),
            address: peer.address(),
            problem: error.to_string(),
        })
    }

    async fn dial_through(&self, jump: &JumpConfig, peer: &Peer) -> Result<Tunnel, HostError> {
        let connection = self.jump_connection(jump).await?;
        match self.tunnel(&connection, &peer.host, peer.port).await {
            Err(Trouble::Gone(_)) => {
                self.jump.forget(&connection).await;
                let connection = self.jump_connection(jump).await?;
                let tunnel = self.tunnel(&connection, &peer.host, peer.port).await;
                tunnel.map_err(Trouble::into_error)
            }
            result => result.map_err(Trouble::into_error),
        }
    }
}

impl Stage {
    fn set(&self, text: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn get(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the algorithm of the key that was refused out of the list; all of them where it cannot
/// be told.
fn leave_out(algorithms: &mut Vec<Algorithm>, refusal: &HostError) {
    let HostError::ChangedKey { presented, .. } = refusal else { return algorithms.clear() };
    let name = presented.split(' ').next().unwrap_or_default();
    match Algorithm::new(name) {
        Ok(shown) => algorithms.retain(|algorithm| !same_family(algorithm, &shown)),
        Err(_) => algorithms.clear(),
    }
}
