//! Images of CHT's releases.

/// What Medic publishes for every release.
const SERVICES: [&str; 7] =
    ["api", "sentinel", "haproxy", "haproxy-healthcheck", "couchdb", "nginx", "couchdb-nouveau"];
const REGISTRY: &str = "public.ecr.aws/medic/cht-";
const UPGRADE_SERVICE: &str = "medicmobile/upgrade-service";
/// Series and their last patch (medic/cht-docs, `content/en/releases/_index.md`).
const SERIES: [((u64, u64), u64); 5] =
    [((4, 22), 0), ((5, 0), 3), ((5, 1), 3), ((5, 2), 0), ((5, 3), 1)];
/// Of the 4.x series before, whose patches that list does not give.
const OLD_PATCH_MAX: u64 = 9;

/// Whether Medic published an image. `None` for one that is not theirs.
pub(in crate::lab::kubernetes::controllers) fn pull(image: &str) -> Option<bool> {
    let (name, tag) = split(image);
    if name.strip_prefix("docker.io/").unwrap_or(name) == UPGRADE_SERVICE {
        return Some(tag == "0.32");
    }
    let service = name.strip_prefix(REGISTRY)?;
    let known = SERVICES.contains(&service) && version(tag).is_some_and(is_release);
    let nouveau_before_5 = service == "couchdb-nouveau" && version(tag) < Some((5, 0, 0));
    Some(known && !nouveau_before_5)
}

/// `api` of `mirror.example.org/medic/cht-api:4.22.0`: a mirror changes all but the last part.
pub(super) fn service(image: &str) -> Option<&str> {
    let last = split(image).0.rsplit('/').next()?;
    if last == "upgrade-service" {
        return Some(last);
    }
    last.strip_prefix("cht-").filter(|service| SERVICES.contains(service))
}

/// `4.22.0` of `public.ecr.aws/medic/cht-api:4.22.0`; empty where there is none.
pub(super) fn tag(image: &str) -> &str {
    split(image).1
}

/// The release of an image, for comparing.
pub(super) fn version(tag: &str) -> Option<(u64, u64, u64)> {
    let mut parts = tag.split('.').map(|part| part.parse().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}

fn is_release((major, minor, patch): (u64, u64, u64)) -> bool {
    let listed = SERIES.iter().find(|(series, _)| *series == (major, minor));
    match listed {
        Some((_, last)) => patch <= *last,
        None => major == 4 && minor < 22 && patch <= OLD_PATCH_MAX,
    }
}

/// Name and tag; a digest is no tag.
fn split(image: &str) -> (&str, &str) {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (name, ""),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(image: &str, expected: Option<bool>) {
        assert_eq!(pull(image), expected, "{image}");
    }

    #[test]
    fn releases_are_there_and_nothing_else() {
        check("public.ecr.aws/medic/cht-api:5.3.1", Some(true));
        check("public.ecr.aws/medic/cht-couchdb:4.21.1", Some(true));
        check("public.ecr.aws/medic/cht-couchdb-nouveau:5.0.3", Some(true));
        check("public.ecr.aws/medic/cht-couchdb-nouveau:4.22.0", Some(false));
        check("public.ecr.aws/medic/cht-api:5.3.2", Some(false));
        check("public.ecr.aws/medic/cht-api:5.3.1-by-hand", Some(false));
        check("public.ecr.aws/medic/cht-nothing:5.3.1", Some(false));
        check("medicmobile/upgrade-service:0.32", Some(true));
        check("medicmobile/upgrade-service:9", Some(false));
        check("mirror.example.org/medic/cht-api:5.3.1", None);
        assert_eq!(service("mirror.example.org:5000/medic/cht-api:5.3.1"), Some("api"));
        assert_eq!(service("example.org/api:1"), None);
        assert_eq!(tag("public.ecr.aws/medic/cht-api@sha256:ab"), "");
    }
}
