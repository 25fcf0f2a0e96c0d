//! Objects of the cluster: manifests as boma writes them, one file per noun.

mod object;

pub use object::{cluster, place_in_cluster};
