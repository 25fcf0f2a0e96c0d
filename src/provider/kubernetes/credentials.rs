//! What a kubeconfig says: whom to trust, and who asks.

use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::validity;

/// Everything of a kubeconfig that requests need, in memory.
pub struct Credentials {
    /// Host and port as the server names itself.
    pub authority: HeaderValue,
    /// What the server's certificate must be issued for.
    pub server_name: ServerName<'static>,
    /// Trusts the kubeconfig's authority alone; shows its client certificate.
    pub tls: Arc<ClientConfig>,
    /// The token. `None` where the certificate says who asks.
    pub authorization: Option<HeaderValue>,
    /// The last moment of the client certificate. `None` where a token says who asks.
    pub end: Option<Timestamp>,
}

impl Credentials {
    /// Reads the current context.
    ///
    /// # Errors
    /// It is no kubeconfig, or it relies on files and programs of the machine it was made for.
    pub fn parse(kubeconfig: &SecretString) -> Result<Self, Failure> {
        // The parser's own words may quote the text, which is secret.
        let config = Kubeconfig::from_yaml(kubeconfig.expose_secret());
        let config = config.map_err(|_| unusable("it is not a kubeconfig"))?;
        let (cluster, user) = current(&config).ok_or_else(|| {
            unusable("its current context does not name a cluster and a user that it has")
        })?;
        let uri: Option<Uri> = cluster.server.as_ref().and_then(|server| server.parse().ok());
        let uri = uri.filter(|uri| uri.scheme_str() == Some("https"));
        let authority = uri.as_ref().and_then(Uri::authority);
        let authority = authority.ok_or_else(|| unusable("its server is no https URL"))?;
        let host = authority.host().trim_matches(['[', ']']);
        let name = cluster.tls_server_name.clone().unwrap_or_else(|| host.to_owned());
        let problem = |_| unusable("its server is no host name");
        Ok(Self {
            authority: authority.as_str().parse().map_err(|_| unusable("its server is no URL"))?,
            server_name: ServerName::try_from(name).map_err(problem)?,
            tls: Arc::new(tls(cluster, user)?),
            authorization: authorization(user)?,
            end: ending(user),
        })
    }
}

fn current(config: &Kubeconfig) -> Option<(&Cluster, &AuthInfo)> {
    let name = config.current_context.as_ref()?;
    let context = config.contexts.iter().find(|context| context.name == *name)?;
    let context = context.context.as_ref()?;
    let cluster = config.clusters.iter().find(|cluster| cluster.name == context.cluster)?;
    let user = config.auth_infos.iter().find(|user| Some(&user.name) == context.user.as_ref())?;
    Some((cluster.cluster.as_ref()?, user.auth_info.as_ref()?))
}

fn tls(cluster: &Cluster, user: &AuthInfo) -> Result<ClientConfig, Failure> {
    let authority = cluster.certificate_authority_data.as_ref();
    let authority = authority.ok_or_else(|| unusable("it holds no certificate authority"))?;
    let problem = "its certificate authority is not PEM in base64";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority).ok_or_else(|| unusable(problem))? {
        roots.add(certificate).map_err(|_| unusable(problem))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match (&user.client_certificate_data, &user.client_key_data) {
        (Some(certificate), Some(key)) => {
            let problem = "its client certificate or key is not PEM in base64";
            let chain = certificates(certificate).ok_or_else(|| unusable(problem))?;
            let key = decoded(key.expose_secret());
            let key = key.and_then(|pem| PrivateKeyDer::from_pem_slice(&pem).ok());
            let key = key.ok_or_else(|| unusable(problem))?;
            builder.with_client_auth_cert(chain, key).map_err(|_| unusable(problem))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn ending(user: &AuthInfo) -> Option<Timestamp> {
    let chain = certificates(user.client_certificate_data.as_ref()?)?;
    validity::end(chain.first().filter(|_| user.token.is_none())?)
}

/// `None` where there is none, or something else.
fn certificates(data: &str) -> Option<Vec<CertificateDer<'static>>> {
    let pem = decoded(data)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    chain.ok().filter(|chain| !chain.is_empty())
}

fn decoded(base64: &str) -> Option<Vec<u8>> {
    let decoded: ByteString = serde_json::from_value(base64.into()).ok()?;
    Some(decoded.0)
}

fn authorization(user: &AuthInfo) -> Result<Option<HeaderValue>, Failure> {
    let Some(token) = &user.token else {
        return match user.client_certificate_data {
            Some(_) => Ok(None),
            None => Err(unusable("it holds neither a client certificate nor a token")),
        };
    };
    let value = format!("Bearer {}", token.expose_secret());
    let mut value: HeaderValue =
        value.parse().map_err(|_| unusable("its token is no text for a header"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn unusable(problem: &str) -> Failure {
    Failure::refused(
        format!("the cluster's kubeconfig cannot be used: {problem}"),
        "look at /etc/rancher/k3s/k3s.yaml on the servers; k3s writes it anew when it starts",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::kubernetes::testing::kubeconfig;

    fn check(kubeconfig: &str, problem: &str) {
        let error = Credentials::parse(&kubeconfig.to_owned().into()).err().expect("refused");
        let expected = format!("the cluster's kubeconfig cannot be used: {problem}");
        assert_eq!(error.to_string(), expected, "{kubeconfig}");
    }

    #[test]
    fn the_name_to_verify_is_the_kubeconfigs() {
        let read = |text: String| Credentials::parse(&text.into()).expect("a kubeconfig");
        let named = read(kubeconfig("t"));
        assert_eq!(named.server_name, ServerName::try_from("kubernetes").unwrap());
        assert_eq!(named.authority, "127.0.0.1:6443");
        assert!(named.authorization.unwrap().is_sensitive());
        let plain = kubeconfig("t").replace("tls-server-name: kubernetes", "");
        let plain = read(plain.replace("127.0.0.1", "[fd00::1]"));
        assert_eq!(plain.server_name, ServerName::try_from("fd00::1").unwrap());
    }

    #[test]
    fn a_kubeconfig_that_needs_this_machines_files_is_refused() {
        let whole = kubeconfig("t");
        let without = |text: &str, with: &str| whole.replace(text, with);
        check("nonsense: [", "it is not a kubeconfig");
        check(
            &without("current-context: default", "current-context: other"),
            "its current context does not name a cluster and a user that it has",
        );
        check(&without("https://", "http://"), "its server is no https URL");
        check(
            &without("certificate-authority-data", "certificate-authority"),
            "it holds no certificate authority",
        );
        let user = "it holds neither a client certificate nor a token";
        check(&without("token: t", "tokenFile: /etc/shadow"), user);
        let certificate = "client-certificate-data: eA==\n    client-key-data: eA==";
        let problem = "its client certificate or key is not PEM in base64";
        check(&without("token: t", certificate), problem);
    }
}
