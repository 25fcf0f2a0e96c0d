//! The host on the way to the others.

use super::Auth;

/// A host that forwards connections to the machines (`ProxyJump` of OpenSSH).
#[derive(Clone, Debug)]
pub struct JumpConfig {
    /// Name or address.
    pub address: String,
    /// Its SSH port.
    pub port: u16,
    /// Who logs in there.
    pub user: String,
    /// How. `None` is the same as for the machines.
    pub auth: Option<Auth>,
    /// Fingerprint of its host key as the spec pins it, `SHA256:…`. `None` leaves it to
    /// known_hosts.
    pub pin: Option<String>,
}
