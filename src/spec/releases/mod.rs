//! What is known about releases, as data: what goes with what, until when, and which release
//! boma takes where a spec names none. Lowering, rules and the lock read this one table.
//!
//! The facts are those that the projects had published until 2026-11-22.

mod cht;
mod cpi;
mod csi;
mod defaults;
mod kubernetes;
mod registry;
mod version;

pub use cht::{
    CHT_NEWEST, NOUVEAU_EACH_SINCE, NOUVEAU_SINCE, TOLD_SINCE, UPGRADE_SERVICE, cht_end,
};
pub use cpi::{CpiMinor, cpi_minor, finds_by_uuid_only, pins_by_sha256, reads_endpoint_slices};
pub use csi::{
    CsiSeries, Digests, RENDERED, SIDECARS, Sidecars, csi_digests, csi_series, is_dense,
    is_rendered, sidecars,
};
pub use defaults::{CHT, DOCKER, K3S, cpi, csi, snapshots};
pub use kubernetes::{End, kubernetes_end, usable};
pub use registry::{CPI_FIRST, CSI_FIRST, LIVE, is_dead};
pub use version::Version;
