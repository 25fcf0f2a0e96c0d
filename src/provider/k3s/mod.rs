//! Machines: everything behind the endpoints `host/*`, the k3s on them included.
//!
//! - One read-only command per host and reading, whatever the number of kinds that are wanted. The
//!   first server that shows the cluster's nodes counts for all.
//! - Every file is written whole and renamed, so a create that was interrupted is just done again.
//! - No process is started so that boma waits for it: starts do not block, and readiness is read.
//! - A token is never an argument of a command: files with mode 0600, standard input of `curl`.

mod access;
mod arguments;
mod clock;
mod cluster;
mod config;
mod deed;
mod diagnose;
mod heart;
mod install;
mod join;
mod kubectl;
mod node;
mod preflight;
mod provider;
mod reading;
mod registries;
mod release;
mod remove;
mod rotate;
mod settings;
mod token;
mod unit;

#[cfg(test)]
mod tests;

pub use preflight::Candidate;
pub use provider::Machines;
