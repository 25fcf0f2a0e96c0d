//! Objects of the cluster: manifests as boma writes them, one file per noun.

pub mod cpi;
pub mod cpi_conf;
pub mod cpi_manifest;
pub mod images;
pub mod node;
mod object;
pub mod sources;
pub mod traefik;
pub mod upstream;
pub mod yaml;

pub use object::{cluster, place_in_cluster};
