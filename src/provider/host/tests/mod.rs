//! The transport against servers in the same process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod commands;
mod connections;
mod keys;
mod roots;
pub(super) mod shell;
mod trust;
