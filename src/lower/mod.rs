//! From the checked spec to resources: one file per noun.

mod folder;
mod lowering;
mod permission;
mod role;
mod vm;

pub use lowering::{lower, vcenter_paths};
