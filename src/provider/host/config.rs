//! How machines are reached, and which.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::{Auth, JumpConfig, KnownHosts, Route};

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
