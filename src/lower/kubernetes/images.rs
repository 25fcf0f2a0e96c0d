//! Which image a container runs.
//!
//! Mirrors and logins of `[images]` are the machines' own (`registries.yaml` of k3s): a name stays
//! as it is where its registry is asked elsewhere, and no pod needs a pull secret. Only `replace`
//! changes names.

use crate::spec::Spec;

/// The image of a name and a tag, as the spec has it: `registry/folder/name:tag`.
///
/// A replacement that says no tag keeps the one asked for; one that begins with `:` or `@` keeps
/// the name.
pub fn name(spec: &Spec, name: &str, tag: &str) -> String {
    pinned(spec, name, tag, None)
}

/// Like [`name`], with the content's digest (`sha256:…`) behind it where one is given. A
/// replacement with a tag or digest of its own is other content, so the digest is left out.
pub fn pinned(spec: &Spec, name: &str, tag: &str, digest: Option<&str>) -> String {
    let asked = |name: &str| match digest {
        Some(digest) => format!("{name}:{tag}@{digest}"),
        None => format!("{name}:{tag}"),
    };
    match spec.images.replace.get(name).map(|image| image.value.as_str()) {
        None => asked(name),
        Some(image) if image.starts_with([':', '@']) => format!("{name}{image}"),
        Some(image) if version(image).is_empty() => asked(image),
        Some(image) => image.to_owned(),
    }
}

/// A whole image reference, through the spec's replacements: what comes of upstream's manifests.
pub fn reference(spec: &Spec, image: &str) -> String {
    let version = version(image);
    let name = image.strip_suffix(version).unwrap_or(image);
    match spec.images.replace.get(name).map(|image| image.value.as_str()) {
        None => image.to_owned(),
        Some(other) if other.starts_with([':', '@']) => format!("{name}{other}"),
        Some(other) if self::version(other).is_empty() => format!("{other}{version}"),
        Some(other) => other.to_owned(),
    }
}

/// An image reference without its tag and digest.
pub fn bare(image: &str) -> &str {
    image.strip_suffix(version(image)).unwrap_or(image)
}

/// Tag and digest of an image, with the `:` or `@` they begin with; empty where it has neither. A
/// colon before the last slash is that of a registry's port.
fn version(image: &str) -> &str {
    let path = image.rfind('/').map_or(0, |slash| slash + 1);
    let start = image[path..].find([':', '@']);
    start.map_or("", |start| &image[path + start..])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    const DIGEST: &str = "sha256:cdce4c97940de307fbc819624077cb68cb8b124f5d8ddd7d3f9e8551d5f3180e";

    fn check(replacement: &str, expected: &str, expected_pinned: &str) {
        let images = format!("[images]\nreplace = {{ \"r.io/x/driver\" = \"{replacement}\" }}\n");
        let spec = spec(&[("[storage]", &format!("{images}[storage]"))]);
        assert_eq!(name(&spec, "r.io/x/driver", "v1"), expected);
        assert_eq!(reference(&spec, "r.io/x/driver:v1"), expected);
        assert_eq!(pinned(&spec, "r.io/x/driver", "v1", Some(DIGEST)), expected_pinned);
        assert_eq!(name(&spec, "r.io/x/syncer", "v1"), "r.io/x/syncer:v1");
    }

    #[test]
    fn a_replacement_changes_what_it_names_and_keeps_the_rest() {
        check("m:5000/driver", "m:5000/driver:v1", &format!("m:5000/driver:v1@{DIGEST}"));
        check("m:5000/driver:v2", "m:5000/driver:v2", "m:5000/driver:v2");
        check(":v2", "r.io/x/driver:v2", "r.io/x/driver:v2");
        let content = format!("m/driver@{DIGEST}");
        check(&content, &content, &content);
    }

    #[test]
    fn without_a_word_in_the_spec_an_image_is_what_was_asked_for() {
        let spec = spec(&[]);
        assert_eq!(name(&spec, "r.io:5000/driver", "v1"), "r.io:5000/driver:v1");
        let pinned = pinned(&spec, "r.io/driver", "v1", Some(DIGEST));
        assert_eq!(pinned, format!("r.io/driver:v1@{DIGEST}"));
        assert_eq!(reference(&spec, &pinned), pinned);
        assert_eq!(bare(&pinned), "r.io/driver");
        assert_eq!(bare("r.io:5000/driver"), "r.io:5000/driver");
    }
}
