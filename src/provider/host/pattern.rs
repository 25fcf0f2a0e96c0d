//! The first field of a known_hosts line: which hosts it is about.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Names and patterns, or one hashed name.
#[derive(Clone, Debug)]
pub(super) enum HostPattern {
    /// Lower-case patterns with `*` and `?`; true for one that excludes (`!`).
    Plain(Vec<(bool, String)>),
    /// `|1|salt|hash`: HMAC-SHA1 of the name with the salt as the key.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl HostPattern {
    /// Reads the field. `None` where it is hashed in a way that OpenSSH does not write.
    pub(super) fn parse(field: &str) -> Option<Self> {
        if let Some(hashed) = field.strip_prefix('|') {
            let (salt, hash) = hashed.strip_prefix("1|")?.split_once('|')?;
            return Some(Self::Hashed { salt: base64(salt)?, hash: base64(hash)? });
        }
        let patterns = field.split(',').filter(|pattern| !pattern.is_empty());
        Some(Self::Plain(patterns.map(excluding).collect()))
    }

    /// Whether it is about this name, which is lower-case, and `[name]:port` off port 22.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
                .is_ok_and(|mac| mac.chain_update(name.as_bytes()).verify_slice(hash).is_ok()),
            Self::Plain(patterns) => {
                let hit = |excludes: bool| {
                    let mut some = patterns.iter().filter(|pattern| pattern.0 == excludes);
                    some.any(|pattern| glob(pattern.1.as_bytes(), name.as_bytes()))
                };
                hit(false) && !hit(true)
            }
        }
    }
}

/// Whether a text matches a pattern in which `*` is any text and `?` any one byte.
pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and how much of the text it takes: going back further than to
    // the last star can never help, so the time is at most pattern times text.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((position, taken)) = star else { return false };
                star = Some((position, taken + 1));
                at = position + 1;
                from = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

fn excluding(pattern: &str) -> (bool, String) {
    match pattern.strip_prefix('!') {
        Some(rest) => (true, rest.to_ascii_lowercase()),
        None => (false, pattern.to_ascii_lowercase()),
    }
}

/// Standard base64 (RFC 4648, section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(field: &str, name: &str, expected: bool) {
        let pattern = HostPattern::parse(field).expect(field);
        assert_eq!(pattern.matches(name), expected, "{field} for {name}");
    }

    #[test]
    fn names_match_as_in_openssh() {
        check("server-1", "server-1", true);
        check("Server-1", "server-1", true);
        check("server-1", "server-10", false);
        check("a,server-1,b", "server-1", true);
        check("*", "anything", true);
        check("*.example.org", "a.example.org", true);
        check("*.example.org", "example.org", false);
        check("10.20.0.?", "10.20.0.7", true);
        check("10.20.0.?", "10.20.0.17", false);
        check("*.org,!bad.org", "bad.org", false);
        check("!bad.org", "good.org", false);
        check("[10.0.0.1]:2222", "[10.0.0.1]:2222", true);
        check("10.0.0.1", "[10.0.0.1]:2222", false);
        check("", "", false);
        check("a*b*c*d", "axxbxxcxxd", true);
        check("a*b*c*d", "axxbxxcxxdx", false);
    }

    /// Written by `ssh-keygen -H`.
    #[test]
    fn hashed_names_match() {
        let host = "|1|GMF2f5BJcIdcB5QqjJK9g/gNHNE=|oZZmTfwL1sCLjoz3iy/DzN4ogTU=";
        let with_port = "|1|r9t/WnZQrO6O9K3NLqaO1dkiWZg=|6F1QmiAzmJU/AmNwX0FA1e6IExs=";
        check(host, "example.com", true);
        check(host, "example.org", false);
        check(with_port, "[10.0.0.1]:2222", true);
        check(with_port, "10.0.0.1", false);
        for unknown in ["|2|AAAA|AAAA", "|1|AAAA", "|1|A*A|AAAA", "|"] {
            assert!(HostPattern::parse(unknown).is_none(), "{unknown}");
        }
    }
}
