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
mod project;
mod role;
mod rollout;
mod rule;
mod site;
mod vm;

#[cfg(test)]
#[allow(clippy::panic)]
mod testing;

pub use kubernetes::sources::{SourceError, Sources, wanted as wanted_sources};
pub use kubernetes::volumes::retain;
pub use lowering::{lower, lower_with, vcenter_paths};
