//! Trust in a vCenter's certificate.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, Error};
use tokio::net::TcpStream;

use super::config::{Trust, VcenterConfig};
use super::failure::Failure;
use super::thumbprint::{Pin, Thumbprint};

/// Builds the HTTP client for one vCenter.
///
/// # Errors
/// `Refused` where `ca_file` or `thumbprint` of the spec cannot be used.
pub fn client(config: &VcenterConfig) -> Result<reqwest::Client, Failure> {
    // Fails where some part of the process chose a provider already, which is as good.
    let _ = ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(60))
        // Shorter than any proxy's idle limit: a call on a connection that closes meanwhile is
        // lost.
        .pool_idle_timeout(Duration::from_secs(15))
        // A redirected Login would carry the password to another host.
        .redirect(reqwest::redirect::Policy::none())
        .http1_only()
        .user_agent(config.user_agent.as_str());
    let builder = if config.is_loopback() { builder.no_proxy() } else { builder };
    let builder = match &config.trust {
        Trust::SystemRoots => builder,
        Trust::CaPem(pem) => builder.tls_certs_only(authorities(pem)?),
        Trust::Thumbprint(text) => builder.tls_backend_preconfigured(pinned(text)?),
        Trust::Insecure => builder.tls_danger_accept_invalid_certs(true),
    };
    builder.build().map_err(|error| {
        Failure::refused(
            format!("no TLS client can be made: {}", chain(&error)),
            "check [vcenter] ca_file, and that this machine has a certificate store",
        )
    })
}

/// The certificate error inside a failed request. `None` where it failed for another reason.
pub fn certificate_error(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(Error::InvalidCertificate(error)) = error.downcast_ref() {
        return Some(in_words(error));
    }
    // An I/O error that wraps another one leaves that one out of its chain of sources.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => certificate_error(wrapped),
        None => certificate_error(error.source()?),
    }
}

/// The failure for a certificate that was not accepted. Connects once more to learn the
/// thumbprint, sending nothing but the TLS greeting.
pub async fn untrusted(config: &VcenterConfig, cause: String) -> Failure {
    let presented = tokio::time::timeout(Duration::from_secs(10), presented(config)).await;
    let presented = presented.ok().flatten();
    let cause = match (&config.trust, presented) {
        (Trust::Thumbprint(pinned), Some(found)) => match Thumbprint::parse(pinned) {
            Ok(pinned) => format!("its SHA-256 thumbprint is {found}, and the spec says {pinned}"),
            Err(_) => format!("its SHA-256 thumbprint is {found}"),
        },
        (_, Some(found)) => format!("{cause} (SHA-256 thumbprint {found})"),
        (_, None) => cause,
    };
    let help = match &config.trust {
        Trust::Thumbprint(_) => {
            "if vCenter's certificate was renewed, compare it with the one shown on \
            vCenter itself and set [vcenter] thumbprint to it"
                .to_owned()
        }
        _ => format!(
            "set [vcenter] ca_file to vCenter's CA (https://{}/certs/download.zip), or compare the \
             thumbprint with the one shown on vCenter itself and set [vcenter] thumbprint to it",
            config.server()
        ),
    };
    Failure::Untrusted { server: config.server(), cause, help }
}

/// An error with everything below it, joined by colons.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = error.source();
    }
    text
}

fn authorities(pem: &str) -> Result<Vec<reqwest::Certificate>, Failure> {
    let help = "set [vcenter] ca_file to a PEM file of vCenter's CA: it begins with \
        -----BEGIN CERTIFICATE-----";
    let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| {
        Failure::refused(format!("the CA file is not PEM: {}", chain(&error)), help)
    })?;
    if certificates.is_empty() {
        return Err(Failure::refused("the CA file holds no certificate", help));
    }
    Ok(certificates)
}

fn pinned(text: &str) -> Result<ClientConfig, Failure> {
    let thumbprint = Thumbprint::parse(text).map_err(|cause| {
        Failure::refused(
            format!("the thumbprint cannot be used: {cause}"),
            "set [vcenter] thumbprint to the SHA-256 of vCenter's certificate",
        )
    })?;
    tls_config(Pin::to(thumbprint))
}

fn tls_config(pin: Pin) -> Result<ClientConfig, Failure> {
    let builder = ClientConfig::builder_with_provider(pin.provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            Failure::refused(error.to_string(), "this is a fault of boma: report it")
        })?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(pin)).with_no_client_auth())
}

async fn presented(config: &VcenterConfig) -> Option<Thumbprint> {
    let pin = Pin::default();
    let seen = pin.seen();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls_config(pin).ok()?));
    let stream = TcpStream::connect((config.host.as_str(), config.port)).await.ok()?;
    let name = ServerName::try_from(config.host.clone()).ok()?;
    // Refused by the verifier, which has seen the certificate by then.
    let _ = connector.connect(name, stream).await;
    *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn in_words(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "it is not signed by an authority that is trusted here".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: check this machine's clock".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is not issued for this name".into()
        }
        CertificateError::ApplicationVerificationFailure => "its thumbprint differs".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn unusable_trust_is_refused_with_the_key_to_change() {
        let refused = |trust| {
            let config = VcenterConfig {
                host: "vc.example.org".into(),
                port: 443,
                username: String::new(),
                password: String::new().into(),
                trust,
                user_agent: "boma/test".into(),
            };
            let error = client(&config).unwrap_err().explain("connect");
            format!("{} | {}", error.message, error.help)
        };
        assert!(
            refused(Trust::CaPem("nonsense".into()))
                .contains("no certificate | set [vcenter] ca_file")
        );
        assert!(refused(Trust::Thumbprint("ab".into())).contains("[vcenter] thumbprint"));
    }
}
