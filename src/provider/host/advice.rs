//! What to do about a host that cannot be used.

use super::{HostError, KeySource};
use crate::provider::Retry;

impl HostError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::PrivateKey { .. } => "name an unencrypted OpenSSH, PKCS#8 or PKCS#1 key in [ssh] key, or load the key into an agent".into(),
            Self::Agent { .. } => "start an agent, set SSH_AUTH_SOCK and run ssh-add, or name a key file in [ssh] key".into(),
            Self::KnownHosts { .. } => "make the file readable for this user, or correct the line".into(),
            Self::Connect { .. } | Self::ConnectTimeout { .. } | Self::Handshake { .. } => {
                "check that the machine is on, that its address is right and that sshd and the firewalls on the way accept this computer".into()
            }
            Self::UnknownKey { pin, presented, .. } => format!(
                "{}; where it is the same, pin it in [ssh]: {pin} = \"{}\"",
                compare(presented),
                bare(presented)
            ),
            Self::ChangedKey { pin, presented, expected, .. } => {
                changed(pin, presented, &expected.source)
            }
            Self::RevokedKey { .. } => {
                "give the machine new host keys (`ssh-keygen -A` after deleting the old ones), then pin the new fingerprint in [ssh] host_keys".into()
            }
            Self::Certificate { .. } => {
                "have the host certificate issued anew for this address, or pin the key's fingerprint in [ssh] host_keys".into()
            }
            Self::Login { user, .. } => format!(
                "put the public key into ~{user}/.ssh/authorized_keys on the machine, or name another user or key in [ssh]"
            ),
            Self::Forward { .. } => {
                "check the address, and that sshd there allows TCP forwarding to it (AllowTcpForwarding, PermitOpen)".into()
            }
            Self::Unsendable { .. } => "take the character out of the value in the spec".into(),
            Self::Refused { .. } => "check sshd's log on the machine (`journalctl -u ssh`)".into(),
            Self::Sudo { user, .. } => format!(
                "correct the password in [ssh] sudo_password, or let {user} use sudo for all commands on the machine"
            ),
            Self::Timeout { .. } => "look on the machine whether it is still running and why it takes so long, then run boma again".into(),
            Self::Idle { .. } | Self::Cut { .. } => {
                "check the machine and the network on the way, then run boma again; it reads the machine anew and goes on".into()
            }
            Self::Signal { .. } => "check the machine's memory and its kernel log (`journalctl -k`), then run boma again".into(),
            Self::Flood { .. } => "run the command on the machine to see what it prints".into(),
            Self::Failed { stderr, .. } if stderr.contains("No space left on device") => {
                "free space on the machine, then run boma again".into()
            }
            Self::Failed { .. } => "run the command on the machine to see what is wrong".into(),
        }
    }

    /// Whether the same call can go well by itself later.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Handshake { .. }
            | Self::Forward { .. }
            | Self::Refused { .. }
            | Self::Timeout { .. }
            | Self::Idle { .. }
            | Self::Cut { .. }
            | Self::Signal { .. } => Retry::Later,
            Self::PrivateKey { .. }
            | Self::Agent { .. }
            | Self::KnownHosts { .. }
            | Self::UnknownKey { .. }
            | Self::ChangedKey { .. }
            | Self::RevokedKey { .. }
            | Self::Certificate { .. }
            | Self::Login { .. }
            | Self::Unsendable { .. }
            | Self::Sudo { .. }
            | Self::Flood { .. }
            | Self::Failed { .. } => Retry::Never,
        }
    }
}

fn changed(pin: &str, presented: &str, source: &KeySource) -> String {
    let fingerprint = bare(presented);
    let then = match source {
        KeySource::Spec => format!("correct {pin} in [ssh] to \"{fingerprint}\""),
        KeySource::Machine => format!("pin it in [ssh]: {pin} = \"{fingerprint}\""),
        KeySource::KnownHosts(place) => {
            format!("take out {place}, or pin the key in [ssh]: {pin} = \"{fingerprint}\"")
        }
    };
    let compare = compare(presented);
    format!(
        "somebody may be between this computer and the machine: {compare}; only where it is the same, {then}"
    )
}

/// How to see the fingerprint without the network in between.
fn compare(presented: &str) -> String {
    let kind = match presented {
        rsa if rsa.starts_with("ssh-rsa") => "rsa",
        ecdsa if ecdsa.starts_with("ecdsa") => "ecdsa",
        _ => "ed25519",
    };
    format!(
        "compare on the machine's console with `ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub`"
    )
}

/// The fingerprint without the algorithm in front of it.
fn bare(presented: &str) -> &str {
    presented.rsplit(' ').next().unwrap_or(presented)
}
