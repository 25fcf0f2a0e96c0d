//! Trust by thumbprint.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a certificate in DER form, printed as vCenter does: `AB:CD:…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Hashes a certificate.
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// Reads 64 hexadecimal digits, with or without colons and blanks between them.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits: Vec<u32> = text
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16).ok_or_else(|| format!("{c:?} is no hexadecimal digit")))
            .collect::<Result<_, _>>()?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + *digit as u8))
            .collect();
        match (digits.len(), <[u8; 32]>::try_from(bytes)) {
            (64, Ok(bytes)) => Ok(Self(bytes)),
            (40, _) => {
                Err("it has 40 digits, as SHA-1 does; the SHA-256 with 64 digits is needed".into())
            }
            (count, _) => Err(format!("it has {count} hexadecimal digits, and a SHA-256 has 64")),
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        f.write_str(&bytes.join(":"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Accepts one certificate, known by its thumbprint. With none expected it accepts nothing and
/// only remembers what it saw. The server must still prove that it holds the certificate's key.
#[derive(Debug)]
pub struct Pin {
    provider: Arc<CryptoProvider>,
    expected: Option<Thumbprint>,
    seen: Arc<Mutex<Option<Thumbprint>>>,
}

impl Default for Pin {
    fn default() -> Self {
        Self { provider: Arc::new(ring::default_provider()), expected: None, seen: Arc::default() }
    }
}

impl Pin {
    /// Accepts that certificate.
    pub fn to(thumbprint: Thumbprint) -> Self {
        Self { expected: Some(thumbprint), ..Self::default() }
    }

    /// The cryptography that signatures are checked with.
    pub fn provider(&self) -> Arc<CryptoProvider> {
        self.provider.clone()
    }

    /// Where the thumbprint of the certificate that was presented is put.
    pub fn seen(&self) -> Arc<Mutex<Option<Thumbprint>>> {
        self.seen.clone()
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Thumbprint::of(end_entity);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        if self.expected == Some(found) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const CERTIFICATE: &[u8] = b"certificate bytes";

    fn verify(pin: &Pin) -> Result<ServerCertVerified, Error> {
        let name = ServerName::try_from("vc.example.org").unwrap();
        let certificate = CertificateDer::from(CERTIFICATE);
        pin.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
    }

    #[test]
    fn thumbprints_are_read_in_every_spelling() {
        let thumbprint = Thumbprint::of(CERTIFICATE);
        let printed = thumbprint.to_string();
        assert_eq!(printed.len(), 95);
        assert_eq!(Thumbprint::parse(&printed), Ok(thumbprint));
        assert_eq!(Thumbprint::parse(&printed.replace(':', "").to_lowercase()), Ok(thumbprint));
        assert!(Thumbprint::parse(&"a".repeat(40)).unwrap_err().contains("SHA-1"));
        assert!(Thumbprint::parse("xyz").unwrap_err().contains("hexadecimal"));
        assert!(Thumbprint::parse("").unwrap_err().contains("0 hexadecimal digits"));
        assert!(Thumbprint::parse(&"é".repeat(64)).is_err());
    }

    #[test]
    fn only_the_pinned_certificate_is_accepted() {
        let right = Pin::to(Thumbprint::of(CERTIFICATE));
        assert!(verify(&right).is_ok());
        let wrong = Pin::to(Thumbprint::of(b"another"));
        assert_eq!(
            verify(&wrong).unwrap_err(),
            CertificateError::ApplicationVerificationFailure.into()
        );
        let none = Pin::default();
        assert!(verify(&none).is_err());
        assert_eq!(*none.seen.lock().unwrap(), Some(Thumbprint::of(CERTIFICATE)));
    }
}
