//! All connections of a run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};

use super::auth::Identity;
use super::connection::Connection;
use super::exec::{Job, Trouble};
use super::slot::Slot;
use super::sudo::{self, Sudo};
use super::{Command, HostError, Output, SshConfig, Target};

/// The connections to all machines: one each, opened when it is first needed, opened again once
/// when it is found dead.
pub struct Hosts {
    pub(super) config: SshConfig,
    pub(super) identity: Identity,
    /// The same as `identity` where the jump host has no login of its own.
    pub(super) jump_identity: Identity,
    pub(super) jump: Slot,
    slots: Mutex<BTreeMap<Target, Arc<Slot>>>,
    learned: Mutex<BTreeMap<String, String>>,
    requests: AtomicU64,
}

impl Hosts {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A private key cannot be used.
    pub fn new(config: SshConfig) -> Result<Self, HostError> {
        let identity = Identity::new(&config.auth)?;
        let own = config.jump.as_ref().and_then(|jump| jump.auth.as_ref());
        let jump_identity = own.map_or_else(|| Ok(identity.clone()), Identity::new)?;
        Ok(Self {
            config,
            identity,
            jump_identity,
            jump: Slot::default(),
            slots: Mutex::default(),
            learned: Mutex::default(),
            requests: AtomicU64::new(0),
        })
    }

    /// Takes the fingerprint, `SHA256:…`, that a machine published itself. It counts before
    /// known_hosts and after the spec, from the next connection on.
    pub fn learn(&self, machine: &str, fingerprint: &str) {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.insert(machine.to_owned(), fingerprint.to_owned());
    }

    /// Runs a command to its end, whatever its status.
    ///
    /// # Errors
    /// There is no connection, or the command did not end by itself.
    pub async fn run(&self, host: &Target, command: &Command) -> Result<Output, HostError> {
        let connection = self.connection(host).await?;
        match self.attempt(&connection, command).await {
            Err(Trouble::Gone(_)) => {
                self.slot(host).forget(&connection).await;
                let connection = self.connection(host).await?;
                self.attempt(&connection, command).await.map_err(Trouble::into_error)
            }
            result => result.map_err(Trouble::into_error),
        }
    }

    /// Runs a command that must end with status 0.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`HostError::Failed`] for any other status.
    pub async fn run_ok(&self, host: &Target, command: &Command) -> Result<Output, HostError> {
        self.run(host, command).await?.ok(host, command)
    }

    /// Opens a TCP connection from the machine to `to_host`, as the machine names it.
    ///
    /// # Errors
    /// There is no connection to the machine, or it does not lead on.
    pub async fn stream_to(
        &self,
        host: &Target,
        to_host: &str,
        to_port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, HostError> {
        let connection = self.connection(host).await?;
        match self.tunnel(&connection, to_host, to_port).await {
            Err(Trouble::Gone(_)) => {
                self.slot(host).forget(&connection).await;
                let connection = self.connection(host).await?;
                let tunnel = self.tunnel(&connection, to_host, to_port).await;
                tunnel.map_err(Trouble::into_error)
            }
            result => result.map_err(Trouble::into_error),
        }
    }

    /// Ends all connections; the next command opens new ones.
    pub async fn close(&self) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for slot in slots.values().map(Arc::as_ref).chain([&self.jump]) {
            if let Some(connection) = slot.take().await {
                connection.close().await;
            }
        }
    }

    /// Ends the session with one machine; the next command opens a new one.
    pub async fn forget(&self, host: &Target) {
        if let Some(connection) = self.slot(host).take().await {
            connection.close().await;
        }
    }

    /// How many commands were sent so far, without what it took to find out about sudo.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn learned(&self, machine: &str) -> Option<String> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).get(machine).cloned()
    }

    async fn connection(&self, host: &Target) -> Result<Arc<Connection>, HostError> {
        self.slot(host).get(self.connect(host)).await
    }

    fn slot(&self, host: &Target) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(host.clone()).or_default())
    }

    async fn attempt(&self, connection: &Connection, command: &Command) -> Result<Output, Trouble> {
        let limit = command.limit().unwrap_or(self.config.command_timeout);
        let open_limit = self.config.connect_timeout;
        let password = self.config.sudo_password.as_ref();
        let sudo = match command.is_root() {
            true => connection.become_root(password, (limit, open_limit)).await?,
            false => Sudo::None,
        };
        let line = command.line(sudo).map_err(Trouble::Error)?;
        let input = command.input(password.filter(|_| sudo == Sudo::Password));
        self.requests.fetch_add(1, Ordering::Relaxed);
        let job = Job { shown: command.to_string(), line, input, limit, open_limit };
        let output = connection.exec(job).await?;
        match sudo::refusal(&output) {
            Some(problem) if sudo != Sudo::None => {
                Err(Trouble::Error(connection.sudo_error(problem)))
            }
            _ => Ok(output),
        }
    }
}
