//! Hosts over SSH: connections, trust in host keys, commands and files. It knows no kinds.
//!
//! Invariants:
//!
//! - **Nothing is interpreted.** A command is a list of words; each is quoted for a POSIX shell, so
//!   that the words arrive as they were given whatever is in them. There is no way to send a pipe,
//!   a redirection or a variable, and a word with a NUL byte is refused.
//! - **Secrets are never words.** They travel on standard input, the password of sudo included;
//!   commands, errors and `Debug` show words and what the host printed, never standard input.
//! - **The password of sudo never reaches the command.** It is sent only where sudo asks for it
//!   for certain: cached credentials are ignored, and what needs none is found out first.
//! - **No host key is trusted at first sight.** The spec's pin decides, else the fingerprint that
//!   the machine published, else known_hosts; a revoked key is refused whatever else says yes.
//!   Nothing is ever written to known_hosts.
//! - **One connection per host**, many channels on it. A connection found dead is reopened once,
//!   and only for a command that cannot have started.
//! - **A result is a status.** A signal, a timeout and a cut connection are errors, never an
//!   [`Output`].
//! - **Files are whole or not there.** [`Hosts::write`] fills a file beside the target and renames.

mod advice;
mod auth;
pub mod base64;
mod client;
mod command;
mod config;
mod connect;
mod connection;
pub mod docker;
mod error;
mod exec;
mod expected;
mod failure;
mod file;
pub mod firewall;
mod hosts;
mod jump;
mod known_hosts;
pub mod machine;
pub mod mark;
mod output;
mod pattern;
mod probe;
mod remote;
mod route;
mod slot;
mod sudo;
mod trust;
mod tunnel;
pub mod yaml;

#[cfg(test)]
pub mod scripted;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use auth::Auth;
pub use command::Command;
pub use config::{SshConfig, Target};
pub use error::HostError;
pub use expected::{Expected, KeySource};
pub use failure::Failure;
pub use file::{Content, RootFile};
pub use hosts::Hosts;
pub use jump::JumpConfig;
pub use known_hosts::KnownHosts;
pub use output::Output;
pub use probe::{Now, Probe};
pub use remote::{LONG, Remote, command};
pub use route::{Direct, Route};
