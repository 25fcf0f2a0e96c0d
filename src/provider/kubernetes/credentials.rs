//! What a kubeconfig says: whom to trust, and who asks.

use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use kube::Config;
use kube::client::{ConfigExt, RustlsTlsError};
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::validity;

const AUTHORITY: &str = "its certificate authority is not PEM in base64";

/// Everything of a kubeconfig that requests need, in memory.
pub struct Credentials {
    /// Where the server is as it names itself, whom to trust, and what says who asks. It refers to
    /// nothing outside.
    pub config: Config,
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
        let uri = uri.ok_or_else(|| unusable("its server is no https URL"))?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = cluster.tls_server_name.clone().unwrap_or_else(|| host.to_owned());
        ServerName::try_from(name.as_str()).map_err(|_| unusable("its server is no host name"))?;
        let authority = cluster.certificate_authority_data.as_ref();
        let authority = authority.ok_or_else(|| unusable("it holds no certificate authority"))?;
        let roots = certificates(authority).ok_or_else(|| unusable(AUTHORITY))?;
        let mut config = Config::new(uri);
        config.root_cert = Some(roots.iter().map(|root| root.to_vec()).collect());
        config.tls_server_name = Some(name);
        config.headers = headers(user)?;
        let pair = user.client_certificate_data.clone().zip(user.client_key_data.clone());
        let (certificate, key) = pair.unzip();
        config.auth_info.client_certificate_data = certificate;
        config.auth_info.client_key_data = key;
        config.rustls_client_config().map_err(|error| unusable(problem(&error)))?;
        Ok(Self { config, end: ending(user) })
    }
}

fn problem(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::RustlsTls(RustlsTlsError::AddRootCertificate(_)) => AUTHORITY,
        _ => "its client certificate or key is not PEM in base64",
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

/// What every request has: the program and, where the certificate does not say it, who asks.
fn headers(user: &AuthInfo) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let program = HeaderValue::from_static(concat!("boma/", env!("CARGO_PKG_VERSION")));
    let mut headers = vec![(USER_AGENT, program)];
    if let Some(token) = &user.token {
        let value = format!("Bearer {}", token.expose_secret());
        let mut value: HeaderValue =
            value.parse().map_err(|_| unusable("its token is no text for a header"))?;
        value.set_sensitive(true);
        headers.push((AUTHORIZATION, value));
    } else if user.client_certificate_data.is_none() || user.client_key_data.is_none() {
        return Err(unusable("it holds neither a client certificate nor a token"));
    }
    Ok(headers)
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
        assert_eq!(named.config.tls_server_name.unwrap(), "kubernetes");
        assert_eq!(named.config.cluster_url, "https://127.0.0.1:6443/");
        assert!(!format!("{:?}", named.config.headers).contains("Bearer"));
        let plain = kubeconfig("t").replace("tls-server-name: kubernetes", "");
        let plain = read(plain.replace("127.0.0.1", "[fd00::1]"));
        assert_eq!(plain.config.tls_server_name.unwrap(), "fd00::1");
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
