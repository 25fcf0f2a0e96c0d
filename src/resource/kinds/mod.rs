//! The facts of each kind of the product, one file a kind.

mod folder;
mod permission;
mod role;
mod vm;

use super::Kind;

/// Every kind, in the order of the stack.
pub const ALL: &[Kind] = &[role::ROLE, folder::FOLDER, vm::VM, permission::PERMISSION];
