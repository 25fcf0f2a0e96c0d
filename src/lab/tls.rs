//! The lab's certificate authority and its vCenter's certificate, made once per world.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use super::home::LabError;
use super::journal::replace;

/// What a server needs, and what its clients check it by.
pub(super) struct Identity {
    pub config: Arc<ServerConfig>,
    pub ca_pem: String,
    /// SHA-256 of the server's certificate: upper-case hexadecimal, parted by colons.
    pub thumbprint: String,
}

/// Reads the identity from the world's directory, or makes it. The authority's key is not kept:
/// it signs one certificate only.
///
/// # Errors
/// `Io` and `Tls`.
pub(super) fn identity(directory: &Path) -> Result<Identity, LabError> {
    let read = |name: &str| std::fs::read_to_string(directory.join(name));
    let (ca_pem, leaf_pem, key_pem) = match (read("ca.pem"), read("server.pem"), read("server.key"))
    {
        (Ok(ca), Ok(leaf), Ok(key)) => (ca, leaf, key),
        _ => make(directory)?,
    };
    let leaf = CertificateDer::from_pem_slice(leaf_pem.as_bytes()).map_err(LabError::tls)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(LabError::tls)?;
    let digest = Sha256::digest(&leaf);
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(LabError::tls)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)
            .map_err(LabError::tls)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { config: Arc::new(config), ca_pem, thumbprint: pairs.join(":") })
}

fn make(directory: &Path) -> Result<(String, String, String), LabError> {
    let mut ca = CertificateParams::new(Vec::new()).map_err(LabError::tls)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "boma lab CA");
    let ca_key = KeyPair::generate().map_err(LabError::tls)?;
    let ca_certificate = ca.self_signed(&ca_key).map_err(LabError::tls)?;

    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut leaf = CertificateParams::new(names).map_err(LabError::tls)?;
    leaf.distinguished_name.push(DnType::CommonName, "boma lab vCenter");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(LabError::tls)?;
    let certificate = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).map_err(LabError::tls)?;

    let made = (ca_certificate.pem(), certificate.pem(), key.serialize_pem());
    for (name, text) in [("ca.pem", &made.0), ("server.pem", &made.1), ("server.key", &made.2)] {
        replace(directory, name, text.as_bytes())
            .map_err(|source| LabError::io(directory, source))?;
    }
    Ok(made)
}
