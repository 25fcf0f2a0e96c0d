//! What can go wrong between boma and a host.

use std::time::Duration;

use thiserror::Error;

use super::{Command, Expected, Output, Target};
use crate::provider::ProviderError;

/// A host that cannot be used, or a command that did not end by itself with success. Holds words
/// and what the host printed, never standard input. `machine` is the target's name, or the address
/// of the jump host.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HostError {
    /// The private key that the spec names cannot be used.
    #[error("the SSH private key cannot be used: {problem}")]
    PrivateKey {
        /// Why.
        problem: String,
    },
    /// The agent cannot be asked, or holds no key.
    #[error("the SSH agent at {socket} cannot be used: {problem}")]
    Agent {
        /// Path of its socket.
        socket: String,
        /// Why.
        problem: String,
    },
    /// known_hosts cannot be read, or cannot be understood where that would be dangerous.
    #[error("{place} cannot be used: {problem}")]
    KnownHosts {
        /// The file, with the line where one is meant.
        place: String,
        /// Why.
        problem: String,
    },
    /// No TCP connection.
    #[error("{machine} ({address}) cannot be reached: {problem}")]
    Connect {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// Why.
        problem: String,
    },
    /// No login within [`SshConfig::connect_timeout`](super::SshConfig).
    #[error("{machine} ({address}) did not let boma in within {after:?}: {stage}")]
    ConnectTimeout {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// What was being waited for.
        stage: String,
        /// How long.
        after: Duration,
    },
    /// What answers does not speak SSH as boma does.
    #[error("no SSH session with {machine} ({address}): {problem}")]
    Handshake {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// Why.
        problem: String,
    },
    /// Nothing says which key the host has.
    #[error(
        "the host key of {machine} ({address}) is unknown: it shows {presented}, and neither the spec, the machine nor known_hosts names a key"
    )]
    UnknownKey {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// The key of `[ssh]` that pins its fingerprint.
        pin: String,
        /// Algorithm and fingerprint of the key shown.
        presented: String,
    },
    /// Another key is expected.
    #[error(
        "the host key of {machine} ({address}) is not the expected one: it shows {presented}, but {expected}"
    )]
    ChangedKey {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// The key of `[ssh]` that pins its fingerprint.
        pin: String,
        /// Algorithm and fingerprint of the key shown.
        presented: String,
        /// What was expected.
        expected: Box<Expected>,
    },
    /// The key, or the authority behind its certificate, is revoked.
    #[error(
        "the host key of {machine} ({address}) is revoked: it shows {presented}, which {place} revokes"
    )]
    RevokedKey {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// Algorithm and fingerprint of the key shown.
        presented: String,
        /// File and line.
        place: String,
    },
    /// A certificate by a trusted authority that is not good for this host.
    #[error(
        "the host certificate of {machine} ({address}) is not valid: {problem} (key {presented})"
    )]
    Certificate {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// Algorithm and fingerprint of the certified key.
        presented: String,
        /// Why.
        problem: String,
    },
    /// The host does not let the user in.
    #[error("{machine} ({address}) refuses {user}: {tried}")]
    Login {
        /// The machine.
        machine: String,
        /// Its address and port.
        address: String,
        /// Who.
        user: String,
        /// Which keys were tried.
        tried: String,
    },
    /// A host does not connect to another place on boma's behalf.
    #[error("{through} does not connect to {to}: {problem}")]
    Forward {
        /// The machine, or the jump host.
        through: String,
        /// Address and port.
        to: String,
        /// Why.
        problem: String,
    },
    /// A command or path that cannot be sent as it is.
    #[error("`{command}` cannot be sent: {problem}")]
    Unsendable {
        /// The words.
        command: String,
        /// Why.
        problem: String,
    },
    /// The host does not take the command, which did not run.
    #[error("{machine} does not run `{command}`: {problem}")]
    Refused {
        /// The machine.
        machine: String,
        /// The words.
        command: String,
        /// Why.
        problem: String,
    },
    /// The user cannot become root.
    #[error("sudo on {machine} refuses {user}: {problem}")]
    Sudo {
        /// The machine.
        machine: String,
        /// Who.
        user: String,
        /// What sudo said.
        problem: String,
    },
    /// The command took too long; it may still be running.
    #[error("`{command}` on {machine} did not end within {after:?}")]
    Timeout {
        /// The machine.
        machine: String,
        /// The words.
        command: String,
        /// How long.
        after: Duration,
    },
    /// Nothing was heard from the host, not even an answer to keepalives.
    #[error("{machine} fell silent for {after:?} during `{command}`")]
    Idle {
        /// The machine.
        machine: String,
        /// The words.
        command: String,
        /// How long.
        after: Duration,
    },
    /// The connection ended before the command did; the command may have run.
    #[error("the connection to {machine} was cut during `{command}`: {problem}")]
    Cut {
        /// The machine.
        machine: String,
        /// The words.
        command: String,
        /// Why.
        problem: String,
    },
    /// The command was ended by a signal.
    #[error("`{command}` on {machine} was ended by signal {signal}{}", said(.stderr))]
    Signal {
        /// The machine.
        machine: String,
        /// The words.
        command: String,
        /// Name without `SIG`.
        signal: String,
        /// What it printed before.
        stderr: String,
    },
    /// The command printed more than is kept in memory.
    #[error("`{command}` on {machine} printed more than {limit} bytes")]
    Flood {
        /// The machine.
        machine: String,
        /// The words.
        command: String,
        /// How much is kept.
        limit: usize,
    },
    /// The command ended with a status that is not 0.
    #[error("`{command}` on {machine} ended with status {status}{}", said(.stderr))]
    Failed {
        /// The machine.
        machine: String,
        /// The words.
        command: String,
        /// Exit status.
        status: i32,
        /// The last of its standard error.
        stderr: String,
    },
}

impl HostError {
    /// The error for a command that ended with a status that is not 0.
    pub fn failed(host: &Target, command: &Command, output: &Output) -> Self {
        Self::Failed {
            machine: host.machine.clone(),
            command: command.to_string(),
            status: output.status,
            stderr: tail(&output.stderr),
        }
    }

    /// The error of a provider that was doing `operation`.
    pub fn during(&self, operation: impl Into<String>) -> ProviderError {
        ProviderError {
            operation: operation.into(),
            message: self.to_string(),
            help: self.help(),
            retry: self.retry(),
        }
    }
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

/// The last of what was printed: its last ten lines, at most 2000 characters.
pub(super) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    let kept = harmless(&lines[lines.len().saturating_sub(10)..].join("\n"));
    let skip = kept.chars().count().saturating_sub(2000);
    kept.chars().skip(skip).collect()
}

/// What a host said, without what could move a terminal's cursor or change its colours.
pub(super) fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}
