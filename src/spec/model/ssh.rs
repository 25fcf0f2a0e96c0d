//! `[ssh]`

use std::collections::BTreeMap;

use crate::diag::Place;

use super::{Seconds, SecretRef, Sp, Subnet};

/// How boma reaches the machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The table.
    pub place: Place,
    /// The login, with sudo rights.
    pub user: Sp<String>,
    /// TCP port.
    pub port: Sp<u16>,
    /// The private key. `None`: keys come from the SSH agent.
    pub key: Option<Sp<SecretRef>>,
    /// Public keys that machines cloned by boma accept; empty: only those of the template.
    pub authorized_keys: Vec<Sp<String>>,
    /// `None`: sudo asks for no password.
    pub sudo_password: Option<Sp<SecretRef>>,
    /// The networks that may open SSH; empty: the firewall leaves port 22 to everybody.
    pub from: Vec<Sp<Subnet>>,
    /// A known_hosts file. `None`: `~/.ssh/known_hosts`.
    pub known_hosts: Option<Sp<String>>,
    /// Pinned host keys by machine name: `SHA256:…`.
    pub host_keys: BTreeMap<String, Sp<String>>,
    /// `None`: machines are reached directly.
    pub jump: Option<Jump>,
    /// For the connection and the login.
    pub connect_timeout: Sp<Seconds>,
    /// For a command from start to end.
    pub command_timeout: Sp<Seconds>,
    /// Without any output from a command.
    pub idle_timeout: Sp<Seconds>,
}

/// A host that connections go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Host name or address.
    pub host: Sp<String>,
    /// TCP port.
    pub port: Sp<u16>,
    /// The login there.
    pub user: Sp<String>,
    /// `None`: the key of `[ssh]`.
    pub key: Option<Sp<SecretRef>>,
    /// `SHA256:…`; `None`: known_hosts decides.
    pub host_key: Option<Sp<String>>,
}
