//! Versions such as `v1.35.9+k3s1`.

/// A version, in parts that compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
    /// The number after `+k3s`.
    pub build: u32,
}

impl Version {
    /// Reads `v1.35.9+k3s1`; what is missing counts as 0, and so does what is no number.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim().trim_start_matches('v');
        let (numbers, build) = text.split_once("+k3s").unwrap_or((text, ""));
        let mut numbers = numbers.split(['.', '-']).map(number);
        let mut next = || numbers.next().unwrap_or_default();
        Self { major: next(), minor: next(), patch: next(), build: number(build) }
    }

    /// What the version skew policies compare.
    pub(super) fn line(self) -> (u32, u32) {
        (self.major, self.minor)
    }
}

fn number(text: &str) -> u32 {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::read("v1.9.1+k3s1") < Version::read("v1.10.0+k3s1"));
        assert!(Version::read("v1.35.9+k3s2") > Version::read("v1.35.9+k3s1"));
        assert_eq!(Version::read("v1.25.14+k3s1").line(), (1, 25));
        assert_eq!(Version::read("").line(), (0, 0));
    }
}
