//! The SSH server of one host: public keys, and programs run by `exec`.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, PublicKeyOffer, Session,
    VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::lab::core::{Core, now};

use super::cluster::API;
use super::desk::Verdict;
use super::key::client_public;
use super::network::Place;
use super::ufw::Firewall;
use crate::lab::kubernetes;

/// The most that a command may read.
const STDIN_MAX: usize = 64 << 20;
/// Between the sockets and the protocol.
const PIPE: usize = 256 << 10;

/// How a host with that key serves.
pub(super) fn config(key: PrivateKey) -> Arc<Config> {
    Arc::new(Config {
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: Duration::from_millis(10),
        keys: vec![key],
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    })
}

/// Serves one connection until it ends or is cut.
pub(super) async fn serve(mut stream: TcpStream, config: Arc<Config>, place: Place) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    if !admitted(&place) {
        // The firewall drops packets: whoever waits for an answer waits in vain.
        return std::future::pending().await;
    }
    let (mut outside, inside) = tokio::io::duplex(PIPE);
    let cut = Arc::new(Notify::new());
    let visitor =
        Visitor { place, user: String::new(), commands: BTreeMap::new(), cut: Arc::clone(&cut) };
    let session = async {
        if let Ok(running) = russh::server::run_stream(config, inside, visitor).await
            && let Err(error) = running.await
        {
            tracing::debug!(%error, "lab SSH connection ended");
        }
    };
    // Session first: what it has written before its end still goes out through the pump.
    let pump = tokio::io::copy_bidirectional(&mut stream, &mut outside);
    tokio::select! {
        _ = async { tokio::join!(session, pump) } => {}
        () = cut.notified() => {}
    }
}

fn admitted(place: &Place) -> bool {
    let Some(core) = place.core() else { return false };
    let core = lock(&core);
    core.hosts.hosts.get(&place.id).is_some_and(|host| Firewall::of(host).is_open("tcp", 22))
}

/// Who is connected.
struct Visitor {
    place: Place,
    user: String,
    /// Commands that still read.
    commands: BTreeMap<ChannelId, Waiting>,
    cut: Arc<Notify>,
}

/// A command whose input is not whole.
#[derive(Default)]
struct Waiting {
    line: String,
    stdin: Vec<u8>,
}

/// The connection cannot go on.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Protocol(#[from] russh::Error),
    #[error("a command was sent more than it may read")]
    TooMuch,
}

impl Visitor {
    fn knows(&self, user: &str, key: &PublicKey) -> bool {
        let Some(core) = self.place.core() else { return false };
        let core = lock(&core);
        let Some(host) = core.hosts.hosts.get(&self.place.id) else { return false };
        let users = &host.state.users;
        let own = client_public(self.place.seed).key_data() == key.key_data();
        match users.get(user) {
            Some(keys) => {
                let keys = keys.iter().filter_map(|text| PublicKey::from_openssh(text).ok());
                own || keys.into_iter().any(|known| known.key_data() == key.key_data())
            }
            None => users.is_empty() && own,
        }
    }

    /// Carries a command out, and sends its answer from a task of its own.
    fn run(&self, channel: ChannelId, waiting: Waiting, handle: Handle) {
        let Some(core) = self.place.core() else { return self.cut.notify_one() };
        let Waiting { line, stdin } = waiting;
        let verdict = lock(&core).command(&self.place.id, &self.user, &line, stdin, now());
        match verdict {
            Some((verdict, delay)) => {
                let cut = Arc::clone(&self.cut);
                tokio::spawn(answer(handle, channel, verdict, delay, cut));
            }
            None => self.cut.notify_one(),
        }
    }
}

async fn answer(
    handle: Handle,
    channel: ChannelId,
    verdict: Verdict,
    delay: Duration,
    cut: Arc<Notify>,
) {
    tokio::time::sleep(delay).await;
    let output = verdict.output;
    // A client that went away meanwhile needs no answer: errors of sending are dropped here.
    if !output.stdout.is_empty() {
        let _ = handle.data(channel, output.stdout).await;
    }
    if verdict.cut {
        cut.notify_one();
        return;
    }
    if output.hangs {
        return;
    }
    if !output.stderr.is_empty() {
        let _ = handle.extended_data(channel, 1, output.stderr.into_bytes()).await;
    }
    let _ = handle.exit_status_request(channel, output.status).await;
    let _ = handle.eof(channel).await;
    let _ = handle.close(channel).await;
}

/// Whether a command reads its input before it does anything.
fn reads(line: &str) -> bool {
    let words = super::shell::split(line).unwrap_or_default();
    let sudo = words.first().is_some_and(|word| word == "sudo");
    let pairs = words.windows(2).any(|pair| pair[0].ends_with('K') && pair[1] == "-");
    words.iter().any(|word| word == "/dev/stdin")
        || pairs
        || sudo && words.iter().any(|w| w == "-S")
}

impl Handler for Visitor {
    type Error = Broken;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Broken> {
        Ok(if self.knows(user, offer.public_key) { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Broken> {
        if !self.knows(user, key.public_key) {
            return Ok(Auth::reject());
        }
        user.clone_into(&mut self.user);
        if let Some(core) = self.place.core() {
            lock(&core).hosts.connected(&self.place.id);
        }
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Broken> {
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        address: &str,
        port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Broken> {
        if port == u32::from(API)
            && let Some(core) = self.place.core()
        {
            let door = lock(&core).door(&self.place.id, address);
            match door {
                Some(door) => {
                    reply.accept().await;
                    tokio::spawn(kubernetes::serve(channel.into_stream(), core, door));
                }
                None => reply.reject(ChannelOpenFailure::ConnectFailed).await,
            }
            return Ok(());
        }
        let target = self.place.core().and_then(|core| lock(&core).port_of(address));
        let target = target.filter(|_| port == 22);
        let Some(target) = target else {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        };
        match TcpStream::connect(("127.0.0.1", target)).await {
            Ok(mut stream) => {
                reply.accept().await;
                tokio::spawn(async move {
                    let mut channel = channel.into_stream();
                    // Either side may end it at any time.
                    let _ = tokio::io::copy_bidirectional(&mut channel, &mut stream).await;
                });
            }
            Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Broken> {
        session.channel_success(channel)?;
        let line = String::from_utf8_lossy(data).into_owned();
        let waiting = Waiting { line, stdin: Vec::new() };
        if reads(&waiting.line) {
            self.commands.insert(channel, waiting);
        } else {
            self.run(channel, waiting, session.handle());
        }
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Broken> {
        if let Some(waiting) = self.commands.get_mut(&channel) {
            if waiting.stdin.len() + data.len() > STDIN_MAX {
                return Err(Broken::TooMuch);
            }
            waiting.stdin.extend_from_slice(data);
        }
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Broken> {
        if let Some(waiting) = self.commands.remove(&channel) {
            self.run(channel, waiting, session.handle());
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Broken> {
        // Whoever goes away before the input is whole has asked for nothing.
        self.commands.remove(&channel);
        Ok(())
    }
}

fn lock(core: &std::sync::Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
