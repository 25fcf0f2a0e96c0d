//! Versions as their projects write them.

use super::Form;

/// `v1.35.9+k3s1`
pub(crate) static K3S: Form = Form {
    name: "a k3s version",
    help: "write the release's whole name: \"v1.35.9+k3s1\"",
    example: "v1.35.9+k3s1",
    pattern: r"^v1\.[0-9]+\.[0-9]+\+k3s[0-9]+$",
    check: |text| {
        let (release, build) = text.split_once('+').ok_or("\"+k3s1\" or the like is missing")?;
        let release = release.strip_prefix('v').ok_or("the \"v\" in front is missing")?;
        let (major, ..) = parse_triple(release).ok_or("not three numbers")?;
        let number = build.strip_prefix("k3s").unwrap_or("");
        if major != 1 || number.is_empty() || !is_number(number) {
            return Err("not a k3s release");
        }
        Ok(())
    },
};

/// `v3.7.2`
pub(crate) static RELEASE: Form = Form {
    name: "a release version",
    help: "write the release's tag: \"v3.7.2\"",
    example: "v3.7.2",
    pattern: r"^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-z.]+)?$",
    check: |text| {
        let release = text.strip_prefix('v').ok_or("the \"v\" in front is missing")?;
        let (numbers, suffix) = release.split_once('-').unwrap_or((release, "rc.1"));
        let suffix_fits = !suffix.is_empty()
            && suffix
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.');
        match parse_triple(numbers) {
            Some(_) if suffix_fits => Ok(()),
            _ => Err("not three numbers"),
        }
    },
};

/// Sidecars are released like the driver.
pub(crate) static SIDECAR: Form = Form {
    name: "a sidecar's version",
    help: "write the image's tag: \"v4.9.0\"",
    example: "v4.9.0",
    pattern: RELEASE_PATTERN,
    check: |text| (RELEASE.check)(text),
};

const RELEASE_PATTERN: &str = r"^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-z.]+)?$";

/// `29.0.0`
pub(crate) static DOCKER: Form = Form {
    name: "a Docker Engine version",
    help: "write three numbers: \"24.0.9\"",
    example: "24.0.9",
    pattern: r"^[0-9]+\.[0-9]+\.[0-9]+$",
    check: |text| parse_triple(text).map(drop).ok_or("not three numbers"),
};

/// `5.3.1`. Other majors have other containers: there is no one form that covers them.
pub(crate) static CHT: Form = Form {
    name: "a CHT release that boma can host",
    help: "write a 4.x or 5.x release in three numbers: \"5.3.1\"",
    example: "5.3.1",
    pattern: r"^[45]\.[0-9]+\.[0-9]+$",
    check: |text| match parse_triple(text) {
        Some((4 | 5, ..)) => Ok(()),
        Some(_) => Err("neither 4.x nor 5.x"),
        None => Err("not three numbers"),
    },
};

/// Three numbers joined by dots, without leading zeros or signs.
fn parse_triple(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| {
        let plain = is_number(part) && (part == "0" || !part.starts_with('0'));
        plain.then(|| part.parse().ok()).flatten()
    });
    let triple = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(triple)
}

/// The Kubernetes minor of a k3s or CPI version: 35 of `v1.35.9+k3s1`.
pub(crate) fn minor_of(version: &str) -> Option<u32> {
    version.strip_prefix("v1.")?.split('.').next()?.parse().ok()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn versions_are_whole() {
        check(
            &K3S,
            &["v1.25.14+k3s1"],
            &[
                "1.35.9+k3s1",
                "v1.35+k3s1",
                "v1.35.9",
                "v1.35.9+rke2r1",
                "v1.35.9+k3s",
                "v2.0.0+k3s1",
                "latest",
            ],
        );
        check(&RELEASE, &["v3.8.0-rc.1"], &["3.7.2", "v3.7", "v3.07.1", "v3.7.2-"]);
        check(&SIDECAR, &[], &["4.9.0"]);
        check(&DOCKER, &["29.0.0"], &["29", "v29.0.0", "99999999999.0.0"]);
        check(&CHT, &["4.22.0"], &["3.17.0", "5.3", "v5.3.1", "master", "5.3.1.0"]);
        assert_eq!(minor_of("v1.35.9+k3s1"), Some(35));
    }
}
