//! Until when a certificate is good.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The last moment of a certificate's validity. `None` where it cannot be read.
pub fn end(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
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
        for length in 0..whole.len() {
            assert_eq!(end(&whole[..length].to_vec().into()), None);
        }
        for bytes in [&[0x30, 0x84, 0, 0, 0, 0][..], &[0x30, 0x80], &[0x30, 2, 0x30, 0xff], b"-"] {
            assert_eq!(end(&bytes.to_vec().into()), None, "{bytes:?}");
        }
    }
}
