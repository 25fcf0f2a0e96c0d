//! Until when a certificate is good.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

/// Tags of ASN.1.
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// The last moment of a certificate's validity (RFC 5280, 4.1). `None` where it cannot be read.
pub fn end(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let whole = Item::read(certificate)?;
    let signed = Item::read(whole.content)?;
    let mut next = Item::read(signed.content)?;
    if next.tag == VERSION {
        next = Item::read(next.rest)?;
    }
    // From the serial number over the algorithm and the issuer to the validity.
    for _ in 0..3 {
        next = Item::read(next.rest)?;
    }
    let from = Item::read(next.content)?;
    time(&Item::read(from.rest)?)
}

fn time(item: &Item<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(item.content).ok()?;
    let (century, digits) = match item.tag {
        // Two digits mean 1950 to 2049.
        UTC_TIME if text.get(..2)? < "50" => ("20", text),
        UTC_TIME => ("19", text),
        GENERALIZED_TIME => (text.get(..2)?, text.get(2..)?),
        _ => return None,
    };
    let part = |at: usize| digits.get(at..at + 2);
    let [year, month, day, hour, minute, second] =
        [part(0)?, part(2)?, part(4)?, part(6)?, part(8)?, part(10)?];
    format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// One value in DER, and what follows it.
struct Item<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Item<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
        let (length, rest) = match first {
            ..=0x7f => (usize::from(first), rest),
            // So many bytes of length follow; no certificate needs more than three.
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some(Self { tag, content, rest })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 2, 28);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_both_forms_of_time() {
        for year in [2027, 2049, 2050, 2199] {
            let told = end(&certificate(year).into()).unwrap().to_string();
            assert_eq!(told, format!("{year}-02-28T00:00:00Z"));
        }
    }

    #[test]
    fn what_is_cut_short_or_no_certificate_has_no_end() {
        let whole = certificate(2027);
        // The names come before the key, and the times before both.
        for length in 0..100 {
            assert_eq!(end(&whole[..length].to_vec().into()), None);
        }
        for bytes in [&[0x30, 0x84, 0, 0, 0, 0][..], &[0x30, 0x80], &[0x30, 2, 0x30, 0xff], b"-"] {
            assert_eq!(end(&bytes.to_vec().into()), None, "{bytes:?}");
        }
    }
}
