//! Versions as numbers that can be compared.

use std::fmt;

/// Three numbers; what follows them (`+k3s1`, `-rc.1`) does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Never 0 in what boma handles.
    pub major: u32,
    /// The Kubernetes minor, for k3s and CPI.
    pub minor: u32,
    /// The patch release.
    pub patch: u32,
}

impl Version {
    /// Builds one.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `v1.35.9+k3s1`, `v3.8.0-rc.1` or `5.3.1`. `None` for anything else, about which
    /// rules then say nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let numbers = text.split(['+', '-']).next()?;
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        let version = Self::new(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(u32, u32, u32)>) {
        let expected = expected.map(|(major, minor, patch)| Version::new(major, minor, patch));
        assert_eq!(Version::parse(text), expected, "{text}");
    }

    #[test]
    fn three_numbers_count_and_the_rest_does_not() {
        check("v1.35.9+k3s1", Some((1, 35, 9)));
        check("v3.8.0-rc.1", Some((3, 8, 0)));
        check("5.3.1", Some((5, 3, 1)));
        check("5.3", None);
        check("5.3.1.0", None);
        check("latest", None);
    }
}
