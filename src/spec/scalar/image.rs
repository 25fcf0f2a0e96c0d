//! Images, digests and where files come from.

use super::Form;
use super::text::TEXT;

/// `https://…`
pub(crate) static URL: Form = Form {
    name: "an https URL",
    help: "write https://, the host and perhaps a path: \"https://mirror.example.org/k3s\"",
    example: "https://mirror.example.org",
    pattern: "^https?://[^ ]+$",
    check: check_url,
};

/// A path or an `https` URL.
pub(crate) static SOURCE: Form = Form {
    name: "a path or an https URL",
    help: "write a path beside the spec or a URL: \"manifests/csi.yaml\"",
    example: "manifests/csi.yaml",
    pattern: "",
    check: |text| {
        if text.contains("://") { check_url(text) } else { (TEXT.check)(text) }
    },
};

/// An image name without tag.
pub(crate) static IMAGE: Form = Form {
    name: "an image name without a tag",
    help: "write registry and path, all lower-case: \"registry.k8s.io/csi-vsphere/driver\"",
    example: "registry.k8s.io/csi-vsphere",
    pattern: r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*$",
    check: check_image,
};

/// `sha256:…`
pub(crate) static DIGEST: Form = Form {
    name: "an image digest",
    help: "write sha256: and 64 lower-case hex digits, as a registry prints it",
    example: "sha256:cdce4c97940de307fbc819624077cb68cb8b124f5d8ddd7d3f9e8551d5f3180e",
    pattern: "^sha256:[0-9a-f]{64}$",
    check: |text| match text.strip_prefix("sha256:") {
        Some(hex) => (SHA256.check)(hex),
        None => Err("\"sha256:\" is missing"),
    },
};

/// 64 hex digits.
pub(crate) static SHA256: Form = Form {
    name: "a SHA-256",
    help: "write 64 lower-case hex digits, as sha256sum prints them",
    example: "cdce4c97940de307fbc819624077cb68cb8b124f5d8ddd7d3f9e8551d5f3180e",
    pattern: "^[0-9a-f]{64}$",
    check: |text| {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(())
        } else {
            Err("not 64 lower-case hex digits")
        }
    },
};

fn check_url(text: &str) -> Result<(), &'static str> {
    // Plain http is allowed for mirrors inside: what they serve is checked by digest.
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        None => Err("does not start with https://"),
        Some(rest) if rest.contains('@') => Err("has a login in it"),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Err("the host is missing"),
        Some(rest) if rest.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            Err("has a space")
        }
        Some(_) => Ok(()),
    }
}

fn check_image(text: &str) -> Result<(), &'static str> {
    let mut parts = text.split('/');
    let registry = parts.next().unwrap_or("");
    let host = match registry.split_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => return Err("has a tag"),
        Some((host, _)) => host,
        None => registry,
    };
    let starts =
        |part: &str| part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = |part: &str, extra: &[u8]| {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || extra.contains(&byte);
        starts(part) && part.bytes().all(allowed)
    };
    if text.contains('@') {
        Err("has a digest")
    } else if text.rsplit('/').next().is_some_and(|last| text.contains('/') && last.contains(':')) {
        Err("has a tag")
    } else if fits(host, b".-") && parts.all(|part| fits(part, b"._-")) {
        Ok(())
    } else {
        Err("has a character that is not allowed")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn digests_have_their_length() {
        check(&DIGEST, &[], &["", "sha256:abc", SHA256.example]);
        check(&SHA256, &[], &[&"A".repeat(64), &"a".repeat(63)]);
    }

    #[test]
    fn names_of_images_and_urls_carry_no_extras() {
        check(
            &IMAGE,
            &["gcr.io/a/b", "registry:5000/a", "docker.io"],
            &["", "a/b:v1", "a@sha256:x", "A/b", "a//b", "nginx:latest"],
        );
        check(
            &URL,
            &["http://10.0.0.1:5000/x"],
            &["", "ftp://a", "https://", "https://u:p@a", "https://a b"],
        );
        check(&SOURCE, &["../a.yaml"], &["", "ftp://a/b"]);
    }
}
