//! Objects of the cluster: manifests as boma writes them, one file per noun.

pub mod images;
mod object;

pub use object::{cluster, place_in_cluster};
