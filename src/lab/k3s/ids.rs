//! Identities and encodings, as functions of the seed and of what they name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(super) use crate::lab::seed::{digest, hex};

/// A text that `Debug` does not show.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::lab) struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(MASK)
    }
}

/// What k3s and this model show instead of a secret.
pub(super) const MASK: &str = "********";

/// The digest of a text, in lower-case hexadecimal.
pub(in crate::lab) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The first letters of the digest in hexadecimal.
pub(in crate::lab) fn short(seed: u64, parts: &[&str], length: usize) -> String {
    hex(&digest(seed, parts)).chars().take(length).collect()
}

/// A version 4 UUID in its usual form.
pub(in crate::lab) fn uuid(seed: u64, parts: &[&str]) -> String {
    let mut text = hex(&digest(seed, parts));
    text.replace_range(12..13, "4");
    text.replace_range(16..17, "a");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..32])
}

/// Standard base 64, padded.
pub(in crate::lab) fn base64(bytes: &[u8]) -> String {
    encode(bytes, 6, 4, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}

/// Standard base 32, padded: the form of `k3s.io/node-config-hash`.
pub(in crate::lab) fn base32(bytes: &[u8]) -> String {
    encode(bytes, 5, 8, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

/// Milliseconds since 1970 as Kubernetes writes times: `2026-11-22T20:46:15Z`.
pub(in crate::lab) fn time(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(0);
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// A certificate in PEM. Nobody can verify anything with it; it is there to be compared and hashed.
pub(in crate::lab) fn certificate(seed: u64, parts: &[&str]) -> String {
    let mut bytes = vec![0x30, 0x82, 0x01, 0x3c];
    for block in 0..10 {
        let block = block.to_string();
        let parts: Vec<&str> = parts.iter().copied().chain([block.as_str()]).collect();
        bytes.extend(digest(seed, &parts));
    }
    let body = base64(&bytes);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or("")).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn encode(bytes: &[u8], bits: u32, group: usize, alphabet: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut count) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xffff;
        count += 8;
        while count >= bits {
            count -= bits;
            text.push(letter(alphabet, held >> count, bits));
        }
    }
    if count > 0 {
        text.push(letter(alphabet, held << (bits - count), bits));
    }
    while !text.len().is_multiple_of(group) {
        text.push('=');
    }
    text
}

fn letter(alphabet: &[u8], value: u32, bits: u32) -> char {
    let index = (value & ((1 << bits) - 1)) as usize;
    alphabet.get(index).map_or('A', |letter| char::from(*letter))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_the_standard_ones() {
        assert_eq!(base64(b"foobar!"), "Zm9vYmFyIQ==");
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI======");
        assert_eq!(base32(&[0; 32]).len(), 56);
        assert_eq!(time(1_795_380_375_000), "2026-11-22T20:46:15Z");
        let pem = certificate(1, &["a"]);
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\nMII") && pem.ends_with("-----\n"));
        assert!(pem.lines().all(|line| line.len() <= 64));
        assert_eq!(format!("{:?}", Hidden("secret".to_owned())), MASK);
    }
}
