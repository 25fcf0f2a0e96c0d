//! Registries that images can no longer be pulled from.

use super::Version;

/// The project behind the first was deleted in September 2024 (cloud-provider-vsphere issue
/// 1251, vsphere-csi-driver issue 3053); the second is frozen.
const DEAD: [&str; 2] = ["gcr.io/cloud-provider-vsphere", "k8s.gcr.io"];

/// Where CPI, CSI and the sidecars are published now.
pub const LIVE: &str = "registry.k8s.io";

/// The first release of CPI there (kubernetes/k8s.io, `registry.k8s.io/images`).
pub const CPI_FIRST: Version = Version::new(1, 28, 0);

/// The first release of CSI there.
pub const CSI_FIRST: Version = Version::new(3, 1, 2);

/// Whether an image name, or a folder of images, is in a registry that does not answer.
pub fn is_dead(name: &str) -> bool {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(['/', ':', '@']);
    DEAD.iter().any(|dead| name.strip_prefix(dead).is_some_and(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_only_starts_alike_is_another_one() {
        assert!(is_dead("k8s.gcr.io") && is_dead("k8s.gcr.io/sig-storage/csi-attacher:v3.5.0"));
        assert!(!is_dead("k8s.gcr.io.example.org/x") && !is_dead("registry.k8s.io/x"));
    }
}
