//! The machines' insides: SSH servers in this process, each with a small model of an Ubuntu host.
//!
//! A host is data; a command is a function from a host and its words to an output and the effects
//! on the world. Only `server` and `network` know sockets.

mod arguments;
mod birth;
mod cluster;
mod content;
mod curl;
mod desk;
mod docker;
mod drift;
mod effect;
mod exec;
mod files;
mod follow;
mod hands;
mod hosts;
mod k3s;
mod key;
mod model;
mod network;
mod parts;
mod probe;
mod scripts;
mod server;
mod session;
mod shell;
mod spare;
mod standing;
mod status;
mod systemctl;
mod systemd;
mod tools;
mod ufw;
mod units;

pub use hands::{HostAction, HostAnswer};
pub use status::{HostEndpoint, StatusCommand, StatusHost};

pub(super) use desk::{HostDesk, HostRecord, Verdict};
pub(super) use hosts::Hosts;
pub(super) use key::{client_key, fingerprint};
pub(super) use network::Network;
pub(super) use spare::Spare;
pub(super) use standing::Standing;

#[cfg(test)]
mod tests;
