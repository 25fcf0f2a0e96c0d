//! The vCenter asked directly, without sockets: what it does, and what it refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod collector;
mod disks;
mod inventory;
mod machines;
mod permissions;
mod privileges;
mod rest;
mod rules;
mod staged;
mod strictness;
mod time;
mod updates;
