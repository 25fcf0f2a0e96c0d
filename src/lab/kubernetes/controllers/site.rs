//! What a lab knows of its vCenter besides the world.

use std::collections::BTreeMap;

/// How the vCenter is called, and who logs in with what.
#[derive(Clone, Debug, Default)]
pub(in crate::lab) struct Site {
    /// The name or address it answers to; empty where it answers to any.
    pub vcenter: String,
    /// Passwords that are not the ones drawn from the seed, by account in its one form.
    pub passwords: BTreeMap<String, String>,
    /// Machines have the images that no registry gives any more.
    pub old_images: bool,
}
