//! The certificates of a cluster, all of them drawn from its seed: they are the same in every
//! process.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ED25519, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::lab::seed::digest;

/// What a leaf is good for, and until when.
pub(in crate::lab) struct Leaf<'a> {
    /// Whose it is; draws its key.
    pub name: &'a str,
    /// `O` of the subject: the group of a client.
    pub group: &'a str,
    /// Host names and addresses; none for clients.
    pub names: Vec<String>,
    /// Milliseconds since 1970.
    pub from_ms: u64,
    pub until_ms: u64,
}

/// A certificate with its key, both in PEM.
pub(in crate::lab) struct Signed {
    pub certificate: String,
    pub key: String,
}

/// What PKCS #8 puts before the 32 bytes of an Ed25519 key.
const HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The certificate of a cluster's authority, in PEM.
///
/// # Errors
/// None that is known.
pub(in crate::lab) fn authority(seed: u64, cluster: &str) -> Result<String, Error> {
    Ok(params(cluster)?.self_signed(&key(seed, &["ca key", cluster])?)?.pem())
}

/// A leaf that the cluster's authority signs.
///
/// # Errors
/// For names that no certificate may have.
pub(in crate::lab) fn leaf(seed: u64, cluster: &str, leaf: &Leaf<'_>) -> Result<Signed, Error> {
    let mut params = CertificateParams::new(leaf.names.clone())?;
    params.distinguished_name.push(DnType::CommonName, leaf.name);
    params.distinguished_name.push(DnType::OrganizationName, leaf.group);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let usage = if leaf.names.is_empty() {
        ExtendedKeyUsagePurpose::ClientAuth
    } else {
        ExtendedKeyUsagePurpose::ServerAuth
    };
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    let time = |ms: u64| date_time_ymd(1970, 1, 1) + Duration::from_secs(ms / 1_000);
    (params.not_before, params.not_after) = (time(leaf.from_ms), time(leaf.until_ms));
    let key = key(seed, &["leaf key", cluster, leaf.name])?;
    let issuer = Issuer::new(self::params(cluster)?, self::key(seed, &["ca key", cluster])?);
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Signed { certificate: certificate.pem(), key: key.serialize_pem() })
}

fn params(cluster: &str) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    params.distinguished_name.push(DnType::CommonName, format!("k3s-server-ca@{cluster}"));
    Ok(params)
}

fn key(seed: u64, parts: &[&str]) -> Result<KeyPair, Error> {
    let secret = digest(seed, parts);
    let der: Vec<u8> = HEAD.iter().chain(&secret).copied().collect();
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der), &PKCS_ED25519)
}
