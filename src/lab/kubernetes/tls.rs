//! TLS of a cluster's servers, and who their clients are.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
};

use super::certificates::{Leaf, Signed, leaf};
use super::kubeconfig::YEAR_MS;
use crate::lab::home::LabError;
use crate::lab::k3s::Cluster;

/// How the servers of a cluster speak TLS. Client certificates are asked for and taken as they are:
/// as with the real server, one that is not good makes the request unauthorized, not the
/// connection.
///
/// # Errors
/// `Tls`.
pub(in crate::lab) fn config(cluster: &Cluster, now_ms: u64) -> Result<ServerConfig, LabError> {
    let (name, group) = ("k3s", "k3s");
    let (from_ms, until_ms) = (now_ms.saturating_sub(YEAR_MS), now_ms.saturating_add(YEAR_MS));
    let leaf_of = Leaf { name, group, names: names(cluster), from_ms, until_ms };
    let Signed { certificate, key } =
        leaf(cluster.seed, &cluster.id, &leaf_of).map_err(LabError::tls)?;
    let certificate =
        CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(LabError::tls)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(LabError::tls)?;
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(LabError::tls)?
        .with_client_cert_verifier(Arc::new(Anybody(algorithms)))
        .with_single_cert(vec![certificate], key)
        .map_err(LabError::tls)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The names that a server of the cluster has: its own ones and those of the API's Service.
fn names(cluster: &Cluster) -> Vec<String> {
    let own = cluster.servers().flat_map(|node| {
        let names = [node.address.clone(), node.hostname.clone(), node.name.clone()];
        names.into_iter().chain(node.names.iter().cloned())
    });
    let common = [
        "127.0.0.1",
        "10.43.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    let mut names: Vec<String> = common.map(str::to_owned).into_iter().chain(own).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether the cluster's authority has signed a client's certificate, and it is valid now.
pub(in crate::lab) fn knows(
    cluster: &Cluster,
    chain: &[CertificateDer<'static>],
    now_ms: u64,
) -> bool {
    let Some((own, rest)) = chain.split_first() else { return false };
    let Ok(ca) = CertificateDer::from_pem_slice(cluster.ca.as_bytes()) else { return false };
    let mut roots = RootCertStore::empty();
    if roots.add(ca).is_err() {
        return false;
    }
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let now = UnixTime::since_unix_epoch(Duration::from_millis(now_ms));
    verifier.is_ok_and(|verifier| verifier.verify_client_cert(own, rest, now).is_ok())
}

/// Takes any certificate whose key its client has.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
