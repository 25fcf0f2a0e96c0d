//! The facts of each kind of the product, one file a kind.

mod folder;
mod permission;
mod role;
mod rule;
mod site;
mod vm;

use super::Kind;

/// Every kind that is made, in the order of the stack.
pub const ALL: &[Kind] = &[role::ROLE, folder::FOLDER, vm::VM, rule::RULE, permission::PERMISSION];

/// What is only looked at.
pub const OBSERVED: &[Kind] = &[site::SITE];
