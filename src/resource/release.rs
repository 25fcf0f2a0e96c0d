//! Releases of k3s, as numbers that can be compared.

/// `v1.35.9+k3s1`: the Kubernetes version and k3s' own build of it. Order is that of releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// 1 so far.
    pub major: u32,
    /// Of Kubernetes.
    pub minor: u32,
    /// Of Kubernetes.
    pub patch: u32,
    /// Of k3s.
    pub build: u32,
}

impl Release {
    /// Reads a whole name. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (numbers, build) = text.strip_prefix('v')?.split_once("+k3s")?;
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next()??);
        let build = build.parse().ok()?;
        parts.next().is_none().then_some(Self { major, minor, patch, build })
    }

    /// Whether another release is further than Kubernetes may be upgraded in one go
    /// (kubernetes.io, `releases/version-skew-policy`: no minor is skipped).
    pub fn skips_to(&self, later: &Self) -> bool {
        self.major != later.major || later.minor > self.minor.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(u32, u32, u32, u32)>) {
        let found = Release::parse(text)
            .map(|release| (release.major, release.minor, release.patch, release.build));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn only_whole_names_are_releases() {
        check("v1.35.9+k3s1", Some((1, 35, 9, 1)));
        check("1.35.9+k3s1", None);
        check("v1.35.9", None);
        check("v1.35.9.1+k3s1", None);
        check("v1.35.9+k3s", None);
        check("", None);
    }
}
