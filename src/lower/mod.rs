//! From the checked spec to resources: one file per noun.

mod cloud_init;
mod docker;
mod firewall;
mod folder;
mod host;
mod k3s;
mod k3s_config;
pub mod kubernetes;
mod lowering;
mod permission;
mod role;
mod rule;
mod site;
mod vm;

#[cfg(test)]
#[allow(clippy::panic)]
mod testing;

pub use lowering::{lower, vcenter_paths};
