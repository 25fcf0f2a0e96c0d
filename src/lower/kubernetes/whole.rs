//! Everything that all projects share in the cluster.

use super::sources::Sources;
use super::{cpi, csi, node, snapshot, storage, traefik};
use crate::resource::Resource;
use crate::spec::Spec;

/// All resources of the cluster, in no order of their own.
pub fn resources(spec: &Spec, sources: &Sources) -> Vec<Resource> {
    let parts = [
        cpi::cpi(spec, sources),
        node::nodes(spec),
        traefik::traefik(spec),
        csi::csi(spec, sources),
        storage::classes(spec),
        snapshot::snapshots(spec),
    ];
    parts.into_iter().flatten().collect()
}
