//! A lab with standing machines, and a small SSH client.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Handle};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, Disconnect};
use tempfile::TempDir;

use crate::lab::{HostAction, Lab, MachineSetup, Opened, Running, ServeOptions, Setup};

/// A lab with machines `node-1` (10.20.0.11) and so on.
pub(super) struct Rig {
    pub running: Running,
    pub directory: TempDir,
    machines: usize,
}

/// How a command ended; no status when the connection ended first.
#[derive(Debug)]
pub(super) struct Ended {
    pub status: Option<u32>,
    pub stdout: String,
    pub stderr: String,
}

impl Rig {
    pub(super) async fn new(machines: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let running = serve(&directory, machines).await;
        Self { running, directory, machines }
    }

    /// The same world in another process, as far as a test can tell.
    pub(super) async fn reopened(self) -> Self {
        let Self { running, directory, machines } = self;
        drop(running);
        tokio::task::yield_now().await;
        let running = serve(&directory, machines).await;
        Self { running, directory, machines }
    }

    pub(super) async fn connect(&self, number: usize) -> Client {
        let port = self.running.host(&address(number)).expect("the host listens");
        Client::new(port, "ubuntu", &self.running.endpoints.ssh_user_key).await.unwrap()
    }

    /// One command as root on a connection of its own.
    pub(super) async fn root(&self, number: usize, line: &str) -> Ended {
        self.connect(number).await.run(&format!("sudo -n -- {line}"), b"").await
    }

    /// A command at the console that must end well.
    pub(super) fn console(&self, number: usize, line: &str, stdin: &str) -> String {
        let action = HostAction::Run { line: line.to_owned(), stdin: stdin.to_owned() };
        let answer = self.running.at_host(&format!("node-{number}"), &action).unwrap();
        assert_eq!(answer.status, 0, "{line}: {}", answer.stderr);
        answer.stdout
    }
}

pub(super) fn address(number: usize) -> String {
    format!("10.20.0.{}", 10 + number)
}

async fn serve(directory: &TempDir, machines: usize) -> Running {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Lab::open(directory.path(), &setup(machines)).unwrap() {
        Opened::Owned(lab) => lab.serve(ServeOptions::default()).await.unwrap(),
        Opened::Served(endpoints) => panic!("held by {endpoints:?}"),
    }
}

fn setup(machines: usize) -> Setup {
    let machine = |number: usize| MachineSetup {
        name: format!("node-{number}"),
        folder: String::new(),
        cpus: 4,
        memory_mib: 8192,
        disk_gib: 50,
        disk_uuid: true,
        hardware_version: 15,
        powered_on: true,
        address: Some(address(number)),
        ..MachineSetup::default()
    };
    Setup {
        seed: 5,
        datacenter: "DC1".to_owned(),
        cluster: "Cluster1".to_owned(),
        hosts: vec!["esx-1".to_owned()],
        datastores: vec!["ds".to_owned()],
        networks: vec!["net".to_owned()],
        machines: (1..=machines).map(machine).collect(),
        ..Setup::default()
    }
}

/// One connection.
pub(super) struct Client {
    handle: Handle<Anyone>,
    pub fingerprint: String,
}

/// Takes any host key, and remembers it.
struct Anyone(Arc<std::sync::Mutex<String>>);

impl client::Handler for Anyone {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            *self.0.lock().unwrap() = key.fingerprint(HashAlg::Sha256).to_string();
        }
        Ok(true)
    }
}

impl Client {
    /// Logs in; `None` when that is refused.
    pub(super) async fn new(port: u16, user: &str, key: &str) -> Option<Self> {
        let seen = Arc::new(std::sync::Mutex::new(String::new()));
        let config = client::Config { nodelay: true, ..client::Config::default() };
        let anyone = Anyone(Arc::clone(&seen));
        let connected = client::connect(Arc::new(config), ("127.0.0.1", port), anyone);
        let mut handle = connected.await.ok()?;
        let key = PrivateKey::from_openssh(key).unwrap();
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        let accepted = handle.authenticate_publickey(user, key).await.ok()?.success();
        let fingerprint = seen.lock().unwrap().clone();
        accepted.then_some(Self { handle, fingerprint })
    }

    /// A connection from the host to an address; `None` when that is refused.
    pub(super) async fn direct(
        &self,
        address: &str,
        port: u32,
    ) -> Option<russh::Channel<client::Msg>> {
        self.handle.channel_open_direct_tcpip(address, port, "127.0.0.1", 0).await.ok()
    }

    pub(super) async fn run(&self, line: &str, stdin: &[u8]) -> Ended {
        let mut ended = Ended { status: None, stdout: String::new(), stderr: String::new() };
        let Ok(mut channel) = self.handle.channel_open_session().await else { return ended };
        if channel.exec(true, line).await.is_err() || channel.data(stdin).await.is_err() {
            return ended;
        }
        // A host that has ended the command no longer reads.
        let _ = channel.eof().await;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => ended.stdout += &String::from_utf8_lossy(&data),
                ChannelMsg::ExtendedData { data, .. } => {
                    ended.stderr += &String::from_utf8_lossy(&data);
                }
                ChannelMsg::ExitStatus { exit_status } => ended.status = Some(exit_status),
                _ => {}
            }
        }
        ended
    }

    /// Whether a command is still without an end after a moment.
    pub(super) async fn hangs(&self, line: &str) -> bool {
        tokio::time::timeout(Duration::from_millis(200), self.run(line, b"")).await.is_err()
    }

    pub(super) async fn close(self) {
        let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
    }
}
