//! Which images can still be pulled.

/// Registries and paths that are gone (versions.md, vsphere.md 0): what they held cannot be had.
const DEAD: [&str; 3] =
    ["gcr.io/cloud-provider-vsphere/", "k8s.gcr.io/", "gcr.io/google-containers/"];

/// Repositories that hold no version below this one: tags that were never published again.
const SINCE: [(&str, (u64, u64)); 3] = [
    ("registry.k8s.io/csi-vsphere/driver", (3, 1)),
    ("registry.k8s.io/csi-vsphere/syncer", (3, 1)),
    ("registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere", (1, 28)),
];

/// Whether a kubelet can pull an image.
///
/// # Errors
/// The registry's words.
pub(super) fn pull(image: &str) -> Result<(), String> {
    let failed = |why: &str| {
        Err(format!(
            "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {why}"
        ))
    };
    if image.is_empty() || image.contains(char::is_whitespace) {
        return Err(format!(
            "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference format"
        ));
    }
    if super::cht::pull(image) == Some(false) {
        return failed(&format!("{image}: not found"));
    }
    if DEAD.iter().any(|dead| image.starts_with(dead)) {
        return failed(&format!("{image}: not found"));
    }
    let since = SINCE.iter().find(|(repository, _)| {
        image.strip_prefix(repository).is_some_and(|rest| rest.starts_with([':', '@']))
    });
    match (since, version(image)) {
        (Some((_, first)), Some(tag)) if tag < *first => failed(&format!("{image}: not found")),
        _ => Ok(()),
    }
}

/// Major and minor of an image's tag; `None` for a tag that is no version.
pub(super) fn version(image: &str) -> Option<(u64, u64)> {
    let name = image.split('@').next().unwrap_or(image);
    let tag = name.rsplit('/').next()?.split_once(':')?.1;
    let mut parts = tag.trim_start_matches('v').split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(image: &str, pulls: bool) {
        assert_eq!(pull(image).is_ok(), pulls, "{image}");
    }

    #[test]
    fn dead_registries_give_nothing() {
        check("gcr.io/cloud-provider-vsphere/cpi/release/manager:v1.25.3", false);
        check("k8s.gcr.io/sig-storage/csi-attacher:v3.5.0", false);
        check("registry.k8s.io/csi-vsphere/driver:v2.7.2", false);
        check("registry.k8s.io/csi-vsphere/driver:v3.7.2", true);
        check("registry.k8s.io/csi-vsphere/driver@sha256:cdce", true);
        check("mirror.example.org:5000/cpi/manager:v1.25.3", true);
        check("rancher/mirrored-coredns-coredns:1.12.3", true);
        check("with space", false);
        assert_eq!(version("a:5000/b/c:v1.35.1"), Some((1, 35)));
    }
}
