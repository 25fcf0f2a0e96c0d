//! Objects of the cluster: manifests as boma writes them, one file per noun.

pub mod cpi;
pub mod cpi_conf;
pub mod cpi_manifest;
pub mod csi;
mod csi_conf;
mod csi_container;
mod csi_controller;
mod csi_node;
mod csi_rbac;
mod csi_release;
pub mod images;
pub mod node;
mod object;
pub mod observed;
pub mod rbac;
mod schema;
mod served;
mod servers;
pub mod snapshot;
mod snapshot_controller;
mod snapshot_definition;
pub mod sources;
pub mod storage;
mod supplied;
pub mod traefik;
pub mod upstream;
pub mod volumes;
mod whole;
pub mod yaml;

pub use object::{cluster, object, place_in_cluster};
pub use observed::observed;
pub use whole::resources;
