//! All integration tests as one program, which links once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod bench;
mod cli;
mod engine;
mod hosts;
mod kubernetes;
mod plans;
mod seeds;
mod spec;
mod tidy;
mod vsphere;
