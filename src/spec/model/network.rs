//! `[network]`

use crate::diag::Place;

use super::{Sp, Subnet};

/// Who may reach the machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The table, or the file's start where there is none.
    pub place: Place,
    /// Whether boma manages the machines' firewalls at all.
    pub firewall: Sp<bool>,
    /// Who may reach ports 80 and 443; empty: everybody.
    pub ingress_from: Vec<Sp<Subnet>>,
    /// More openings.
    pub allow: Vec<Allow>,
    /// Whether all else is refused. `None`: on machines boma made, not on adopted ones.
    pub default_deny: Option<Sp<bool>>,
}

/// One opening in the firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The table.
    pub place: Place,
    /// The source network.
    pub from: Sp<Subnet>,
    /// The destination port.
    pub port: Sp<u16>,
    /// TCP unless said otherwise.
    pub protocol: Sp<Protocol>,
    /// On which machines.
    pub on: Sp<AllowOn>,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
}

/// The machines an opening is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AllowOn {
    /// `all`
    All,
    /// `servers`
    Servers,
    /// `agents`
    Agents,
}
