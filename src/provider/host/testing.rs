//! An SSH server in the test's own process. What it runs goes to `/bin/sh`, or to a function of
//! the test; a few words make it misbehave.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, Certificate, PrivateKey, PublicKey};
use russh::server::{self, Auth as Answer, ChannelOpenHandle, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelMsg, Disconnect, Sig};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(super) use super::tests::shell::{Shell, real_shell, sudo_shell};
use super::trust::fingerprint;
use super::*;

/// How a server shall be.
pub(super) struct Setup {
    pub(super) keys: Vec<PrivateKey>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) users: Vec<PublicKey>,
    pub(super) shell: Shell,
}

/// A server that is listening until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) key: PrivateKey,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    lines: Mutex<Vec<String>>,
    inputs: Mutex<Vec<Vec<u8>>>,
    logins: Mutex<Vec<String>>,
    sessions: Mutex<Vec<server::Handle>>,
}

struct Visitor {
    setup: Arc<Setup>,
    seen: Arc<Seen>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

pub(super) static CLIENT_KEY: LazyLock<PrivateKey> = LazyLock::new(new_key);

pub(super) fn new_key() -> PrivateKey {
    key_of(Algorithm::Ed25519)
}

pub(super) fn key_of(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut russh::keys::key::safe_rng(), algorithm).unwrap()
}

pub(super) fn print_of(key: &PrivateKey) -> String {
    fingerprint(key.public_key().key_data())
}

pub(super) fn auth(key: &PrivateKey) -> Auth {
    Auth::Key(key.to_openssh(LineEnding::LF).unwrap().as_str().into())
}

pub(super) fn target() -> Target {
    Target { machine: "server-1".into(), address: "127.0.0.1".into() }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            keys: vec![new_key()],
            certificates: Vec::new(),
            users: vec![CLIENT_KEY.public_key().clone()],
            shell: Arc::new(real_shell),
        }
    }
}

impl Server {
    pub(super) async fn start(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(server::Config {
            keys: setup.keys.clone(),
            certificates: setup.certificates.clone(),
            auth_rejection_time: Duration::from_millis(1),
            nodelay: true,
            ..server::Config::default()
        });
        let key = setup.keys[0].clone();
        let seen = Arc::new(Seen::default());
        let (setup, visits) = (Arc::new(setup), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let visitor = Visitor {
                    setup: Arc::clone(&setup),
                    seen: Arc::clone(&visits),
                    channels: HashMap::new(),
                };
                let (config, visits) = (Arc::clone(&config), Arc::clone(&visits));
                tokio::spawn(async move {
                    let Ok(session) = server::run_stream(config, stream, visitor).await else {
                        return;
                    };
                    visits.sessions.lock().unwrap().push(session.handle());
                    let _ = session.await;
                });
            }
        });
        Self { address, key, seen, task }
    }

    /// Logs in here, with this server's key pinned.
    pub(super) fn config(&self) -> SshConfig {
        SshConfig {
            user: "ubuntu".into(),
            port: self.address.port(),
            auth: auth(&CLIENT_KEY),
            sudo_password: None,
            known_hosts: KnownHosts::default(),
            pins: [("server-1".to_owned(), print_of(&self.key))].into(),
            jump: None,
            connect_timeout: Duration::from_secs(20),
            command_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(20),
            route: Arc::new(Direct),
        }
    }

    pub(super) fn hosts(&self) -> Hosts {
        Hosts::new(self.config()).unwrap()
    }

    /// Every line that came, in order.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen.lines.lock().unwrap().clone()
    }

    /// What came on standard input, command by command.
    pub(super) fn inputs(&self) -> Vec<Vec<u8>> {
        self.seen.inputs.lock().unwrap().clone()
    }

    /// `user algorithm` of every login with a good signature.
    pub(super) fn logins(&self) -> Vec<String> {
        self.seen.logins.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.sessions.lock().unwrap().len()
    }

    pub(super) async fn cut_all(&self) {
        let sessions = self.seen.sessions.lock().unwrap().clone();
        for session in sessions {
            let _ = session.disconnect(Disconnect::ByApplication, "bye".into(), "".into()).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl server::Handler for Visitor {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Answer, russh::Error> {
        self.seen.logins.lock().unwrap().push(format!("{user} {}", key.algorithm));
        let good = |known: &PublicKey| known.key_data() == key.public_key.key_data();
        Ok(if self.setup.users.iter().any(good) { Answer::Accept } else { Answer::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.seen.lines.lock().unwrap().push(format!("forward {host}"));
        let Ok(mut stream) = TcpStream::connect((host, port as u16)).await else {
            reply.reject(russh::ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        };
        reply.accept().await;
        tokio::spawn(async move {
            let mut channel = channel.into_stream();
            let _ = tokio::io::copy_bidirectional(&mut channel, &mut stream).await;
        });
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let line = String::from_utf8(data.to_vec()).unwrap();
        self.seen.lines.lock().unwrap().push(line.clone());
        if line == "refuse" {
            return session.channel_failure(id);
        }
        session.channel_success(id)?;
        let channel = self.channels.remove(&id).unwrap();
        let (handle, shell) = (session.handle(), Arc::clone(&self.setup.shell));
        tokio::spawn(serve(channel, handle, line, shell, Arc::clone(&self.seen)));
        Ok(())
    }
}

async fn serve(
    channel: Channel<Msg>,
    handle: server::Handle,
    line: String,
    shell: Shell,
    seen: Arc<Seen>,
) {
    let id = channel.id();
    let (mut reader, writer) = channel.split();
    if line == "deaf" {
        let _ = writer.exit_status(0).await;
        let _ = writer.close().await;
        return;
    }
    let mut input = Vec::new();
    while let Some(message) = reader.wait().await {
        match message {
            ChannelMsg::Data { data } if line == "echo-back" => {
                let _ = writer.data_bytes(data).await;
            }
            ChannelMsg::Data { data } => input.extend_from_slice(&data),
            ChannelMsg::Eof => break,
            _ => {}
        }
    }
    seen.inputs.lock().unwrap().push(input.clone());
    match line.as_str() {
        "hang" => while reader.wait().await.is_some() {},
        "vanish" => {}
        "cut" => {
            let _ = handle.disconnect(Disconnect::ByApplication, "bye".into(), "".into()).await;
        }
        "die" => {
            let (text, lang) = (String::new(), String::new());
            let _ = handle.exit_signal_request(id, Sig::KILL, false, text, lang).await;
        }
        "echo-back" => {
            let _ = writer.exit_status(0).await;
        }
        _ => {
            let run = tokio::task::spawn_blocking(move || shell(&line, &input));
            let (status, stdout, stderr) = run.await.unwrap();
            let _ = writer.data_bytes(stdout).await;
            let _ = writer.extended_data_bytes(1, stderr.into_bytes()).await;
            // The status comes after the end of the output, as OpenSSH may send it.
            let _ = writer.eof().await;
            let _ = writer.exit_status(status as u32).await;
        }
    }
    let _ = writer.close().await;
}
