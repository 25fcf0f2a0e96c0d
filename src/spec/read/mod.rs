//! Reads the typed model out of the checked tree.
//!
//! What is missing or broken was reported before; a filler stands in, and no [`Spec`] with
//! a filler in it leaves this folder's caller.
//!
//! [`Spec`]: super::Spec

mod cluster;
mod expand;
mod group;
mod k3s;
mod machine;
mod project;
mod settings;
mod spec;
mod view;

pub(super) use spec::read;
