//! Hosts asked over SSH by a client of their own, and hosts as data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod commands;
mod commands_in_pods;
mod faults;
mod following;
mod k3s;
mod kubernetes;
mod world;
